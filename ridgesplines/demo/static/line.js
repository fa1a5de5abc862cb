// One dimension: the points, the optimal spline, its impulses, and the certificate that proves it.

import { Latest } from "./api.js";
import { Controls, facts, proof } from "./controls.js";
import { Editor } from "./edit.js";
import { Plot, short, span } from "./plot.js";
import { LOSSES } from "./state.js";

/** The problem as the server reads it. */
export function lineProblem({ points, lam, loss, parameter, sparsest }) {
  return { points, lam, loss, parameter, sparsest };
}

export class LinePanel {
  constructor(section, store, say, most) {
    Object.assign(this, { section, store, say, answer: null, latest: new Latest("line") });
    this.controls = new Controls(section.querySelector("form"), store, "line", most, () => this.answer?.lam_max);
    const holder = (id) => section.querySelector(`#${id} .plot`);
    this.spline = new Plot(holder("spline"), { name: "points and optimal spline" });
    this.impulses = new Plot(holder("impulses"), { name: "second derivative of the spline" });
    this.certificate = new Plot(holder("certificate"), { name: "dual certificate" });
    this.editor = new Editor(this.spline, {
      points: () => this.own.points,
      place: (row) => row,
      moved: (row, x, y) => [x, this.isClasses ? Math.sign(y) || 1 : y],
      made: (x, y) => [x, this.isClasses ? Math.sign(y) || 1 : y],
      change: (points, commit) => store.change("line", { points }, commit),
      draw: () => this.draw(),
      most,
    });
    const { add, remove, sparsest } = this.controls.form.elements;
    add.addEventListener("click", () => this.editor.addBeside());
    remove.addEventListener("click", () => this.editor.remove());
    sparsest.addEventListener("change", () => store.change("line", { sparsest: sparsest.checked }));
    store.listen((state, before) => this.#changed(state.line, before.line));
  }

  get own() { return this.store.state.line; }
  /** The answer, where it is to what the page shows; null while another one is awaited. */
  get solved() { return this.latest.open || this.latest.waiting ? null : this.answer; }
  get isClasses() { return Boolean(LOSSES[this.own.loss].classes); }

  body() { return lineProblem(this.own); }

  #changed(own, before) {
    if (own === before) return;
    if (own.data !== before.data) this.editor.selected = null;
    if (JSON.stringify(lineProblem(own)) !== this.asked) this.ask();
    this.editor.check();
    this.draw();
  }

  ask() {
    const asked = this.asked = JSON.stringify(lineProblem(this.own));
    this.latest.ask(lineProblem(this.own), (answer) => {
      this.answer = answer;
      this.say("line", "");
      if (this.own.lam === null && asked === this.asked) { // from now on lambda stays when points move
        this.asked = JSON.stringify({ ...lineProblem(this.own), lam: answer.lam });
        this.store.change("line", { lam: answer.lam }, "view");
      }
      this.draw();
      this.answered?.();
    }, (error) => this.say("line", error));
  }

  /** The window follows the points, but not while one is dragged. */
  #window() {
    if (!this.view || this.editor.dragged === null) {
      const x = span(this.own.points.map(([first]) => first), 0.05);
      const y = this.isClasses ? this.#margins() : span(this.own.points.map(([, second]) => second), 0.12);
      this.view = { x, y };
    }
    return this.view;
  }

  /** Of classes: as far as f goes at the data, within reason. */
  #margins() {
    const largest = Math.max(2.2, ...(this.answer?.fitted ?? []).map(Math.abs));
    return [-Math.min(largest, 8) * 1.05, Math.min(largest, 8) * 1.05];
  }

  draw() {
    this.controls.show(this.answer, this.editor.selected);
    this.controls.form.elements.sparsest.checked = this.own.sparsest;
    if (!this.own.points.length) return;
    const view = this.#window();
    this.controls.describe(this.own.data).then(({ axes }) => { [this.certificate.x.label, this.spline.y.label] = axes; }, () => {});
    this.spline.draw(view, (plot) => this.#spline(plot));
    if (!this.answer) return;
    const { knots, amplitudes, lam, eta } = this.answer;
    this.impulses.draw({ x: view.x, y: span([0, ...amplitudes], 0.18) }, (plot) => this.#impulses(plot, knots, amplitudes));
    const highest = 1.25 * Math.max(lam, ...eta.map(([, value]) => Math.abs(value)));
    this.certificate.y.ticks = [[-lam, "−λ"], [0, "0"], [lam, "+λ"]];
    this.certificate.draw({ x: view.x, y: [-highest, highest] }, (plot) => this.#certificate(plot));
    this.#facts();
  }

  #guides(plot) {
    for (const knot of this.answer?.knots ?? []) plot.vertical(knot, "guide");
  }

  #spline(plot) {
    this.#guides(plot);
    if (this.isClasses) plot.horizontal(0, "zero");
    if (this.answer) plot.line(this.answer.outline, "fit");
    const radius = this.own.points.length > 150 ? 0.22 : 0.32;
    this.own.points.forEach(([x, y], i) => plot.dot(x, y, radius, i === this.editor.selected ? "datum selected" : "datum"));
    this.answer?.knots.forEach((knot, i) => plot.dot(knot, this.answer.at_knots[i], 0.36, "knot"));
  }

  #impulses(plot, knots, amplitudes) {
    this.#guides(plot);
    plot.horizontal(0, "zero");
    knots.forEach((knot, i) => {
      plot.line([[knot, 0], [knot, amplitudes[i]]], amplitudes[i] > 0 ? "impulse up" : "impulse down");
      plot.triangle(knot, amplitudes[i], 0.4, amplitudes[i] > 0, amplitudes[i] > 0 ? "head up" : "head down");
    });
    if (!knots.length) plot.note((plot.window.x[0] + plot.window.x[1]) / 2, 0, "no impulse: f is affine", "note", "middle");
  }

  #certificate(plot) {
    const { lam, eta, knots, eta_at_knots } = this.answer;
    this.#guides(plot);
    plot.horizontal(lam, "bound");
    plot.horizontal(-lam, "bound");
    plot.line([[plot.window.x[0], 0], ...eta, [plot.window.x[1], 0]], "eta");
    knots.forEach((knot, i) => plot.dot(knot, eta_at_knots[i], 0.32, "knot"));
  }

  #facts() {
    const { answer } = this;
    facts(this.section.querySelector("[data-facts]"), [
      ["neurons < data", `K = ${answer.k} < N = ${answer.n}`, `at most ${answer.bound} are ever needed`],
      ...proof(answer),
      ["‖D²f‖", short(answer.seminorm), "the sum of the impulses, the seminorm"],
      ["the only optimum", answer.unique ? "yes, proven" : "not proven", "whether the certificate proves that no other function is as good"],
      ["solved in", `${short(1000 * answer.seconds, 2)} ms`, answer.status],
    ]);
  }

  title() {
    const { k, n, objective, gap_words, scope_words } = this.answer;
    return `K = ${k} < N = ${n}, objective ${short(objective, 6)}, relative gap ${gap_words} (${scope_words})`;
  }

  table() {
    const { fitted, dual } = this.answer;
    return [["x", "y", "f(x)", "u"], ...this.own.points.map(([x, y], i) => [x, y, fitted[i], dual[i]])];
  }
}
