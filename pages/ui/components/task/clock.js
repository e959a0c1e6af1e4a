// Active seconds: the task is in view, nothing covers it, and the person did something within a minute.

export const IDLE_AFTER = 60_000; // ms
const LONGEST_TICK = 2; // seconds: a sleeping laptop is no reading time

export class Clock {
  seconds = 0;
  isPaused = false;
  lastInput = "keyboard";
  inputs = new Set(); // what the task was filled in with
  #now;
  #isInView;

  constructor({ now, isInView }) {
    this.#now = now;
    this.#isInView = isInView;
    this.lastTick = now();
    this.lastActivity = now();
  }

  begin(seconds) {
    this.seconds = seconds;
    this.isPaused = false;
    this.inputs = new Set();
    this.wake();
  }

  pause() {
    this.isPaused = true;
  }

  resume() {
    this.isPaused = false;
    this.wake();
  }

  // Whoever comes back counts as active, without a key being pressed.
  wake() {
    this.lastActivity = this.#now();
  }

  note(event) {
    this.wake();
    if (event.type === "keydown") this.lastInput = "keyboard";
    if (event.type === "pointerdown") this.lastInput = event.pointerType === "touch" ? "touch" : "pointer";
  }

  noteChange() {
    this.inputs.add(this.lastInput);
  }

  // Called about once a second; true if the time since the last call counted.
  tick() {
    const now = this.#now();
    const passed = Math.min((now - this.lastTick) / 1000, LONGEST_TICK);
    this.lastTick = now;
    const isActive = this.#isInView() && !this.isPaused && now - this.lastActivity < IDLE_AFTER;
    if (isActive) this.seconds += passed;
    return isActive;
  }

  inputKind() {
    const kinds = [...this.inputs];
    return kinds.length === 1 ? kinds[0] : "mixed";
  }
}
