// The race: a network in training, beside the optimum that it cannot pass.

import { busy, frames } from "./api.js";
import { facts, options } from "./controls.js";
import { lineProblem } from "./line.js";
import { Plot, short, span } from "./plot.js";
import { LOSSES, OPTIMIZERS } from "./state.js";

const RATES = [null, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
const OWN_RATE = { adam: 0.005, sgd: 0.02, lbfgs: 1 };
const EPOCHS = [300, 1000, 2000, 5000, 10000, 20000];

export class RacePanel {
  constructor(section, store, say, torch, solved) {
    Object.assign(this, { section, store, say, torch, solved, answer: null, running: null, shown: [], ended: "" });
    const holder = (id) => section.querySelector(`#${id} .plot`);
    this.morph = new Plot(holder("morph"), { name: "network in training and optimum" });
    const epochs = { label: "epoch + 1", log: true };
    this.objective = new Plot(holder("objective"), { name: "objective of the network", x: epochs, y: { label: "objective", log: true } });
    this.active = new Plot(holder("active"), { name: "active neurons", x: epochs, y: { label: "active neurons" } });
    this.balance = new Plot(holder("balance"), { name: "balance of the neurons", x: { label: "|w|", log: true }, y: { label: "|v|", log: true } });
    this.form = section.querySelector("form");
    this.#wire();
    store.listen((state, before) => {
      const lam = before.line.lam ?? state.line.lam; // a lambda left open becomes what the server chooses
      const other = JSON.stringify(lineProblem(state.line)) !== JSON.stringify(lineProblem({ ...before.line, lam }));
      if (other || state.race !== before.race) this.#reset();
    });
  }

  get own() { return this.store.state.race; }
  get line() { return this.store.state.line; }

  body() {
    const { width, optimizer, rate, epochs, seed } = this.own;
    return { fit: lineProblem(this.line), width, optimizer, learning_rate: rate, epochs, seed };
  }

  #wire() {
    const field = this.form.elements;
    const change = (changes, commit = true) => this.store.change("race", changes, commit);
    options(field.optimizer, Object.entries(OPTIMIZERS));
    options(field.epochs, EPOCHS.map((count) => [count, String(count)]));
    field.width.addEventListener("input", () => change({ width: Number(field.width.value) }, false));
    field.width.addEventListener("change", () => change({ width: Number(field.width.value) }));
    field.optimizer.addEventListener("change", () => change({ optimizer: field.optimizer.value, rate: null }));
    field.rate.addEventListener("change", () => change({ rate: field.rate.value === "" ? null : Number(field.rate.value) }));
    field.epochs.addEventListener("change", () => change({ epochs: Number(field.epochs.value) }));
    field.seed.addEventListener("change", () => {
      const seed = Math.min(Math.max(Math.round(Number(field.seed.value)) || 0, 0), 999);
      change({ seed });
    });
    field.go.addEventListener("click", () => this.toggle());
    this.form.querySelector("[data-torch]").hidden = this.torch;
    field.go.disabled = !this.torch;
  }

  /** Another problem or another network: what was raced is no longer what is shown. */
  #reset() {
    this.running?.abort();
    this.running = null;
    this.shown = [];
    this.answer = this.done = null;
    this.ended = "";
    this.say("race", "");
    this.draw();
  }

  toggle() {
    if (!this.torch) return;
    if (this.running) {
      this.running.abort();
      this.running = null;
      this.ended = "stopped by you";
      this.draw();
    } else this.start();
  }

  async start() {
    this.#reset();
    const running = this.running = new AbortController();
    this.draw();
    busy(+1);
    try {
      for await (const frame of frames(this.body(), running.signal)) {
        if (this.running !== running) return;
        if (frame.error) throw new Error(frame.error);
        if ("bound" in frame) this.answer = frame;
        else if ("done" in frame) Object.assign(this, { done: frame, ended: frame.why });
        else this.shown.push(frame);
        this.#pictures();
      }
    } catch (error) {
      if (this.running === running) this.say("race", error.message);
    } finally {
      busy(-1);
    }
    if (this.running === running) this.running = null;
    this.draw();
  }

  draw() {
    const field = this.form.elements;
    const { own } = this;
    options(field.rate, RATES.map((rate) => [rate ?? "", rate === null ? `its own, ${OWN_RATE[own.optimizer]}` : String(rate)]));
    for (const name of ["width", "optimizer", "epochs", "seed"]) {
      if (name !== "seed" || document.activeElement !== field.seed) field[name].value = own[name]; // not while one types
    }
    field.rate.value = own.rate ?? "";
    field["width-text"].value = own.width;
    field.go.textContent = this.running ? "Stop" : "Start the race";
    const lam = this.line.lam === null ? "" : `, λ = ${short(this.line.lam)}`;
    this.form.querySelector("[data-problem]").textContent = `N = ${this.line.points.length}${lam}, ${LOSSES[this.line.loss].title}`;
    if (this.line.points.length) this.#pictures();
  }

  /** The optimum: that of the race, or before it begins that of the same data in one dimension. */
  get optimum() { return this.answer ?? this.solved(); }

  /** What no objective can be below, as that optimum proves. */
  get bound() { return this.answer ? this.answer.bound : this.solved()?.value; }

  #pictures() {
    const frame = this.shown.at(-1);
    this.#morph(frame);
    this.#curves();
    this.#balance(frame);
    this.#facts(frame);
  }

  #morph(frame) {
    const { points } = this.line;
    const most = Math.min(Math.max(2.2, ...(this.optimum?.outline ?? []).slice(1, -1).map(([, z]) => 1.05 * Math.abs(z))), 8);
    const y = LOSSES[this.line.loss].classes ? [-most, most] : span(points.map(([, value]) => value), 0.12);
    const view = { x: span(points.map(([x]) => x), 0.05), y };
    this.morph.draw(view, (plot) => {
      points.forEach(([x, y]) => plot.dot(x, y, 0.24, "datum"));
      if (frame) plot.line((this.done ?? frame).outline, "fit"); // at the end the best on the way
      if (this.optimum) plot.line(this.optimum.outline, "optimum");
    });
  }

  #curves() {
    const [first, last] = [this.shown[0], this.shown.at(-1)];
    const epochs = [1, Math.max(last?.epoch + 1 || 10, 10)];
    const { bound } = this;
    const { k } = this.optimum ?? {};
    const values = [...this.shown.map(({ objective }) => objective), bound].filter((value) => value > 0);
    const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [1, 10];
    const stretch = Math.max(high / low, 1.5) ** 0.12;
    this.objective.draw({ x: epochs, y: [low / stretch, low * Math.max(high / low, 1.5) * stretch] }, (plot) => {
      if (bound > 0) {
        const { left, right } = plot.box;
        const [top, bottom] = [plot.py(bound), plot.box.bottom + 4];
        plot.mark("rect", { class: "forbidden", x: left, y: top, width: right - left, height: Math.max(bottom - top, 0) });
        plot.horizontal(bound, "optimum");
        plot.mark("text", { class: "note", x: left + 8, y: top + 1.1 * plot.rem }, `proven: nothing below ${short(bound, 6)}`);
      }
      plot.line(this.shown.map(({ epoch, objective }) => [epoch + 1, objective]), "fit");
      if (last) plot.dot(last.epoch + 1, last.objective, 0.3, "head up");
    });
    const most = 1.08 * (first ? Math.max(first.active, k ?? 0) : this.own.width);
    this.active.draw({ x: epochs, y: [0, most] }, (plot) => {
      if (k !== undefined) {
        plot.horizontal(k, "optimum");
        plot.note(plot.window.x[0] * 1.1, k + (k > 0.8 * most ? -0.1 : 0.05) * most, `the optimum has K = ${k}`);
      }
      plot.line(this.shown.map(({ epoch, active }) => [epoch + 1, active]), "fit");
    });
  }

  #balance(frame) {
    const alive = (frame?.norms ?? []).filter(([w, v]) => w > 0 && v > 0);
    const view = [1e-3, 1e1];
    const largest = Math.max(...alive.map(([w, v]) => w * v), 0);
    this.balance.draw({ x: view, y: view }, (plot) => {
      plot.line([[view[0], view[0]], [view[1], view[1]]], "bound");
      for (const [w, v] of alive) {
        const at = (value) => Math.min(Math.max(value, view[0] * 1.05), view[1] / 1.05);
        plot.dot(at(w), at(v), 0.18 + 0.3 * Math.sqrt((w * v) / largest), "neuron");
      }
    });
  }

  #facts(frame) {
    const { bound } = this;
    const { k } = this.optimum ?? {};
    const objective = this.done?.objective ?? frame?.objective;
    const above = objective === undefined ? null : (objective - bound) / Math.abs(bound || 1);
    facts(this.section.querySelector("[data-facts]"), [
      ["epoch", frame ? String(frame.epoch) : this.running ? "PyTorch is loading" : "not started"],
      ...(this.ended ? [["ended", this.ended, "why the training came to its end"]] : []),
      ["objective", objective === undefined ? "–" : short(objective, 6), "of the network, as it is; at the end, of the best on the way"],
      ["certified optimum", bound === undefined ? "–" : short(bound, 6), "no function has a smaller objective", "good"],
      ["above it", above === null ? "–" : `${short(100 * above, 3)} %`, "(objective − bound) / bound", above < 1e-3 ? "good" : "bad"],
      ["active neurons", frame ? `${this.done?.active ?? frame.active} of ${this.own.width}` : "–", k === undefined ? "" : `the optimum has ${k}`],
      ["imbalance", frame ? short(frame.imbalance, 2) : "–", "mean of ||w| − |v|| / max(|w|, |v|), weighted by |v||w|"],
    ]);
  }

  title() {
    const objective = this.done?.objective ?? this.shown.at(-1)?.objective;
    return `network of width ${this.own.width}: objective ${short(objective, 6)}; certified optimum ${short(this.answer.bound, 6)}`;
  }

  table() {
    return [["epoch", "objective", "bound", "active", "imbalance"],
      ...this.shown.map(({ epoch, objective, active, imbalance }) => [epoch, objective, this.answer.bound, active, imbalance])];
  }
}
