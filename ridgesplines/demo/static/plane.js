// Two dimensions: the solution on a grid of directions and the one off the grid, as maps and on the cylinder of lines.

import { Latest } from "./api.js";
import { VIOLATION, colour, css, stopsOf } from "./colours.js";
import { Controls, facts, proof } from "./controls.js";
import { Editor } from "./edit.js";
import { Plot, raster, short, span } from "./plot.js";
import { LOSSES } from "./state.js";

/** Levels of f, cells of its picture, and of the grid on which its contours are found. */
const LEVELS = 16, CELLS = 180, GRID = 90;
const DEGREES = [0, 45, 90, 135, 180].map((degree) => [degree, `${degree}°`]);
/** |eta| counts as larger than lambda from here on: a picture's digits. */
const EDGE = 1.0015;

function value(net, x, y) {
  let sum = net.offset + net.slope[0] * x + net.slope[1] * y;
  for (let k = 0; k < net.biases.length; k++) {
    const inside = net.weights[k][0] * x + net.weights[k][1] * y - net.biases[k];
    if (inside > 0) sum += net.amplitudes[k] * inside;
  }
  return sum;
}

/** The lines f = level, for levels in increasing order, as a path: straight across each cell of a grid. */
function contours(plot, net, levels) {
  const { x, y } = plot.window;
  const at = ([low, high], i) => low + (i / GRID) * (high - low);
  const places = Array.from({ length: GRID + 1 }, (_, i) => i);
  const heights = places.map((j) => places.map((i) => value(net, at(x, i), at(y, j))));
  let path = "";
  for (let j = 0; j < GRID; j++) {
    for (let i = 0; i < GRID; i++) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]].map(([a, b]) => [a, b, heights[b][a]]);
      const [low, high] = [Math.min(...corners.map(([, , z]) => z)), Math.max(...corners.map(([, , z]) => z))];
      for (const level of levels) {
        if (level <= low || level > high) continue;
        const ends = [];
        corners.forEach(([a, b, from], k) => {
          const [c, d, to] = corners[(k + 1) % 4];
          if (from < level === to < level) return;
          const share = (level - from) / (to - from);
          ends.push(`${plot.px(at(x, a + share * (c - a))).toFixed(1)} ${plot.py(at(y, b + share * (d - b))).toFixed(1)}`);
        });
        for (let k = 0; k + 1 < ends.length; k += 2) path += `M${ends[k]}L${ends[k + 1]}`;
      }
    }
  }
  return path;
}

class Side {
  constructor(section, name) {
    const holder = (id) => section.querySelector(`#${id}-${name} .plot`);
    const label = { grid: "on the grid", free: "off the grid" }[name];
    Object.assign(this, { name, answer: null, error: "", latest: new Latest("plane"), facts: section.querySelector(`[data-facts=${name}]`) });
    this.store = {};
    this.map = new Plot(holder("map"), { name: `fit ${label}`, square: true });
    this.cylinder = new Plot(holder("cylinder"), { name: `certificate ${label}`, x: { label: "angle of w", ticks: DEGREES }, y: { label: "offset t" } });
  }

  /** What `make` made, unless the parts that it depends on are others: a point in the hand moves over the same map. */
  kept(name, parts, make) {
    const known = this.store[name];
    if (known?.parts.length === parts.length && parts.every((part, i) => part === known.parts[i])) return known.made;
    const made = make();
    this.store[name] = { parts, made };
    return made;
  }
}

export class PlanePanel {
  constructor(section, store, say, most) {
    Object.assign(this, { section, store, say });
    this.grid = new Side(section, "grid");
    this.free = new Side(section, "free");
    this.controls = new Controls(section.querySelector("form"), store, "plane", most, () => this.answer?.lam_max);
    this.editor = new Editor(this.free.map, {
      points: () => this.own.points,
      place: ([x, y]) => [x, y],
      moved: (row, x, y) => [x, y, row[2]],
      made: (x, y, before) => [x, y, before?.[2] ?? (this.isClasses ? 1 : this.range[1])],
      change: (points, commit) => store.change("plane", { points }, commit),
      draw: () => this.draw(),
      most,
    });
    this.#wire();
    store.listen((state, before) => this.#changed(state.plane, before.plane));
  }

  get own() { return this.store.state.plane; }
  get answer() { return this.free.answer; }
  get isClasses() { return Boolean(LOSSES[this.own.loss].classes); }

  #wire() {
    const { add, remove, directions, value: field } = this.controls.form.elements;
    const change = (commit) => this.store.change("plane", { directions: Number(directions.value) }, commit);
    directions.addEventListener("input", () => change(false));
    directions.addEventListener("change", () => change(true));
    add.addEventListener("click", () => this.editor.addBeside());
    remove.addEventListener("click", () => this.editor.remove());
    field.addEventListener("change", () => this.#value(Number(field.value)));
    this.free.map.holder.addEventListener("keydown", (event) => {
      const sign = { "+": 1, "=": 1, "-": -1, "−": -1 }[event.key];
      const row = this.own.points[this.editor.selected];
      if (sign && row) this.#value(this.isClasses ? sign : row[2] + sign * 0.05 * (this.range[1] - this.range[0]));
    });
  }

  #value(value) {
    if (!Number.isFinite(value)) return;
    const z = this.isClasses ? (value < 0 ? -1 : 1) : Number(value.toPrecision(4));
    const points = this.own.points.map((row, i) => (i === this.editor.selected ? [row[0], row[1], z] : row));
    this.store.change("plane", { points });
  }

