import assert from "node:assert/strict";
import { test } from "node:test";

import { Draft } from "../../pages/ui/components/task/draft.js";
import { Net } from "../../pages/ui/components/task/net.js";
import { later, Server } from "./support/server.mjs";
import { Time } from "./support/time.mjs";

// A person who writes into `desk.entries`, and everything the draft told the page.
function setUp({ keepsInTab = false } = {}) {
  const [time, server] = [new Time(), new Server()];
  const net = new Net({ fetch: server.fetch, timers: time });
  const desk = { time, server, entries: {}, events: [], isSaving: false };
  const note = (name) => (answer) => desk.events.push(answer ? `${name} ${answer.kind}` : name);
  desk.draft = new Draft({
    post: keepsInTab ? null : (sequence, options) => net.post("/draft", { sequence, entries: desk.entries }, options),
    tell: { kept: note("kept"), ahead: note("ahead"), waiting: note("waiting"), refused: note("refused") },
    isHeld: () => desk.isSaving,
    timers: time,
  });
  desk.write = (entries) => { desk.entries = entries; desk.draft.change(); };
  return desk;
}

const stands = (sequence) => [200, { sequence }];

test("a change is sent after a rest of 400 ms, and changes in between are one request", async () => {
  const desk = setUp();
  desk.server.answers = [stands(3)];
  desk.write({ a: 1 });
  await desk.time.pass(300);
  desk.write({ a: 2 });
  await desk.time.pass(300);
  desk.write({ a: 3 });
  await desk.time.pass(399);
  assert.equal(desk.server.requests.length, 0);
  await desk.time.pass(1);
  assert.deepEqual(desk.server.bodies, [{ sequence: 3, entries: { a: 3 } }]);
  assert.deepEqual(desk.events, ["kept"]);
  assert.equal(desk.draft.isDirty, false);
});

test("one request at a time: what changed meanwhile follows, and the latest wins", async () => {
  const desk = setUp();
  const [first, answerFirst] = later();
  desk.server.answers = [first, stands(3)];
  desk.write({ a: 1 });
  await desk.time.pass(400);
  desk.write({ a: 2 });
  desk.write({ a: 3 });
  await desk.time.pass(5000);
  assert.equal(desk.server.requests.length, 1);
  answerFirst(stands(1));
  await desk.time.pass(0);
  assert.deepEqual(desk.server.bodies.at(-1), { sequence: 3, entries: { a: 3 } });
  assert.deepEqual(desk.events, ["kept"]);
});

test("a lost draft is sent again at 1, 2 and 4 seconds, and its success ends the waiting", async () => {
  const desk = setUp();
  desk.server.answers = ["lost", "lost", [503, { error: {} }], stands(1)];
  desk.write({ a: 1 });
  await desk.time.pass(400 + 1000 + 2000);
  assert.deepEqual(desk.events, ["waiting offline", "waiting offline", "waiting unsaved"]);
  await desk.time.pass(4000);
  assert.deepEqual(desk.events.at(-1), "kept");
  await desk.time.pass(60_000);
  assert.equal(desk.server.requests.length, 4);
});

test("another device that was ahead is overtaken by what is done here and now", async () => {
  const desk = setUp();
  desk.server.answers = [stands(90), stands(91)];
  desk.write({ a: 1 });
  await desk.time.pass(400);
  assert.deepEqual(desk.server.bodies.map(({ sequence }) => sequence), [1, 91]);
  assert.deepEqual(desk.events, ["ahead", "kept"]);
});

test("a refusal is told and nothing is sent again by itself", async () => {
  const desk = setUp();
  desk.server.answers = [[409, { error: { code: "desk.stale_draft" } }]];
  desk.write({ a: 1 });
  await desk.time.pass(60_000);
  assert.deepEqual(desk.events, ["refused refused"]);
  assert.equal(desk.server.requests.length, 1);
});

test("before the page is left the draft goes at once, in a request that outlives it", async () => {
  const desk = setUp();
  desk.write({ a: 1 });
  desk.draft.flush();
  assert.equal(desk.server.requests.length, 1);
  assert.equal(desk.server.requests[0].options.keepalive, true);
  await desk.time.pass(1000);
  assert.equal(desk.server.requests.length, 1);
});

test("settled() waits for the draft under way, and for what follows it", async () => {
  const desk = setUp();
  const [first, answerFirst] = later();
  const [second, answerSecond] = later();
  desk.server.answers = [first, second];
  desk.write({ a: 1 });
  await desk.time.pass(400);
  desk.write({ a: 2 });
  await desk.time.pass(400); // this send found the first one under way
  let isSettled = false;
  desk.draft.settled().then(() => { isSettled = true; });
  answerFirst(stands(1));
  await desk.time.pass(0);
  assert.equal(isSettled, false);
  answerSecond(stands(2));
  await desk.time.pass(0);
  assert.equal(isSettled, true);
});

test("while a save is under way no draft is sent, and the answer to one means nothing", async () => {
  const desk = setUp();
  const [first, answerFirst] = later();
  desk.server.answers = [first];
  desk.write({ a: 1 });
  await desk.time.pass(400);
  desk.isSaving = true;
  answerFirst("lost");
  await desk.time.pass(0);
  desk.draft.send();
  await desk.time.pass(60_000);
  assert.equal(desk.server.requests.length, 1);
  assert.deepEqual(desk.events, []);
});

test("the answer to an earlier task's draft says nothing about the next one, whose draft follows", async () => {
  const desk = setUp();
  const [first, answerFirst] = later();
  desk.server.answers = [first, stands(8)];
  desk.write({ a: 1 });
  await desk.time.pass(400);
  desk.draft.drop();
  desk.draft.sequence = 7;
  desk.write({ b: 1 });
  await desk.time.pass(400);
  assert.equal(desk.server.requests.length, 1);
  answerFirst(stands(90));
  await desk.time.pass(0);
  assert.deepEqual(desk.server.bodies.at(-1), { sequence: 8, entries: { b: 1 } });
  assert.deepEqual(desk.events, ["kept"]);
});

test("a dropped draft is never sent", async () => {
  const desk = setUp();
  desk.write({ a: 1 });
  desk.draft.drop();
  desk.draft.flush();
  await desk.time.pass(1000);
  assert.equal(desk.server.requests.length, 0);
});

test("a draft that stays in the tab is kept at each change and asks no server", async () => {
  const desk = setUp({ keepsInTab: true });
  desk.write({ a: 1 });
  desk.draft.sendSoon(); // restored after a reload
  await desk.time.pass(1000);
  assert.deepEqual(desk.events, ["kept", "kept"]);
  assert.equal(desk.draft.sequence, 1);
  assert.equal(desk.server.requests.length, 0);
});
