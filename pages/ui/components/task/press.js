// A press of save or skip: sent until the server has answered it, under one token all the while, so
// that a press whose answer was lost is stored once.

export class Press {
  token = null; // of the save in the making; kept over a reload together with the entries
  #net;
  #random;
  #isWanted = false;

  constructor({ net, random }) {
    this.#net = net;
    this.#random = random;
  }

  // The same entries are the same save.
  draw() {
    this.token ??= this.fresh();
    return this.token;
  }

  fresh() {
    // crypto.randomUUID exists only on HTTPS and loopback; this one everywhere.
    return Array.from(this.#random(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // Saved, or other entries: the next press is another one.
  renew() {
    this.token = null;
  }

  // Returns the server's answer, or null when the person (or the page) gave up waiting for it.
  async send(url, body, { isHere, onWait }) {
    this.#isWanted = true;
    const answer = await this.#net.postUntilAnswered(url, body, { isWanted: () => this.#isWanted && isHere(), onWait });
    if (answer?.kind === "ok") this.renew();
    return answer;
  }

  giveUp() {
    this.#isWanted = false;
    this.#net.wake();
  }
}
