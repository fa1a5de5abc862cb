// What the page shows, as one immutable value: changed in steps that can be undone, and written into the address.

const range = (values) => Math.max(...values) - Math.min(...values);

/** The losses; `initial` is what their parameter is at first, for these points. */
export const LOSSES = {
  squared: { title: "squared error (y − z)²" },
  huber: { title: "Huber", parameter: "δ", low: 0, initial: (points) => Number((0.1 * range(points.map((row) => row.at(-1)))).toPrecision(2)) || 1 },
  absolute: { title: "absolute |y − z|" },
  quantile: { title: "quantile", parameter: "q", low: 0, high: 1, initial: () => 0.8 },
  interpolation: { title: "interpolation, z = y" },
  logistic: { title: "logistic (classes)", classes: true },
  hinge: { title: "hinge (classes)", classes: true },
};
export const OPTIMIZERS = { adam: "Adam", sgd: "SGD, momentum 0.9", lbfgs: "L-BFGS" };
export const PANELS = ["line", "race", "plane"];

export const START = {
  panel: "line",
  line: { data: "hat", points: [], lam: null, loss: "squared", parameter: null, sparsest: true },
  race: { width: 100, optimizer: "adam", rate: null, epochs: 5000, seed: 0 },
  plane: { data: "ridges", points: [], lam: null, loss: "squared", parameter: null, directions: 8 },
};

export class Store {
  constructor(state) {
    Object.assign(this, { state, committed: state, past: [], future: [], listeners: [] });
  }

  listen(listener) { this.listeners.push(listener); }

  /** Merge changes into one part. While a point is dragged `commit` is false; "view" is what cannot be undone. */
  change(part, changes, commit = true) {
    const before = this.state;
    this.state = part === null ? { ...before, ...changes } : { ...before, [part]: { ...before[part], ...changes } };
    if (commit === "view") this.committed = this.state;
    else if (commit && this.state !== this.committed) {
      this.past = [...this.past.slice(-199), this.committed];
      this.future = [];
      this.committed = this.state;
    }
    this.#tell(before);
  }

  undo() { this.#travel(this.past, this.future); }
  redo() { this.#travel(this.future, this.past); }

  #travel(from, to) {
    if (!from.length) return;
    const before = this.state;
    to.push(this.committed);
    this.state = this.committed = { ...from.pop(), panel: before.panel };
    this.#tell(before);
  }

  #tell(before) { for (const listener of this.listeners) listener(this.state, before); }
}

/** The state as a part of the address. */
export function encoded(state) {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The state in an address, or null where there is none; what does not belong there is left out. */
export function decoded(text) {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const found = JSON.parse(new TextDecoder().decode(bytes));
    const state = { ...START, panel: PANELS.includes(found.panel) ? found.panel : START.panel };
    for (const part of PANELS) state[part] = merged(START[part], found[part] ?? {}, part === "plane" ? 3 : 2);
    return state.line.points.length && state.plane.points.length ? state : null;
  } catch {
    return null;
  }
}

const OWN = {
  points: (value, size) => Array.isArray(value) && value.every((row) => Array.isArray(row) && row.length === size && row.every(Number.isFinite)),
  loss: (value) => Object.hasOwn(LOSSES, value),
  optimizer: (value) => Object.hasOwn(OPTIMIZERS, value),
  lam: (value) => value === null || Number.isFinite(value),
  parameter: (value) => value === null || Number.isFinite(value),
  rate: (value) => value === null || Number.isFinite(value),
};

function merged(start, found, size) {
  const state = { ...start };
  for (const [name, value] of Object.entries(start)) {
    const fits = OWN[name] ?? ((other) => typeof other === typeof value);
    if (Object.hasOwn(found, name) && fits(found[name], size)) state[name] = found[name];
  }
  return state;
}
