import assert from "node:assert/strict";
import { test } from "node:test";

import { forgetLocally, keepLocally, restore, Store } from "../../pages/ui/components/task/store.js";

// sessionStorage as browsers have it: kept names are properties of the object.
function storage() {
  return Object.defineProperties({}, {
    getItem: { value(name) { return this[name] ?? null; } },
    setItem: { value(name, value) { this[name] = value; } },
    removeItem: { value(name) { delete this[name]; } },
  });
}

// A task of which the tab is to keep something.
function setUp(kept, task = {}) {
  return {
    store: new Store("concord.test.", () => kept),
    view: { task: { task: "t1", revision: 0, draft_sequence: 2, read_only: false, entries: { note: "server" }, ...task } },
    face: { emptyEntries: () => ({ note: "" }), packed: (entries) => entries, unpacked: (_sheet, entries) => entries },
    draft: { sequence: 5 }, press: { token: "abc" }, entries: { note: "tab" },
  };
}

function keptWith(task) {
  const kept = storage();
  keepLocally(setUp(kept));
  const sheet = setUp(kept, task);
  return { kept, sheet, isKept: restore(sheet) };
}

test("what the server has not confirmed comes back with its token", () => {
  const { sheet, isKept } = keptWith({});
  assert.equal(isKept, true);
  assert.deepEqual([sheet.entries, sheet.press.token, sheet.draft.sequence], [{ note: "tab" }, "abc", 5]);
});

for (const [name, task] of [
  ["a later draft of the server", { draft_sequence: 6 }], ["a newer revision", { revision: 1 }], ["a task that can only be read", { read_only: true }],
]) {
  test(`${name} stands before what the tab kept, which is forgotten`, () => {
    const { kept, sheet, isKept } = keptWith(task);
    assert.equal(isKept, false);
    assert.deepEqual([sheet.entries, sheet.press.token], [{ note: "server" }, null]);
    assert.deepEqual(Object.keys(kept), []);
  });
}

test("another person in the same tab finds nothing of the one before", () => {
  const kept = storage();
  kept["somebody.else"] = "1";
  const store = new Store("concord.test.", () => kept);
  store.claim("R01");
  store.write("draft.t1", { note: "x" });
  store.claim("R01");
  assert.deepEqual(store.read("draft.t1"), { note: "x" });
  store.claim("R02");
  assert.equal(store.read("draft.t1"), null);
  assert.equal(kept["somebody.else"], "1");
});

test("a browser that forbids storage, or holds something else there, is no fault", () => {
  const forbidden = new Store("concord.test.", () => { throw new DOMException("denied", "SecurityError"); });
  forbidden.write("x", 1);
  forbidden.claim("R01");
  assert.equal(forbidden.read("x"), null);
  const kept = storage();
  kept["concord.test.x"] = "{half";
  assert.equal(new Store("concord.test.", () => kept).read("x"), null);
});

test("forgetting one task leaves the others", () => {
  const kept = storage();
  const sheet = setUp(kept);
  keepLocally(sheet);
  forgetLocally(sheet, "t2");
  assert.deepEqual(Object.keys(kept), ["concord.test.draft.t1"]);
  forgetLocally(sheet, "t1");
  assert.deepEqual(Object.keys(kept), []);
});
