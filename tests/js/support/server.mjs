// A server in place of fetch: it keeps what was asked and answers as it is told, or when it is told.

export class Server {
  requests = [];
  answers = []; // of the next requests: [status, payload], "lost" (no connection), or a promise of one

  fetch = async (url, { body, signal, ...options }) => {
    this.requests.push({ url, body: JSON.parse(body), options });
    const answer = await (this.answers.shift() ?? [200, {}]);
    if (answer === "lost") throw new TypeError("Failed to fetch");
    if (answer === "hangs") return new Promise((_, fail) => { signal.addEventListener("abort", () => fail(signal.reason)); });
    const [status, payload, type = "application/json"] = answer;
    return new Response(JSON.stringify(payload), { status, headers: { "content-type": type } });
  };

  get bodies() {
    return this.requests.map(({ body }) => body);
  }
}

// An answer that is given later: [its promise, the function that gives it].
export function later() {
  let give;
  const promise = new Promise((resolve) => { give = resolve; });
  return [promise, give];
}
