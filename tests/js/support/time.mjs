// Time that passes when a test says so: given to the kit in place of the browser's.

export class Time {
  now = 0;
  #timers = new Map();
  #number = 0;

  setTimeout = (action, wait) => {
    this.#timers.set((this.#number += 1), { action, at: this.now + wait });
    return this.#number;
  };

  clearTimeout = (number) => { this.#timers.delete(number); };

  // What is due runs in its order; promises get their turn after each.
  async pass(milliseconds) {
    const end = this.now + milliseconds;
    await settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      const [number, { action, at }] = next;
      this.#timers.delete(number);
      this.now = at;
      action();
      await settle();
    }
    this.now = end;
  }

  #next(end) {
    const due = [...this.#timers].filter(([, { at }]) => at <= end);
    return due.sort(([one, { at }], [other, { at: later }]) => at - later || one - other)[0];
  }
}

export function settle() {
  return new Promise((resolve) => { setImmediate(resolve); });
}
