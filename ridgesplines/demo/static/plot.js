// A picture with two axes, as SVG: scales, ticks, and the marks that the panels draw.

const SVG = "http://www.w3.org/2000/svg";

export function element(name, attributes = {}, text = null) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== null) node.textContent = text;
  return node;
}

/** A number as a reader wants it. */
export function short(value, digits = 4) {
  if (!Number.isFinite(value)) return "∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const rounded = Number(value.toPrecision(digits));
  const text = size >= 1e5 || size < 1e-3 ? rounded.toExponential() : String(rounded);
  return text.replace("-", "−").replace(/e([+−-]?)(\d+)$/, (_, sign, power) => `e${sign === "+" ? "" : "−"}${power}`);
}

/** Round numbers between two ends, about so many. */
export function ticks([low, high], count) {
  const raw = (high - low) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((unit) => unit * power).find((unit) => unit >= raw * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(i * step);
  return found.map((value) => Number(value.toPrecision(12)));
}

/** Powers of ten between two ends; where they are near, their doubles and fivefolds as well. */
export function logTicks([low, high], count) {
  const decades = Math.log10(high / low);
  const stride = Math.max(1, Math.ceil(decades / Math.max(count, 2)));
  const found = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high) + 1e-9; e++) {
    for (const unit of decades < 2 ? [1, 2, 5] : [1]) {
      const value = unit * 10 ** e;
      if (e % stride === 0 && value >= low * 0.999 && value <= high * 1.001) found.push(value);
    }
  }
  return found.length > 1 ? found : ticks([low, high], count).filter((value) => value > 0);
}

/** A little more than the range of the values. */
export function span(values, share = 0.06) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
  if (!(high >= low)) return [0, 1];
  const margin = (high - low) * share || Math.abs(high) * 0.1 || 1;
  return [low - margin, high + margin];
}

export class Plot {
  /** options: x and y are {label, log, ticks: [[value, text], …]}; square keeps both units of one length. */
  constructor(holder, { name, x = {}, y = {}, square = false }) {
    Object.assign(this, { holder, x, y, square, view: { x: [0, 1], y: [0, 1] }, paint: () => {} });
    this.svg = element("svg", { role: "img", "aria-label": name });
    this.clip = `clip-${name.replace(/\W+/g, "-")}`;
    holder.append(this.svg);
    new ResizeObserver(() => this.repaint()).observe(holder);
  }

  /** Draw anew: `paint(plot)` puts marks between the axes. */
  draw(view, paint) {
    this.view = view;
    this.paint = paint;
    this.repaint();
  }

  repaint() {
    const { clientWidth: width, clientHeight: height } = this.holder;
    if (!width || !height) return;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    this.rem = rem;
    this.box = { left: 4.1 * rem, right: width - 1.3 * rem, top: 0.6 * rem, bottom: height - (this.x.label ? 2.7 : 1.5) * rem };
    this.size = { width, height };
    this.window = this.square ? this.#square() : this.view;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.replaceChildren();
    this.#axes();
    const clip = element("clipPath", { id: this.clip });
    const { left, right, top, bottom } = this.box;
    const room = this.square ? 0 : 4;
    clip.append(element("rect", { x: left, y: top - room, width: Math.max(right - left, 1), height: Math.max(bottom - top + 2 * room, 1) }));
    this.marks = element("g", { "clip-path": `url(#${this.clip})` });
    this.svg.append(clip, this.marks);
    this.paint(this);
  }

