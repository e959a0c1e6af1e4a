// The way to the server: one POST, and the patience to repeat it until it was answered.

export const WAITS = [1, 2, 4, 8, 15]; // seconds between attempts; the last one stays
const PATIENCE = 20_000; // ms before a request that hangs counts as lost

export function waitAfter(attempt) {
  return WAITS[Math.min(attempt, WAITS.length - 1)] * 1000;
}

export class Net {
  #fetch;
  #timers;
  #naps = new Set();

  constructor({ fetch, timers }) {
    this.#fetch = fetch;
    this.#timers = timers;
  }

  // Returns {kind: "ok" | "offline" | "unsaved" | "refused", …}; never throws.
  async post(url, body, options = {}) {
    const stop = new AbortController();
    const timer = this.#timers.setTimeout(() => stop.abort(), PATIENCE);
    try {
      const response = await this.#fetch(url, {
        method: "POST", credentials: "same-origin", cache: "no-store", signal: stop.signal,
        headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), ...options,
      });
      return judge(response, await payloadOf(response));
    } catch {
      return { kind: "offline" };
    } finally {
      this.#timers.clearTimeout(timer);
    }
  }

  // Repeats the same body until the server has answered; `onWait` tells the person why it takes long.
  async postUntilAnswered(url, body, { isWanted, onWait }) {
    for (let attempt = 0; isWanted(); attempt += 1) {
      const answer = await this.post(url, body);
      if (!isWanted()) break;
      if (answer.kind === "ok" || answer.kind === "refused") return answer;
      onWait(answer);
      await this.#nap(waitAfter(attempt));
    }
    return null;
  }

  // Sleeps; woken by the browser's "online", by a press of "retry now", or by giving up.
  #nap(milliseconds) {
    return new Promise((resolve) => {
      const timer = this.#timers.setTimeout(resolve, milliseconds);
      this.#naps.add(() => { this.#timers.clearTimeout(timer); resolve(); });
    });
  }

  wake() {
    const naps = [...this.#naps];
    this.#naps.clear();
    for (const wake of naps) wake();
  }
}

// A mistyped path is answered by the page itself (200, HTML): only JSON counts as an answer of ours.
async function payloadOf(response) {
  const type = response.headers.get("content-type") ?? "";
  return type.startsWith("application/json") ? response.json().catch(() => null) : null;
}

function judge(response, payload) {
  if (response.ok && payload) return { kind: "ok", payload };
  const error = payload?.error;
  if (response.status === 503 && error) return { kind: "unsaved", error };
  if (!error || response.status >= 500 || response.status === 429) return { kind: "offline" };
  return { kind: "refused", status: response.status, error };
}