  #problem({ points, lam, loss, parameter }) { return { points, lam, loss, parameter }; }

  body() { return { ...this.#problem(this.own), directions: this.own.directions }; }

  #changed(own, before) {
    if (own === before) return;
    if (own.data !== before.data) this.editor.selected = null;
    const problem = JSON.stringify(this.#problem(own));
    if (problem !== this.asked) this.ask();
    else if (own.directions !== before.directions) this.#ask(this.grid, own.directions);
    this.editor.check();
    this.draw();
  }

  ask() {
    const asked = this.asked = JSON.stringify(this.#problem(this.own));
    this.#ask(this.free, null, (answer) => {
      if (this.own.lam === null && asked === this.asked) {
        this.asked = JSON.stringify({ ...this.#problem(this.own), lam: answer.lam });
        this.store.change("plane", { lam: answer.lam }, "view");
      }
    });
    this.#ask(this.grid, this.own.directions);
  }

  #ask(side, directions, then = () => {}) {
    side.latest.ask({ ...this.#problem(this.own), directions }, (answer) => {
      Object.assign(side, { answer, error: "" });
      then(answer);
      this.#said();
    }, (error) => {
      Object.assign(side, { answer: null, error });
      this.#said();
    });
  }

  #said() {
    this.say("plane", [...new Set([this.free.error, this.grid.error])].filter(Boolean).join(" "));
    this.draw();
  }

  draw() {
    const { own } = this;
    this.controls.show(this.answer, this.editor.selected);
    const { directions, value: field, "directions-text": text } = this.controls.form.elements;
    if (document.activeElement !== directions) directions.value = own.directions;
    text.value = own.directions === 1 ? "1 direction" : `${own.directions} directions`;
    const row = own.points[this.editor.selected];
    field.disabled = !row;
    if (document.activeElement !== field) field.value = row ? row[2] : "";
    if (!own.points.length || this.section.hidden) return;
    if (!this.view || this.editor.dragged === null) {
      this.view = { x: span(own.points.map(([x]) => x)), y: span(own.points.map(([, y]) => y)) };
    }
    this.controls.describe(own.data).then(({ axes }) => {
      for (const side of [this.grid, this.free]) [side.map.x.label, side.map.y.label] = axes;
    }, () => {});
    this.range = this.isClasses ? [-1, 1] : span(own.points.map(([, , z]) => z), 0);
    for (const side of [this.grid, this.free]) {
      side.map.draw(this.view, (plot) => this.#map(plot, side));
      side.cylinder.svg.classList.toggle("absent", !side.answer);
      if (!side.answer) { facts(side.facts, []); continue; }
      const { radius } = side.answer;
      side.cylinder.draw({ x: [0, 180], y: [-radius, radius] }, (plot) => this.#cylinder(plot, side));
      this.#facts(side);
    }
  }

  #ramp() { return this.isClasses ? "signs" : "values"; }

  /** Where on its ramp a value of f stands; for classes paler than the points, whatever the size of f. */
  #share(z) { return this.isClasses ? 0.5 + 0.3 * Math.tanh(z / 2) : (z - this.range[0]) / (this.range[1] - this.range[0]); }

  /** The value of f at a share: the inverse of #share. */
  #height(share) { return this.isClasses ? 2 * Math.atanh((share - 0.5) / 0.3) : this.range[0] + share * (this.range[1] - this.range[0]); }

  #map(plot, side) {
    const { answer: net } = side;
    const stops = stopsOf(this.#ramp());
    if (net) this.#surface(plot, side, stops);
    if (net) this.#ridges(plot, net);
    this.own.points.forEach(([x, y, z], i) => {
      const kind = i === this.editor.selected ? "sample selected" : "sample";
      const mark = this.isClasses && z > 0 ? plot.triangle(x, y, 0.42, true, kind) : plot.dot(x, y, 0.34, kind);
      mark.setAttribute("fill", css(colour(stops, this.isClasses ? (z > 0 ? 1 : 0) : this.#share(z))));
    });
  }

  /** f in bands of one colour, with its contours between them. */
  #surface(plot, side, stops) {
    const { answer: net } = side;
    const { x, y } = plot.window;
    const { width, height } = plot.size;
    const band = (share) => (Math.floor(Math.min(Math.max(share, 0), 0.9999) * LEVELS) + 0.5) / LEVELS;
    const parts = [net, stops, ...x, ...y, ...this.range, width, height];
    plot.image(side.kept("surface", parts, () => raster(CELLS, CELLS, (i, j) => {
      const at = value(net, x[0] + ((i + 0.5) / CELLS) * (x[1] - x[0]), y[0] + ((j + 0.5) / CELLS) * (y[1] - y[0]));
      return colour(stops, band(this.#share(at)));
    })));
    const edges = Array.from({ length: LEVELS - 1 }, (_, i) => this.#height((i + 1) / LEVELS)).filter(Number.isFinite);
    plot.mark("path", { class: "contour", d: side.kept("contour", parts, () => contours(plot, net, edges)) });
    if (!this.isClasses) return;
    plot.mark("path", { class: "decision", d: side.kept("decision", parts, () => contours(plot, net, [0])) }); // f = 0
  }

  #ridges(plot, net) {
    const largest = Math.max(...net.amplitudes.map(Math.abs), 0);
    const far = 2 * Math.hypot(plot.window.x[1] - plot.window.x[0], plot.window.y[1] - plot.window.y[0]);
    const centre = [(plot.window.x[0] + plot.window.x[1]) / 2, (plot.window.y[0] + plot.window.y[1]) / 2];
    net.weights.forEach(([a, b], k) => {
      const away = net.biases[k] - a * centre[0] - b * centre[1];
      const foot = [centre[0] + away * a, centre[1] + away * b];
      const ends = [[foot[0] - far * b, foot[1] + far * a], [foot[0] + far * b, foot[1] - far * a]];
      const size = Math.abs(net.amplitudes[k]) / largest;
      for (const [kind, more] of [["halo", 0.12], ["ridge", 0]]) {
        const line = plot.line(ends, kind);
        line.setAttribute("stroke-width", (0.05 + 0.15 * size + more) * plot.rem);
        line.setAttribute("stroke-opacity", (kind === "halo" ? 0.7 : 1) * (0.35 + 0.65 * Math.sqrt(size)));
      }
    });
  }

  #cylinder(plot, side) {
    const { eta, angles, weights, biases, amplitudes, centre } = side.answer;
    const stops = stopsOf("signs");
    plot.image(side.kept("eta", [eta, stops], () => raster(eta.length, eta[0].length, (i, j) => {
      const at = eta[i][j] / 1000;
      return Math.abs(at) > EDGE ? VIOLATION : colour(stops, (at + 1) / 2);
    })));
    for (const angle of angles) plot.vertical((180 * angle) / Math.PI, "direction");
    const largest = Math.max(...amplitudes.map(Math.abs), 0);
    weights.forEach(([a, b], k) => {
      const sign = b < 0 || (b === 0 && a < 0) ? -1 : 1; // (w, t) and (−w, −t) are one line
      const angle = (180 * Math.atan2(sign * b, sign * a)) / Math.PI;
      const offset = sign * (biases[k] - a * centre[0] - b * centre[1]);
      const size = 0.32 + 0.3 * Math.abs(amplitudes[k]) / largest;
      plot.triangle(angle, offset, size, amplitudes[k] > 0, amplitudes[k] > 0 ? "head up outlined" : "head down outlined");
    });
  }

  #facts(side) {
    const { answer } = side;
    const rows = [[side === this.free ? "off the grid" : `grid of ${this.own.directions}`, `K = ${answer.k} < N = ${answer.n}`, `neurons < data; at most ${answer.bound} are ever needed`], ...proof(answer)];
    if (side === this.grid && answer.grid_gap) rows.push(["gap on the grid", answer.grid_gap, "the relative gap among the grid's neurons only"]);
    if (answer.status !== "converged") rows.push(["status", answer.status, "the best so far is shown, with its own gap", "bad"]);
    facts(side.facts, rows);
  }

  title() {
    const { free: { answer: free }, grid: { answer: grid } } = this;
    const beside = grid ? `; grid of ${this.own.directions}: K = ${grid.k}, objective ${short(grid.objective, 6)}` : "";
    return `off the grid K = ${free.k} < N = ${free.n}, objective ${short(free.objective, 6)}, relative gap ${free.gap_words} (${free.scope})${beside}`;
  }

  table() {
    const { free: { answer: free }, grid: { answer: grid } } = this;
    const rows = this.own.points.map((row, i) => [...row, free.fitted[i], free.dual[i], grid?.fitted[i] ?? ""]);
    return [["x1", "x2", "y", "f(x)", "u", "f(x) on the grid"], ...rows];
  }
}
