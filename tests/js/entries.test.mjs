import assert from "node:assert/strict";
import { test } from "node:test";

import { readEntries, sameEntries } from "../../pages/ui/components/task/entries.js";

const EMPTY = { labels: [], answers: {}, note: "" };

test("what was not sent is empty, and the copy is our own", () => {
  const sent = { labels: ["a"], answers: { 1: { answer: "confirmed" } } };
  const entries = readEntries(EMPTY, sent);
  assert.deepEqual(entries, { ...sent, note: "" });
  entries.labels.push("b");
  entries.answers[1].answer = "rejected";
  assert.deepEqual(sent, { labels: ["a"], answers: { 1: { answer: "confirmed" } } });
  assert.deepEqual(readEntries(EMPTY, null), EMPTY);
});

for (const [name, one, other, isSame] of [
  ["the order of names says nothing", { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }, true],
  ["the order of a list does", ["a", "b"], ["b", "a"], false],
  ["a missing name is not an empty one", { a: null }, {}, false],
  ["nor another name", { a: null }, { b: null }, false],
  ["a list is no object", [], {}, false],
  ["null is no object", null, {}, false],
  ["1 is not true", { confidence: 1 }, { confidence: true }, false],
  ["nor \"1\"", { confidence: 1 }, { confidence: "1" }, false],
  ["a longer list is another one", [1], [1, 1], false],
]) test(name, () => assert.equal(sameEntries(one, other), isSame));
