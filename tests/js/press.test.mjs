import assert from "node:assert/strict";
import { test } from "node:test";

import { Net } from "../../pages/ui/components/task/net.js";
import { Press } from "../../pages/ui/components/task/press.js";
import { Server } from "./support/server.mjs";
import { Time } from "./support/time.mjs";

function setUp(...answers) {
  const [time, server] = [new Time(), new Server()];
  server.answers = answers;
  let number = 0;
  const random = (bytes) => bytes.fill((number += 1));
  const press = new Press({ net: new Net({ fetch: server.fetch, timers: time }), random });
  const save = () => press.send("/save", { token: press.draw() }, { isHere: () => true, onWait() {} });
  return { time, server, press, save, tokens: () => server.bodies.map(({ token }) => token) };
}

test("a token is 32 letters and digits, as the server wants it", () => {
  assert.match(setUp().press.draw(), /^[0-9a-f]{32}$/);
});

test("one token goes with every attempt until the server has answered", async () => {
  const desk = setUp("lost", [503, { error: {} }], "lost", [200, {}]);
  const answer = desk.save();
  await desk.time.pass(7000);
  assert.equal((await answer).kind, "ok");
  assert.equal(desk.tokens().length, 4);
  assert.equal(new Set(desk.tokens()).size, 1);
});

test("after a success the next save has another token", async () => {
  const desk = setUp([200, {}], [200, {}]);
  await desk.save();
  assert.equal(desk.press.token, null);
  await desk.save();
  assert.equal(new Set(desk.tokens()).size, 2);
});

test("after a refusal the same entries keep their token", async () => {
  const desk = setUp([401, { error: {} }], [200, {}]);
  assert.equal((await desk.save()).status, 401);
  await desk.save();
  assert.equal(new Set(desk.tokens()).size, 1);
});

test("other entries are another save", async () => {
  const desk = setUp([422, { error: {} }], [200, {}]);
  await desk.save();
  desk.press.renew();
  await desk.save();
  assert.equal(new Set(desk.tokens()).size, 2);
});

test("whoever goes on editing keeps the token of what may have been saved until something changes", async () => {
  const desk = setUp("lost");
  const answer = desk.save();
  await desk.time.pass(0);
  desk.press.giveUp();
  assert.equal(await answer, null);
  await desk.save();
  assert.equal(new Set(desk.tokens()).size, 1);
});

test("a press ends when its page is gone", async () => {
  const desk = setUp("lost");
  let isHere = true;
  const answer = desk.press.send("/save", {}, { isHere: () => isHere, onWait() {} });
  await desk.time.pass(0);
  isHere = false;
  await desk.time.pass(60_000);
  assert.equal(await answer, null);
  assert.equal(desk.server.requests.length, 1);
});
