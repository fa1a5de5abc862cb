// The page: its panels, what they share, and the keys.

import { get } from "./api.js";
import { exportAs } from "./export.js";
import { LinePanel } from "./line.js";
import { PlanePanel } from "./plane.js";
import { RacePanel } from "./race.js";
import { PANELS, START, Store, decoded, encoded } from "./state.js";
import { Tour } from "./tour.js";

const find = (id) => document.getElementById(id);
const messages = {};
let notice = ""; // of a link that is not read, until something else is to be said, or done
const store = new Store(linked() ?? START);
let panels = {};

/** The state in the address, or null where there is none that can be read; then it is said why. */
function linked() {
  const text = location.hash.slice(1);
  try {
    return text ? decoded(text) : null;
  } catch (error) {
    notice = `The link is not read: ${error.message}.`;
    return null;
  }
}

/** What went wrong in a panel, in words; empty where nothing did. */
function say(panel, text) {
  messages[panel] = text;
  find("message").textContent = messages[store.state.panel] || notice;
  find("message").classList.remove("news");
  document.body.classList.toggle("stale", Boolean(messages[store.state.panel]));
}

function show(panel) {
  for (const name of PANELS) {
    find(name).hidden = name !== panel;
    find(`tab-${name}`).setAttribute("aria-selected", String(name === panel));
    find(`tab-${name}`).tabIndex = name === panel ? 0 : -1;
  }
  say(panel, messages[panel] ?? "");
  panels[panel].draw();
}

const go = (panel) => store.change(null, { panel }, "view");

function paintTheme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  find("theme").textContent = dark ? "Light" : "Dark";
  panels[store.state.panel]?.draw();
}

async function share() {
  const link = `${location.origin}/#${encoded(store.state)}`;
  try {
    await navigator.clipboard.writeText(link);
    flash("The link to what you see is on the clipboard; it is in the address bar too.");
  } catch {
    flash("The address bar holds a link to what you see.");
  }
}

function flash(text) {
  find("message").textContent = text;
  find("message").classList.add("news");
  setTimeout(() => say(store.state.panel, messages[store.state.panel] ?? ""), 4000);
}

function openKeys() { find("keys-dialog").showModal(); }

const current = () => panels[store.state.panel];

const KEYS = {
  1: () => go("line"), 2: () => go("race"), 3: () => go("plane"),
  u: () => store.undo(), r: () => store.redo(), t: () => tour.start(), "?": openKeys,
  d: () => paintTheme(document.documentElement.dataset.theme !== "dark"),
  s: () => { go("race"); panels.race.toggle(); },
  ",": () => current().controls?.step(-0.1), ".": () => current().controls?.step(0.1),
};

function key(event) {
  if (find("keys-dialog").open) return;
  const control = event.ctrlKey || event.metaKey;
  if (control && event.key.toLowerCase() === "z") {
    event.shiftKey ? store.redo() : store.undo();
    event.preventDefault();
    return;
  }
  const typing = event.target.matches?.("input[type=number], select, textarea");
  if (control || event.altKey || typing || !Object.hasOwn(KEYS, event.key)) return;
  KEYS[event.key]();
  event.preventDefault();
}

function wire() {
  for (const name of PANELS) find(`tab-${name}`).addEventListener("click", () => go(name));
  document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
    const step = { ArrowLeft: PANELS.length - 1, ArrowRight: 1 }[event.key];
    if (!step) return;
    go(PANELS[(PANELS.indexOf(store.state.panel) + step) % PANELS.length]);
    find(`tab-${store.state.panel}`).focus();
  });
  document.querySelector("[data-go]").addEventListener("click", (event) => { event.preventDefault(); go("line"); });
  find("undo").addEventListener("click", () => store.undo());
  find("redo").addEventListener("click", () => store.redo());
  find("share").addEventListener("click", share);
  find("theme").addEventListener("click", KEYS.d);
  find("keys").addEventListener("click", openKeys);
  find("tour").addEventListener("click", () => tour.start());
  for (const button of document.querySelectorAll("[data-export]")) {
    button.addEventListener("click", () => {
      find("export").open = false;
      exportAs(button.dataset.export, store.state.panel, current()).catch((error) => flash(error.message));
    });
  }
  document.addEventListener("keydown", key);
  window.addEventListener("hashchange", () => {
    const state = linked();
    if (state && encoded(state) !== encoded(store.state)) for (const part of [...PANELS, "panel"]) restore(part, state[part]);
    else say(store.state.panel, messages[store.state.panel] ?? "");
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", ({ matches }) => paintTheme(matches));
}

function restore(part, value) {
  store.change(part === "panel" ? null : part, part === "panel" ? { panel: value } : value, "view");
}

let written = null;
function keep(state, before) {
  if (store.past.length) notice = "";
  find("undo").disabled = !store.past.length;
  find("redo").disabled = !store.future.length;
  if (state.panel !== before.panel) show(state.panel);
  clearTimeout(written);
  written = setTimeout(() => history.replaceState(null, "", `#${encoded(store.state)}`), 150);
}

async function begin() {
  const about = await get("/api/about");
  panels = {
    line: new LinePanel(find("line"), store, say, about.most_points[1]),
    race: new RacePanel(find("race"), store, say, about.torch, () => panels.line?.solved),
    plane: new PlanePanel(find("plane"), store, say, about.most_points[2]),
  };
  panels.line.answered = () => { if (store.state.panel === "race") panels.race.draw(); };
  for (const [name, d] of [["line", 1], ["plane", 2]]) panels[name].controls.offer(about.datasets.filter((data) => data.d === d));
  wire();
  store.listen(keep);
  paintTheme(matchMedia("(prefers-color-scheme: dark)").matches);
  for (const name of ["line", "plane"]) {
    if (store.state[name].points.length) panels[name].ask();
    else await panels[name].controls.load(store.state[name].data, {}, "view");
  }
  keep(store.state, store.state);
  show(store.state.panel);
  document.body.dataset.ready = "yes";
}

const tour = new Tour(find("tour-card"), store, () => panels);
begin().catch((error) => { find("message").textContent = error.message; });
