import assert from "node:assert/strict";
import { test } from "node:test";

import { Clock } from "../../pages/ui/components/task/clock.js";
import { Draft } from "../../pages/ui/components/task/draft.js";
import { Net } from "../../pages/ui/components/task/net.js";
import { pause, showHelp, unveil } from "../../pages/ui/components/task/veil.js";
import { makePage } from "./support/page.mjs";
import { Server } from "./support/server.mjs";
import { Time } from "./support/time.mjs";

function setUp() {
  const [time, server] = [new Time(), new Server()];
  const net = new Net({ fetch: server.fetch, timers: time });
  const tell = { kept() {}, ahead() {}, waiting() {}, refused() {} };
  const post = (sequence) => net.post("/draft", { sequence });
  const focused = { focus() { focused.isBack = true; } };
  const sheet = {
    page: {}, cover: makePage(), root: { activeElement: focused }, data: { words: {} }, veil: null, face: { help: () => [] },
    draft: new Draft({ post, tell, isHeld: () => false, timers: time }),
    clock: new Clock({ now: () => time.now, isInView: () => true }),
  };
  const live = async (seconds) => {
    for (let second = 0; second < seconds; second += 1) { await time.pass(1000); sheet.clock.tick(); }
  };
  return { sheet, server, live, focused };
}

test("a pause sends the draft at once, stops the clock and makes the page dead", async () => {
  const { sheet, server, live } = setUp();
  await live(10);
  sheet.draft.change();
  pause(sheet);
  assert.equal(server.requests.length, 1);
  assert.equal(sheet.page.inert, true);
  await live(300);
  assert.equal(sheet.clock.seconds, 10);
});

test("its button ends it: the clock goes on with a whole minute, the focus is back", async () => {
  const { sheet, live, focused } = setUp();
  pause(sheet);
  await live(300);
  sheet.cover.querySelector("[data-first]").click();
  assert.equal(sheet.page.inert, false);
  assert.equal(focused.isBack, true);
  assert.deepEqual(sheet.cover.children, []);
  await live(59);
  assert.equal(sheet.clock.seconds, 59);
});

test("help does not stop the clock", async () => {
  const { sheet, live } = setUp();
  showHelp(sheet);
  await live(5);
  assert.equal(sheet.clock.seconds, 5);
});

test("what was put off happens once, after the veil", () => {
  const { sheet } = setUp();
  const events = [];
  pause(sheet);
  sheet.afterVeil = () => events.push(sheet.veil);
  unveil(sheet);
  pause(sheet);
  unveil(sheet);
  assert.deepEqual(events, [null]);
});
