// Questions to the server: of several only the newest counts, and a race comes frame by frame.

async function reason(response) {
  try {
    return (await response.json()).error;
  } catch {
    return `the server answered ${response.status}`;
  }
}

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

/** One question at a time; while it is open the newest one waits, and those between are never asked. */
export class Latest {
  constructor(path) {
    Object.assign(this, { path, session: crypto.randomUUID(), number: 0, open: false, waiting: null });
  }

  ask(body, answered, refused) {
    this.waiting = { body, answered, refused };
    if (!this.open) this.#next();
  }

  async #next() {
    const { body, answered, refused } = this.waiting;
    this.waiting = null;
    this.open = true;
    let response = null, found = null, error = null;
    try {
      response = await post(this.path, { ...body, session: this.session, number: ++this.number });
      if (response.ok) found = await response.json();
      else error = await reason(response);
    } catch {
      error = lost;
    }
    this.open = false;
    if (this.waiting) this.#next(); // asked before the answer is drawn: the server works meanwhile
    if (found) answered(found);
    else if (response?.status !== 409) refused(error);
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
