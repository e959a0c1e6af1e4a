import assert from "node:assert/strict";
import { test } from "node:test";

import { Clock, IDLE_AFTER } from "../../pages/ui/components/task/clock.js";

// A person before a task: `live(seconds)` lets them pass, ticking once a second.
function setUp() {
  const desk = { now: 0, isInView: true };
  desk.clock = new Clock({ now: () => desk.now, isInView: () => desk.isInView });
  desk.live = (seconds) => { for (let second = 0; second < seconds; second += 1) { desk.now += 1000; desk.clock.tick(); } };
  return desk;
}

test("seconds count while the task is in view", () => {
  const desk = setUp();
  desk.live(30);
  assert.equal(desk.clock.seconds, 30);
});

test("a hidden tab stops the clock, and time spent there is never added", () => {
  const desk = setUp();
  desk.live(10);
  desk.isInView = false;
  desk.live(20);
  desk.isInView = true;
  desk.live(5);
  assert.equal(desk.clock.seconds, 15);
});

test("a minute without a sign of life stops it; the next sign starts it again", () => {
  const desk = setUp();
  desk.live(600);
  assert.equal(desk.clock.seconds, IDLE_AFTER / 1000 - 1);
  desk.clock.note({ type: "pointermove" });
  desk.live(5);
  assert.equal(desk.clock.seconds, IDLE_AFTER / 1000 + 4);
});

test("a laptop that slept adds two seconds at most", () => {
  const desk = setUp();
  desk.live(1);
  desk.now += 8 * 3600 * 1000;
  desk.clock.wake();
  desk.clock.tick();
  assert.equal(desk.clock.seconds, 3);
});

test("a pause stops it, and whoever resumes has a whole minute again", () => {
  const desk = setUp();
  desk.live(50);
  desk.clock.pause();
  desk.live(3600);
  assert.equal(desk.clock.seconds, 50);
  desk.clock.resume();
  desk.live(59);
  assert.equal(desk.clock.seconds, 109);
});

test("a task begun before goes on where it stood", () => {
  const desk = setUp();
  desk.clock.begin(61.5);
  desk.live(2);
  assert.equal(desk.clock.seconds, 63.5);
});

test("what was used to fill in a task is named, or mixed", () => {
  const { clock } = setUp();
  assert.equal(clock.inputKind(), "mixed");
  clock.note({ type: "pointerdown", pointerType: "touch" });
  clock.noteChange();
  assert.equal(clock.inputKind(), "touch");
  clock.note({ type: "keydown" });
  assert.equal(clock.inputKind(), "touch"); // a key alone changes nothing
  clock.noteChange();
  assert.equal(clock.inputKind(), "mixed");
  clock.begin(0);
  clock.note({ type: "pointerdown", pointerType: "mouse" });
  clock.noteChange();
  assert.equal(clock.inputKind(), "pointer");
});
