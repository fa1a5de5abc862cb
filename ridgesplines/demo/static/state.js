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

/** Coordinates, lam and parameters stay within this; the server has the same bounds. */
const LARGEST = 1e12;
const number = (low, high) => (value) => Number.isFinite(value) && value >= low && value <= high;
const whole = (low, high) => (value) => Number.isInteger(value) && value >= low && value <= high;
const orNull = (fits) => (value) => value === null || fits(value);
const oneOf = (known) => (value) => typeof value === "string" && Object.hasOwn(known, value);
const points = (most, size) => (value) => Array.isArray(value) && value.length >= 1 && value.length <= most
  && value.every((row) => Array.isArray(row) && row.length === size && row.every(number(-LARGEST, LARGEST)));

const problem = (most, size) => ({
  data: (value) => typeof value === "string" && /^[a-z]{1,20}$/.test(value),
  points: points(most, size),
  lam: orNull(number(1 / LARGEST, LARGEST)),
  loss: oneOf(LOSSES),
  parameter: orNull(number(1e-9, LARGEST)),
});

/** What a link may hold: the fields of each part, and whether a value fits. */
const FIELDS = {
  line: { ...problem(500, 2), sparsest: (value) => typeof value === "boolean" },
  race: { width: whole(1, 500), optimizer: oneOf(OPTIMIZERS), rate: orNull(number(1e-6, 10)), epochs: whole(1, 20_000), seed: whole(0, 999) },
  plane: { ...problem(200, 3), directions: whole(1, 64) },
};

/** The state in an address; an error in words where it is none. What a link leaves out is as at the start. */
export function decoded(text) {
  const found = ownFields("the link", parsed(text), { panel: null, ...FIELDS });
  const state = { ...START };
  for (const part of PANELS) if (Object.hasOwn(found, part)) state[part] = merged(part, found[part]);
  if (Object.hasOwn(found, "panel")) {
    if (!PANELS.includes(found.panel)) throw new Error(`panel is none of ${PANELS.join(", ")}`);
    state.panel = found.panel;
  }
  if (!state.line.points.length || !state.plane.points.length) throw new Error("it holds no points");
  return state;
}

function parsed(text) {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new Error("it was not copied whole");
  }
}

/** An object of known fields; any other, such as __proto__, is refused and never looked up. */
function ownFields(name, value, known) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${name} is no object`);
  const unknown = Object.keys(value).find((field) => !Object.hasOwn(known, field));
  if (unknown !== undefined) throw new Error(`${name} has an unknown field ${JSON.stringify(unknown.slice(0, 40))}`);
  return value;
}

function merged(part, value) {
  const state = { ...START[part] };
  for (const [field, own] of Object.entries(ownFields(part, value, FIELDS[part]))) {
    if (!FIELDS[part][field](own)) throw new Error(`${part}.${field} is not what belongs there, or out of range`);
    state[field] = own;
  }
  return state;
}
