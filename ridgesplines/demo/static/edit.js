// Points that can be dragged, added and deleted, with a pointer, a finger or the keyboard.

const REACH = { mouse: 14, pen: 18, touch: 26 };
const TWICE = 400;

/** A coordinate with no more digits than a screen can show. */
function rounded(value, [low, high]) {
  const unit = 10 ** Math.floor(Math.log10((high - low) / 1000));
  return Number((Math.round(value / unit) * unit).toPrecision(12));
}

export class Editor {
  /** hooks: points(), place(row) → [x, y] in the plot, moved(row, x, y) → row, made(x, y, row selected before) → row,
      change(points, commit), draw(), most. */
  constructor(plot, hooks) {
    Object.assign(this, { plot, hooks, selected: null, dragged: null, last: { time: 0, at: null } });
    const target = plot.holder;
    target.addEventListener("pointerdown", (event) => this.#down(event));
    target.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) target.addEventListener(end, () => this.#up());
    target.addEventListener("keydown", (event) => this.#key(event));
  }

  /** The nearest point within reach of a place on the screen, or null. */
  #near(px, py, reach) {
    let found = null, least = reach;
    this.hooks.points().forEach((row, i) => {
      const [x, y] = this.hooks.place(row);
      const distance = Math.hypot(this.plot.px(x) - px, this.plot.py(y) - py);
      if (distance < least) [found, least] = [i, distance];
    });
    return found;
  }

  #down(event) {
    const place = this.plot.at(event);
    if (event.button !== 0 || !place.inside) return;
    event.preventDefault();
    this.plot.holder.focus({ preventScroll: true });
    this.plot.holder.setPointerCapture(event.pointerId);
    const near = this.#near(place.px, place.py, REACH[event.pointerType] ?? REACH.mouse);
    const again = near !== null && near === this.last.at && event.timeStamp - this.last.time < TWICE;
    this.last = { time: event.timeStamp, at: near };
    if (again) this.remove(near);
    else {
      if (near === null) this.add(place.x, place.y);
      this.#take(near ?? this.selected); // a new point can be dragged on
    }
    this.hooks.draw();
  }

  #take(index) {
    this.dragged = this.selected = index;
    this.changed = false;
  }

  #move(event) {
    if (this.dragged === null) {
      const place = this.plot.at(event);
      this.plot.holder.classList.toggle("over", this.#near(place.px, place.py, REACH.mouse) !== null);
      return;
    }
    const { x, y } = this.plot.at(event);
    this.changed = true;
    this.#moved(this.dragged, x, y, false);
  }

  #up() {
    if (this.dragged !== null && this.changed) this.hooks.change(this.hooks.points(), true);
    this.dragged = null;
  }

  #moved(index, x, y, commit) {
    const { window } = this.plot;
    const within = (value, [low, high]) => Math.min(Math.max(value, low), high);
    const [newX, newY] = [rounded(within(x, window.x), window.x), rounded(within(y, window.y), window.y)];
    this.hooks.change(this.hooks.points().map((row, i) => (i === index ? this.hooks.moved(row, newX, newY) : row)), commit);
  }

  add(x, y) {
    const points = this.hooks.points();
    if (points.length >= this.hooks.most) return;
    const { window } = this.plot;
    const row = this.hooks.made(rounded(x, window.x), rounded(y, window.y), points[this.selected]);
    this.selected = points.length;
    this.hooks.change([...points, row], true);
  }

  /** Beside the selected point, or in the middle. */
  addBeside() {
    const { window } = this.plot;
    const middle = ([low, high]) => (low + high) / 2;
    const row = this.hooks.points()[this.selected];
    const [x, y] = row ? this.hooks.place(row) : [middle(window.x), middle(window.y)];
    this.add(x + 0.03 * (window.x[1] - window.x[0]), y);
  }

  remove(index = this.selected) {
    const points = this.hooks.points();
    if (index === null || points.length < 2) return;
    this.selected = this.dragged = null;
    this.hooks.change(points.filter((row, i) => i !== index), true);
  }

  /** The points in the order of x, for the keyboard. */
  #step(forward) {
    const order = this.hooks.points().map((row, i) => [this.hooks.place(row), i]).sort(([a], [b]) => a[0] - b[0] || a[1] - b[1]);
    const at = order.findIndex(([, i]) => i === this.selected);
    const next = at < 0 ? (forward ? 0 : order.length - 1) : (at + (forward ? 1 : order.length - 1)) % order.length;
    this.selected = order[next][1];
    this.hooks.draw();
  }

  #key(event) {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const row = this.hooks.points()[this.selected];
    if (event.key in arrows && event.shiftKey && row) {
      const { window } = this.plot;
      const [x, y] = this.hooks.place(row);
      const step = (event.altKey ? 0.05 : 0.005);
      const [right, up] = arrows[event.key];
      this.#moved(this.selected, x + right * step * (window.x[1] - window.x[0]), y + up * step * (window.y[1] - window.y[0]), true);
    } else if (event.key in arrows && !event.shiftKey) this.#step(event.key === "ArrowRight" || event.key === "ArrowUp");
    else if (event.key === "Enter") this.addBeside();
    else if (event.key === "Delete" || event.key === "Backspace") this.remove();
    else if (event.key === "Escape") { this.selected = null; this.hooks.draw(); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** A selection that the points no longer have is none. */
  check() {
    if (this.selected !== null && this.selected >= this.hooks.points().length) this.selected = null;
  }
}
