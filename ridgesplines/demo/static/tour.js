// The guided tour: each step sets the page up, points at something, and says what it shows.

const STEPS = [
  {
    title: "All functions at once", at: "#spline", data: ["line", "hat", { loss: "squared", sparsest: true }],
    text: "Grey: the data. Blue: of all functions, not only of those of some family, the one with the least losses plus λ times the size of its second derivative (17). Drag a point: the optimum follows at once.",
  },
  {
    title: "Fewer neurons than data", at: "#line [data-facts]", data: ["line", "hat", {}],
    text: "It is a linear spline: a ReLU network with a skip connection (18). Nobody asked for few neurons, yet K is far below N = 40. Look at K while you drag.",
  },
  {
    title: "Sparse in the second derivative", at: "#impulses", data: ["line", "hat", {}],
    text: "D²f is zero but for one impulse a neuron (14). Their sizes add up to ‖D²f‖ (15): an ℓ¹ norm of a function, and the reason why there are so few.",
  },
  {
    title: "The slider to λmax", at: "#line .slider", data: ["line", "motorcycle", {}],
    text: "Real measurements now. Pull λ to the right: neurons leave, until at λmax the fit is affine, K = 0. The affine part is the skip connection, and costs nothing. To the left they come back.",
  },
  {
    title: "The proof", at: "#certificate", data: ["line", "motorcycle", {}],
    text: "How do we know that it is the optimum? The residuals make a function η. It stays between ±λ and touches at the knots: so no function, of any number of neurons, has a lower objective. The gap is computed from it.",
  },
  {
    title: "The sparsest of many", at: "#line .check", data: ["line", "few", { loss: "interpolation", sparsest: true }],
    text: "Interpolation: many functions connect the points with the same ‖D²f‖. Take the tick away: knots at the data. Put it back: the one with the fewest knots, some of them between the data.",
  },
  {
    title: "The race", at: "#objective", data: ["race", "hat", { loss: "squared" }], start: true,
    text: "A network in training with weight decay (8). Its objective comes down on the certified line and cannot cross it: wide enough, (8), (9) and (17) have one minimum. Neurons go silent; the others reach the diagonal, |w| = |v|. Try a width of 3, or another optimiser.",
  },
  {
    title: "Two dimensions", at: "#map-free", data: ["plane", "ridges", { loss: "squared", directions: 8 }],
    text: "Now f bends along lines, its ridges (33). Each neuron is a point on the cylinder of all lines, below: there η touches ±λ, and D²KRf has an impulse (30).",
  },
  {
    title: "Off the grid", at: "#cylinder-grid", data: ["plane", "ridges", { directions: 4 }],
    text: "With a few directions the problem is a LASSO. Where η is yellow it passes λ: a neuron is missing there. Move the slider to more directions: the yellow goes, and the objective comes down to the one on the right, which needs no grid.",
  },
];

/** Where the card may stand, in this order. */
const CORNERS = ["bottom left", "bottom right", "top right", "top left"];

export class Tour {
  constructor(card, store, panels) {
    Object.assign(this, { card, store, panels, step: null });
    const button = (name) => card.querySelector(`[name=${name}]`);
    button("next").addEventListener("click", () => this.go(this.step + 1));
    button("back").addEventListener("click", () => this.go(this.step - 1));
    button("end").addEventListener("click", () => this.end());
    card.addEventListener("keydown", (event) => {
      const act = { Escape: () => this.end(), ArrowRight: () => this.go(this.step + 1), ArrowLeft: () => this.go(this.step - 1) }[event.key];
      if (!act) return;
      act();
      event.preventDefault();
      event.stopPropagation();
    });
  }

  start() {
    this.before = document.activeElement;
    this.card.hidden = false;
    this.go(0);
  }

  end() {
    this.step = null;
    this.card.hidden = true;
    this.#point(null);
    this.before?.focus();
  }

  async go(step) {
    if (step < 0) return;
    if (step >= STEPS.length) return void this.end();
    this.step = step;
    const { title, text, at, data: [panel, name, changes], start } = STEPS[step];
    this.card.querySelector(".step").textContent = `${step + 1} of ${STEPS.length}`;
    this.card.querySelector("h2").textContent = title;
    this.card.querySelector(".text").textContent = text;
    this.card.querySelector("[name=back]").disabled = step === 0;
    this.card.querySelector("[name=next]").textContent = step + 1 === STEPS.length ? "Finish" : "Next";
    this.store.change(null, { panel }, "view");
    this.card.focus();
    await this.#setUp(panel === "race" ? "line" : panel, name, changes);
    if (this.step !== step) return; // somebody was faster
    this.#point(document.querySelector(at));
    if (start && !this.panels().race.running) this.panels().race.toggle();
  }

  /** The data of a step, unless they are there: what a class has moved stays. */
  async #setUp(part, name, changes) {
    const own = this.store.state[part];
    const other = own.data !== name || Object.entries(changes).some(([key, value]) => own[key] !== value);
    if (!other) return;
    if (own.data === name) this.store.change(part, { ...changes, lam: "loss" in changes && changes.loss !== own.loss ? null : own.lam });
    else await this.panels()[part].controls.load(name, { loss: "squared", parameter: null, ...changes });
  }

  #point(target) {
    document.querySelector(".pointed")?.classList.remove("pointed");
    if (!target) return;
    target.classList.add("pointed");
    target.scrollIntoView({ block: "center" });
    if (CORNERS.some((corner) => this.#isBeside(target, corner))) return;
    target.scrollIntoView({ block: "start" }); // no corner is free: to the upper edge with it, the card below
    this.#isBeside(target, CORNERS[0]);
  }

  /** Whether the card in this corner leaves the target free. */
  #isBeside(target, corner) {
    this.card.dataset.corner = corner;
    const [card, own] = [this.card, target].map((each) => each.getBoundingClientRect());
    return card.right <= own.left || card.left >= own.right || card.bottom <= own.top || card.top >= own.bottom;
  }
}
