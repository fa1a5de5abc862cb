// Questions to the server: of several only the newest counts, and a race comes frame by frame.

async function reason(response) {
  try {
    return (await response.json()).error;
  } catch {
    return `the server answered ${response.status}`;
  }
}

/** Milliseconds after which a newer question does not wait for an older one's answer. */
const PATIENCE = 400;
const lost = "the demo no longer answers: is it still running in its terminal?";

export async function get(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(await reason(response));
  return response.json();
}

export function post(path, body, signal) {
  return fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });
}

export async function snippet(panel, body) {
  const response = await post(`/api/snippet/${panel}`, body);
  if (!response.ok) throw new Error(await reason(response));
  return (await response.json()).text;
}

/** Milliseconds of work after which the page says that it works. */
const UNSEEN = 250;
let [works, sign] = [0, null];

/** One more work, or one less: while there are any for long, the page shows a sign. */
export function busy(change) {
  works += change;
  if (works && sign === null) sign = setTimeout(() => { document.body.dataset.busy = "yes"; }, UNSEEN);
  if (works) return;
  clearTimeout(sign);
  sign = null;
  delete document.body.dataset.busy;
}

/** One question at a time; while it is open the newest one waits, and those between are never asked. */
export class Latest {
  constructor(panel) {
    Object.assign(this, { panel, session: crypto.randomUUID(), number: 0, open: null, waiting: null });
  }

  ask(body, answered, refused) {
    const start = performance.now();
    this.waiting = { body, answered, refused, start };
    if (!this.open) this.#next();
    else if (start - this.open.start > PATIENCE) this.open.stop.abort(); // the server ends it when the newer one comes
  }

  async #next() {
    const { body, answered, refused, start } = this.waiting;
    const stop = new AbortController();
    Object.assign(this, { waiting: null, open: { start: performance.now(), stop } });
    busy(+1);
    let found = null, error = null;
    try {
      const response = await post(`/api/${this.panel}`, { ...body, session: this.session, number: ++this.number }, stop.signal);
      if (response.ok) found = await response.json();
      else error = await reason(response);
    } catch {
      error = stop.signal.aborted ? null : lost;
    }
    this.open = null;
    busy(-1);
    if (this.waiting) this.#next(); // asked before the answer is drawn: the server works meanwhile
    if (found) {
      answered(found);
      requestAnimationFrame(() => this.#timed(start));
    } else if (error) refused(error);
  }

  /** The time from a change to the frame that shows its fit, among the browser's measures; the last thousand. */
  #timed(start) {
    const name = `fit ${this.panel}`;
    if (this.number % 1000 === 0) performance.clearMeasures(name);
    performance.measure(name, { start, end: performance.now() });
  }
}

/** The frames of a race, until it ends or `signal` aborts it. */
export async function* frames(body, signal) {
  const response = await post("/api/race", body, signal);
  if (!response.ok) throw new Error(await reason(response));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line) yield JSON.parse(line);
  }
}