  #square() {
    const [x, y] = [this.view.x, this.view.y];
    const unit = Math.max((x[1] - x[0]) / (this.box.right - this.box.left), (y[1] - y[0]) / (this.box.bottom - this.box.top));
    const widened = ([low, high], pixels) => [(low + high - unit * pixels) / 2, (low + high + unit * pixels) / 2];
    return { x: widened(x, this.box.right - this.box.left), y: widened(y, this.box.bottom - this.box.top) };
  }

  #place(axis, [low, high], value) {
    return axis.log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  }

  px(value) { return this.box.left + (this.box.right - this.box.left) * this.#place(this.x, this.window.x, value); }
  py(value) { return this.box.bottom + (this.box.top - this.box.bottom) * this.#place(this.y, this.window.y, value); }

  /** Where a pointer is, in the units of the axes. */
  at(event) {
    const bounds = this.svg.getBoundingClientRect();
    const [px, py] = [event.clientX - bounds.left, event.clientY - bounds.top];
    const { left, right, top, bottom } = this.box;
    const along = ([low, high], share) => low + (high - low) * share;
    return {
      px, py, inside: px >= left && px <= right && py >= top - 6 && py <= bottom + 6,
      x: along(this.window.x, (px - left) / (right - left)), y: along(this.window.y, (bottom - py) / (bottom - top)),
    };
  }

  #axes() {
    const { left, right, top, bottom } = this.box;
    const { rem } = this;
    const values = (axis, window, pixels) => axis.ticks ?? (axis.log ? logTicks : ticks)(window, pixels).map((v) => [v, short(v)]);
    for (const [value, text] of values(this.x, this.window.x, (right - left) / (6 * rem))) {
      const at = this.px(value);
      if (at < left - 1 || at > right + 1) continue;
      this.svg.append(element("line", { class: "grid", x1: at, x2: at, y1: top, y2: bottom }));
      this.svg.append(element("text", { class: "tick", x: at, y: bottom + 1.1 * rem, "text-anchor": "middle" }, text));
    }
    for (const [value, text] of values(this.y, this.window.y, (bottom - top) / (2.6 * rem))) {
      const at = this.py(value);
      if (at < top - 1 || at > bottom + 1) continue;
      this.svg.append(element("line", { class: "grid", x1: left, x2: right, y1: at, y2: at }));
      this.svg.append(element("text", { class: "tick", x: left - 0.4 * rem, y: at + 0.3 * rem, "text-anchor": "end" }, text));
    }
    this.svg.append(element("rect", { class: "frame", x: left, y: top, width: Math.max(right - left, 1), height: Math.max(bottom - top, 1) }));
    if (this.x.label) {
      this.svg.append(element("text", { class: "axis", x: (left + right) / 2, y: bottom + 2.3 * rem, "text-anchor": "middle" }, this.x.label));
    }
    if (this.y.label) {
      const [x, y] = [0.9 * rem, (top + bottom) / 2];
      this.svg.append(element("text", { class: "axis", x, y, "text-anchor": "middle", transform: `rotate(-90 ${x} ${y})` }, this.y.label));
    }
  }

  mark(name, attributes, text = null) {
    const node = element(name, attributes, text);
    this.marks.append(node);
    return node;
  }

  line(points, kind) {
    const path = points.map(([x, y]) => `${this.px(x).toFixed(2)},${this.py(y).toFixed(2)}`).join(" ");
    return this.mark("polyline", { class: kind, points: path });
  }

  horizontal(y, kind) {
    return this.mark("line", { class: kind, x1: this.box.left, x2: this.box.right, y1: this.py(y), y2: this.py(y) });
  }

  vertical(x, kind) {
    return this.mark("line", { class: kind, x1: this.px(x), x2: this.px(x), y1: this.box.top, y2: this.box.bottom });
  }

  dot(x, y, radius, kind) {
    return this.mark("circle", { class: kind, cx: this.px(x), cy: this.py(y), r: radius * this.rem });
  }

  /** A triangle that points up or down. */
  triangle(x, y, radius, up, kind) {
    const [px, py, r] = [this.px(x), this.py(y), radius * this.rem * (up ? 1 : -1)];
    return this.mark("polygon", { class: kind, points: `${px},${py - r} ${px + 0.9 * r},${py + 0.7 * r} ${px - 0.9 * r},${py + 0.7 * r}` });
  }

  note(x, y, text, kind = "note", anchor = "start") {
    return this.mark("text", { class: kind, x: this.px(x), y: this.py(y), "text-anchor": anchor }, text);
  }

  /** A picture, from `raster`, over all of the window. */
  image(href) {
    const { left, right, top, bottom } = this.box;
    this.mark("image", { href, x: left, y: top, width: right - left, height: bottom - top, preserveAspectRatio: "none" });
  }
}

/** The picture of `colour(column, row) → [r, g, b]`, rows from below, as an address that an image can show. */
export function raster(columns, rows, colour) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: columns, height: rows });
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let j = 0, at = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++, at += 4) {
      const [red, green, blue] = colour(i, rows - 1 - j);
      image.data[at] = red;
      image.data[at + 1] = green;
      image.data[at + 2] = blue;
      image.data[at + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
