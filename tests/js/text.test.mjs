import assert from "node:assert/strict";
import { test } from "node:test";

import { splitUnits, tight } from "../../pages/ui/components/span_marker/units.js";
import { offsets, placeOfQuote, points } from "../../pages/ui/components/task/text.js";

const TEXT = "我😀觉得👨‍👩‍👧他们，一定无趣。\n真的𠮷!";

test("an emoji, a rare character and a joined family count as Python counts them", () => {
  assert.equal(points("😀").length, 1);
  assert.equal(points("𠮷").length, 1);
  assert.equal(points("👨‍👩‍👧").length, 5);
  assert.equal(points(TEXT).join(""), TEXT);
});

test("places of the script become places in code points", () => {
  const places = offsets(points("a😀b"));
  assert.deepEqual([...places], [[0, 0], [1, 1], [3, 2], [4, 3]]);
  assert.equal(places.get(2), undefined); // within the emoji
});

test("a quote is found in code points, after an emoji too", () => {
  const { start, end } = placeOfQuote(TEXT, "他们");
  assert.equal(points(TEXT).slice(start, end).join(""), "他们");
  assert.deepEqual([start, end], [9, 11]);
});

test("a quote that stands nowhere has no answer, one that stands twice no place", () => {
  assert.equal(placeOfQuote("甲乙", "丙"), null);
  assert.deepEqual(placeOfQuote("甲乙甲", "甲"), { start: null, end: null });
  assert.deepEqual(placeOfQuote("aaa", "aa"), { start: null, end: null }); // overlapping
});

for (const kind of ["words", "letters", "clauses", "sentences"]) {
  test(`${kind} lie within the text in order and are cut exactly`, () => {
    const letters = points(TEXT);
    const units = splitUnits(letters, "zh")[kind];
    assert.ok(units.length > 1);
    units.forEach(({ start, end }, place) => {
      assert.ok(start < end && end <= letters.length);
      if (place) assert.ok(start >= units[place - 1].end);
    });
  });
}

test("an emoji is one letter and one word; a clause ends at its comma", () => {
  const letters = points(TEXT);
  const units = splitUnits(letters, "zh");
  const cut = ({ start, end }) => letters.slice(start, end).join("");
  assert.ok(units.letters.map(cut).includes("👨‍👩‍👧"));
  assert.ok(units.words.map(cut).includes("😀"));
  assert.deepEqual(units.clauses.map(cut), ["我😀觉得👨‍👩‍👧他们", "一定无趣", "真的𠮷"]);
});

test("space and punctuation around words fall off", () => {
  const letters = points(" “好，的。” ");
  const { start, end } = tight(letters, { start: 0, end: letters.length });
  assert.equal(letters.slice(start, end).join(""), "好，的");
});
