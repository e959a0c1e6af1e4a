import assert from "node:assert/strict";
import { test } from "node:test";

import { Net } from "../../pages/ui/components/task/net.js";
import { Server } from "./support/server.mjs";
import { settle, Time } from "./support/time.mjs";

function setUp(...answers) {
  const [time, server] = [new Time(), new Server()];
  server.answers = answers;
  return { time, server, net: new Net({ fetch: server.fetch, timers: time }) };
}

const REFUSED = [409, { error: { code: "desk.stale_draft" } }];
const UNSAVED = [503, { error: { code: "storage.full" } }];
const BUSY = [429, { error: { code: "access.wait" } }];
const FAULT = [500, { error: { code: "access.fault" } }];
const PAGE = [200, "<html>", "text/html"];

for (const [name, answer, kind] of [
  ["an answer", [200, { sequence: 3 }], "ok"], ["a refusal", REFUSED, "refused"], ["a full disk", UNSAVED, "unsaved"],
  ["a busy server", BUSY, "offline"], ["a fault", FAULT, "offline"], ["no connection", "lost", "offline"],
  ["the page itself, at a mistyped path", PAGE, "offline"],
]) {
  test(`${name} counts as ${kind}`, async () => {
    const { net } = setUp(answer);
    assert.equal((await net.post("/api/sheet/save", {})).kind, kind);
  });
}

test("a request that hangs is given up after 20 seconds", async () => {
  const { net, time } = setUp("hangs");
  const answer = net.post("/api/sheet/save", {});
  await time.pass(20_000);
  assert.deepEqual(await answer, { kind: "offline" });
});

test("the same body is repeated at 1, 2, 4, 8, 15 and 15 seconds until it is answered", async () => {
  const { net, server, time } = setUp("lost", UNSAVED, "lost", "lost", "lost", "lost", [200, { saved: 1 }]);
  const times = [];
  const answer = net.postUntilAnswered("/save", { token: "a" }, { isWanted: () => true, onWait: () => times.push(time.now) });
  await time.pass(44_999);
  assert.equal(server.requests.length, 6);
  await time.pass(1);
  assert.equal((await answer).kind, "ok");
  assert.deepEqual(times, [0, 1000, 3000, 7000, 15_000, 30_000]);
  assert.equal(new Set(server.bodies.map((body) => JSON.stringify(body))).size, 1);
});

test("whoever wakes the net does not wait", async () => {
  const { net, server } = setUp("lost", [200, {}]);
  const answer = net.postUntilAnswered("/save", {}, { isWanted: () => true, onWait() {} });
  await settle();
  net.wake();
  assert.equal((await answer).kind, "ok");
  assert.equal(server.requests.length, 2);
});

test("an answer nobody wants any more is dropped", async () => {
  const { net } = setUp([200, {}]);
  let isWanted = true;
  const answer = net.postUntilAnswered("/open", {}, { isWanted: () => isWanted, onWait() {} });
  isWanted = false;
  assert.equal(await answer, null);
});
