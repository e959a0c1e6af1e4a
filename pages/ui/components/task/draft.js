// The draft: each change goes to the server after a short rest, the latest wins, a lost one is repeated.

import { waitAfter } from "./net.js";

export const REST = 400; // ms after the last change

export class Draft {
  sequence = 0;
  isDirty = false; // something here has not reached the server
  #post;
  #tell;
  #isHeld;
  #timers;
  #timer = null;
  #attempt = 0;
  #work = 0; // counts the tasks: an answer to the draft of an earlier one says nothing about this one
  #inFlight = null;

  // `post(sequence, options)` sends the entries as they are; null: the draft never leaves the tab.
  // `tell` has kept(), ahead(), waiting(answer), refused(answer). While `isHeld()`, a save is on its way.
  constructor({ post, tell, isHeld, timers }) {
    this.#post = post;
    this.#tell = tell;
    this.#isHeld = isHeld;
    this.#timers = timers;
  }

  change() {
    this.sequence += 1;
    if (!this.#post) return this.#tell.kept();
    return this.sendSoon();
  }

  sendSoon(wait = REST) {
    this.isDirty = true;
    this.wait();
    this.#timer = this.#timers.setTimeout(() => this.send(), wait);
  }

  // Nothing goes by itself until the next change or send.
  wait() {
    this.#timers.clearTimeout(this.#timer);
  }

  // Saved, given up, or another task stands: nothing of it is sent any more.
  drop() {
    this.wait();
    this.isDirty = false;
    this.#attempt = 0;
    this.#work += 1;
  }

  // One request at a time: what changed meanwhile follows when it is answered.
  send(options = {}) {
    this.wait();
    if (!this.isDirty || this.#isHeld() || this.#inFlight) return;
    if (!this.#post) {
      this.isDirty = false;
      this.#tell.kept();
      return;
    }
    this.#inFlight = this.#exchange(this.#work, this.sequence, options);
  }

  // Before the tab is hidden or left: at once, in a request that outlives the page.
  flush() {
    this.send({ keepalive: true });
  }

  // Resolves when no draft is under way: one that arrives after a save would live on.
  async settled() {
    while (this.#inFlight) await this.#inFlight;
  }

  async #exchange(work, sent, options) {
    const answer = await this.#post(sent, options);
    this.#inFlight = null;
    if (this.#isHeld()) return;
    if (work !== this.#work) this.send();
    else if (answer.kind === "ok") this.#arrived(sent, answer.payload.sequence);
    else if (answer.kind === "refused") this.#tell.refused(answer);
    else this.#lost(answer);
  }

  #arrived(sent, standing) {
    this.#attempt = 0;
    if (standing > sent) { // another device was ahead: what the person does here and now is the latest
      this.sequence = standing + 1;
      this.#tell.ahead();
      this.send();
    } else if (this.sequence === sent) {
      this.isDirty = false;
      this.#tell.kept();
    } else {
      this.send();
    }
  }

  #lost(answer) {
    this.#tell.waiting(answer);
    this.sendSoon(waitAfter(this.#attempt));
    this.#attempt += 1;
  }
}
