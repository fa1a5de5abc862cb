// The controls that the panels of one and of two dimensions share: data, lambda, loss, and the point that is selected.

import { get } from "./api.js";
import { short } from "./plot.js";
import { LOSSES } from "./state.js";

export function options(select, pairs) {
  select.replaceChildren(...pairs.map(([value, text]) => Object.assign(document.createElement("option"), { value, textContent: text })));
}

export function facts(list, rows) {
  list.replaceChildren(...rows.map(([name, value, title = "", kind = ""]) => {
    const row = Object.assign(document.createElement("div"), { title, className: kind });
    row.append(Object.assign(document.createElement("dt"), { textContent: name }));
    row.append(Object.assign(document.createElement("dd"), { textContent: value }));
    return row;
  }));
}

const MAXIMUM = "λ<sub>max</sub>"; // the rest of what is set beside it are numbers

/** The certificate in words that say no more than was proven. */
export function proof(found) {
  return [["objective", short(found.objective, 6), `${found.objective} = ${found.data_fit} + λ · ${found.seminorm}`],
    ["relative gap", `${found.gap_words}`, found.scope_words, (found.relative_gap ?? 1) < 1e-5 ? "good" : "bad"],
    ["certificate", found.scope, `sup|η|/λ = ${found.sup}: ${found.scope_words}`]];
}

export class Controls {
  /** `part` is the state's; `most` points are allowed; `maximum()` is lambda_max of the last answer. */
  constructor(form, store, part, most, maximum) {
    Object.assign(this, { form, store, part, most, maximum, datasets: new Map(), sliding: false });
    const field = form.elements;
    options(field.loss, Object.entries(LOSSES).map(([value, { title }]) => [value, title]));
    field.data.addEventListener("change", () => this.load(field.data.value));
    field.loss.addEventListener("change", () => this.#loss(field.loss.value));
    field.parameter.addEventListener("change", () => this.#parameter(Number(field.parameter.value)));
    for (const kind of ["input", "change"]) {
      field.lam.addEventListener(kind, () => {
        this.sliding = kind === "input"; // while it moves the slider is not set to what was computed
        this.lam(field.lam.value, kind === "change");
      });
    }
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  get own() { return this.store.state[this.part]; }

  offer(datasets) {
    options(this.form.elements.data, datasets.map(({ name, title }) => [name, title]));
  }

  /** A data set by its name, with what else suits it; `changes` come with it. */
  async load(name, changes = {}, commit = true) {
    const found = await this.describe(name);
    const suits = Boolean(LOSSES[this.own.loss].classes) === found.classes;
    const loss = suits ? this.own.loss : found.classes ? "logistic" : "squared";
    this.store.change(this.part, { data: name, lam: null, ...this.#kind(loss, found.points), ...changes }, commit);
  }

  async describe(name) {
    if (!this.datasets.has(name)) this.datasets.set(name, await get(`/api/data/${encodeURIComponent(name)}`));
    return this.datasets.get(name);
  }

  #kind(loss, points) {
    return { loss, points, parameter: LOSSES[loss].initial?.(points) ?? null };
  }

  #loss(loss) {
    let { points } = this.own;
    const labels = points.every((row) => Math.abs(row.at(-1)) === 1);
    if (LOSSES[loss].classes && !labels) {
      const middle = points.reduce((sum, row) => sum + row.at(-1), 0) / points.length;
      points = points.map((row) => [...row.slice(0, -1), row.at(-1) > middle ? 1 : -1]);
    }
    this.store.change(this.part, { ...this.#kind(loss, points), lam: null });
  }

  #parameter(value) {
    const { low, high = Infinity } = LOSSES[this.own.loss];
    if (value > low && value < high) this.store.change(this.part, { parameter: value });
    else this.form.elements.parameter.value = this.own.parameter;
  }

  /** lambda at a place of its slider, a decimal exponent under lambda_max. */
  lam(exponent, commit) {
    const maximum = this.maximum();
    if (maximum) this.store.change(this.part, { lam: Number((maximum * 10 ** exponent).toPrecision(4)) }, commit);
    else if (commit) this.store.change(this.part, {}, commit);
  }

  step(exponent) {
    const { lam } = this.form.elements;
    if (lam.disabled) return;
    lam.value = Number(lam.value) + exponent;
    this.lam(lam.value, true);
  }

  /** Show the state, and what an answer said of lambda. */
  show(answer, selected) {
    const { elements: field } = this.form;
    const { own } = this;
    field.data.value = own.data;
    field.loss.value = own.loss;
    const { parameter } = LOSSES[own.loss];
    const row = this.form.querySelector("[data-parameter]");
    row.hidden = !parameter;
    row.firstElementChild.textContent = parameter ?? "";
    if (document.activeElement !== field.parameter) field.parameter.value = own.parameter ?? "";
    field.selected.value = selected === null ? "none selected" : own.points[selected].map((value) => short(value)).join(", ");
    field.add.disabled = own.points.length >= this.most;
    field.remove.disabled = selected === null || own.points.length < 2;
    this.describe(own.data).then(({ note }) => { this.form.querySelector("[data-source]").textContent = note; }, () => {});
    if (!answer) return;
    const share = answer.lam_max ? answer.lam / answer.lam_max : null;
    field.lam.disabled = !share;
    if (share && !this.sliding) field.lam.value = Math.log10(share);
    field["lam-text"].innerHTML = short(answer.lam) + (share ? ` = ${short(share, 2)} ${MAXIMUM}` : "");
    this.form.querySelector("[data-maximum]").innerHTML = answer.lam_max ? `${MAXIMUM} = ${short(answer.lam_max, 3)}` : "";
  }
}
