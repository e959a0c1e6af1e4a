// Words, clauses and sentences of a text, as places in code points. Chinese words come from the
// browser's own dictionary; a browser without it goes letter by letter in Chinese.

import { offsets } from "../task/text.js";

const STOPS = new Set("，；：。．！？…—\n\r，；：！？");
const WEAK_STOPS = new Set(",;:.!?");
const PICTURE = /\p{Extended_Pictographic}/u;
const EDGE = /[\s\p{P}]/u;

export function unitsOf(sheet, field) {
  return (sheet.units[field] ??= splitUnits(sheet.texts[field], sheet.view.study.lang));
}

export function splitUnits(letters, lang) {
  const text = letters.join("");
  const at = offsets(letters);
  return {
    words: segments(text, lang, "word", at).filter(({ isWord }) => isWord).map(({ start, end }) => ({ start, end })),
    letters: segments(text, lang, "grapheme", at),
    clauses: pieces(letters, stops(letters)),
    sentences: sentences(letters, segments(text, lang, "sentence", at)),
  };
}

function segments(text, lang, granularity, at) {
  if (typeof Intl === "undefined" || !Intl.Segmenter) return plainSegments(text, granularity, at);
  const cuts = [...new Intl.Segmenter(lang === "zh" ? "zh" : "en", { granularity }).segment(text)];
  return cuts.map(({ segment, index, isWordLike }) => ({
    start: at.get(index), end: at.get(index + segment.length), isWord: Boolean(isWordLike) || PICTURE.test(segment),
  }));
}

function plainSegments(text, granularity, at) {
  const pattern = { word: /[\p{Script=Han}]|[\p{L}\p{N}\p{M}'’]+|[^]/gu, grapheme: /[^]\p{M}*/gu, sentence: /[^。！？!?\n]+[。！？!?\n]*/gu }[granularity];
  return [...text.matchAll(pattern)].map((match) => ({
    start: at.get(match.index), end: at.get(match.index + match[0].length), isWord: /[\p{L}\p{N}]/u.test(match[0]) || PICTURE.test(match[0]),
  }));
}

// Where a clause ends: Chinese stops always, Latin ones before a space.
function stops(letters) {
  return letters.map((letter, place) => STOPS.has(letter) || (WEAK_STOPS.has(letter) && !/[^\s\p{P}]/u.test(letters[place + 1] ?? " ")));
}

function pieces(letters, isStop) {
  const parts = [];
  let start = 0;
  for (let place = 0; place <= letters.length; place += 1) {
    if (place < letters.length && !isStop[place]) continue;
    parts.push(tight(letters, { start, end: place }));
    start = place + 1;
  }
  return parts.filter(({ start: from, end }) => end > from);
}

function sentences(letters, cuts) {
  const isBreak = letters.map((letter) => letter === "\n");
  return cuts.flatMap(({ start, end }) => pieces(letters.slice(start, end), isBreak.slice(start, end))
    .map((piece) => ({ start: start + piece.start, end: start + piece.end })));
}

// Without the space and punctuation around it.
export function tight(letters, { start, end }) {
  while (start < end && EDGE.test(letters[start])) start += 1;
  while (end > start && EDGE.test(letters[end - 1])) end -= 1;
  return { start, end };
}

// Without the space around it: what a mouse easily catches too much of.
export function trimmed(sheet, place) {
  const letters = sheet.texts[place.field];
  let { start, end } = place;
  while (start < end && !letters[start].trim()) start += 1;
  while (end > start && !letters[end - 1].trim()) end -= 1;
  return end > start ? { field: place.field, start, end } : { field: place.field, start: place.start, end: place.end };
}
