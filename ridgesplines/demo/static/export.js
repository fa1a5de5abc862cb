// What is shown, as files: picture, numbers, and the program that reproduces it.

import { snippet } from "./api.js";
import { element } from "./plot.js";

const KEPT = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "stroke-linecap",
  "stroke-opacity", "opacity", "paint-order", "font-family", "font-size", "font-weight", "font-style"];

function save(name, content, type) {
  const link = document.createElement("a");
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A copy of a picture that needs no style sheet. */
function standalone(svg) {
  const copy = svg.cloneNode(true);
  const from = [svg, ...svg.querySelectorAll("*")];
  const to = [copy, ...copy.querySelectorAll("*")];
  from.forEach((node, i) => {
    const style = getComputedStyle(node);
    for (const name of KEPT) to[i].setAttribute(name, style.getPropertyValue(name));
    to[i].removeAttribute("class");
  });
  copy.setAttribute("opacity", 1); // pale is what the page shows while it waits for an answer
  return copy;
}

/** All pictures of a panel that are shown, where they stand, under a line that says what was proven. */
export function picture(section, title) {
  const shown = [...section.querySelectorAll("figure:not(:has(.plot svg.absent))")];
  const parts = (selector) => shown.flatMap((figure) => [...figure.querySelectorAll(selector)]);
  const pictures = parts(".plot svg").map((svg) => [svg, svg.getBoundingClientRect()]);
  const captions = parts("figcaption b").map((text) => [text.textContent, text.getBoundingClientRect()]);
  const edge = (side, outer) => outer(...[...pictures, ...captions].map(([, own]) => own[side]));
  const [left, top] = [edge("left", Math.min), edge("top", Math.min)];
  const style = getComputedStyle(document.body);
  const head = 2.2 * parseFloat(getComputedStyle(document.documentElement).fontSize);
  const [width, height] = [edge("right", Math.max) - left, edge("bottom", Math.max) - top + head];
  const whole = element("svg", { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}` });
  whole.append(element("title", {}, title));
  whole.append(element("rect", { width, height, fill: style.backgroundColor }));
  whole.append(element("text", { x: head / 4, y: 0.65 * head, fill: style.color, "font-family": style.fontFamily, "font-size": 0.4 * head }, title));
  for (const [text, own] of captions) {
    const place = { x: own.left - left, y: own.top - top + head + 0.8 * own.height };
    whole.append(element("text", { ...place, fill: style.color, "font-family": style.fontFamily, "font-size": 0.38 * head, "font-weight": 650 }, text));
  }
  for (const [svg, own] of pictures) {
    const copy = standalone(svg);
    const place = { x: own.left - left, y: own.top - top + head, width: own.width, height: own.height };
    for (const [name, value] of Object.entries(place)) copy.setAttribute(name, value);
    whole.append(copy);
  }
  return new XMLSerializer().serializeToString(whole);
}

function bitmap(svg) {
  return new Promise((done, failed) => {
    const image = new Image();
    const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    image.onload = () => {
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width: 2 * image.width, height: 2 * image.height });
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      URL.revokeObjectURL(url);
      canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("the browser could not draw the picture"))));
    };
    image.onerror = () => failed(new Error("the browser could not draw the picture"));
    image.src = url;
  });
}

const csv = (rows) => rows.map((row) => `${row.join(",")}\n`).join("");

export async function exportAs(kind, name, panel) {
  const file = `ridgesplines-${name}.${kind}`;
  if (kind === "py") return save(file, await snippet(name, panel.body()), "text/x-python");
  if (!panel.answer) throw new Error("there is nothing to export yet");
  if (kind === "csv") return save(file, csv(panel.table()), "text/csv");
  const svg = picture(panel.section, panel.title());
  return save(file, kind === "svg" ? svg : await bitmap(svg), "image/svg+xml");
}
