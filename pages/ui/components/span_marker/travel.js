// Through the text by the keyboard: word by word, clause by clause, sentence by sentence.

import { FIELDS } from "./entries.js";
import { allMarks } from "./marks.js";
import { select } from "./selection.js";
import { tight, unitsOf } from "./units.js";

function fieldsHere(sheet) {
  return FIELDS.filter((field) => sheet.texts[field].length > 0);
}

// Where the person is: the selected words, else the last place of the cursor.
export function placeNow(sheet) {
  if (sheet.selection) return sheet.selection;
  const cursor = sheet.cursor ?? { field: fieldsHere(sheet)[0], at: 0 };
  return { field: cursor.field, start: cursor.at, end: cursor.at };
}

export function travel(sheet, kind, by) {
  const { field, start, end } = placeNow(sheet);
  const units = unitsOf(sheet, field)[kind];
  const isEmpty = start === end;
  const unit = by > 0 ? units.find((other) => (isEmpty ? other.end > end : other.start >= end)) : units.findLast((other) => (isEmpty ? other.start < start : other.end <= start));
  if (unit) return select(sheet, { field, ...unit });
  const fields = fieldsHere(sheet);
  const next = fields[fields.indexOf(field) + by];
  const there = next && unitsOf(sheet, next)[kind].at(by > 0 ? 0 : -1);
  if (there) return select(sheet, { field: next, ...there });
  return sheet.selection ? undefined : by > 0 && select(sheet, units.length ? { field, ...units.at(-1) } : null);
}

// One end of the selection moves: the later one, or the earlier one once it was pulled that way.
export function extend(sheet, kind, by) {
  if (!sheet.selection) return travel(sheet, kind, by);
  const { field, start, end } = sheet.selection;
  const units = unitsOf(sheet, field)[kind];
  const isOne = unitsOf(sheet, field).words.filter((word) => word.start < end && word.end > start).length <= 1;
  const pivot = isOne ? (by > 0 ? "end" : "start") : sheet.pivot;
  return moveEdge(sheet, { field, start, end }, units, by, pivot);
}

function moveEdge(sheet, place, units, by, pivot) {
  const { start, end } = place;
  const edges = units.map((unit) => unit[pivot]);
  const from = place[pivot];
  const to = by > 0 ? edges.find((edge) => edge > from) : edges.findLast((edge) => edge < from);
  const moved = { ...place, [pivot]: to ?? (by > 0 ? Math.max(from, end) : Math.min(from, start)) };
  if (moved.end > moved.start) select(sheet, moved, pivot);
}

export function moveStart(sheet, kind, by) {
  if (!sheet.selection) return;
  moveEdge(sheet, sheet.selection, unitsOf(sheet, sheet.selection.field)[kind], by, "start");
  sheet.pivot = "end";
}

export function moveEnd(sheet, kind, by) {
  if (sheet.selection) moveEdge(sheet, sheet.selection, unitsOf(sheet, sheet.selection.field)[kind], by, "end");
}

// From a word to its clause, its sentence, the whole field.
export function grow(sheet) {
  const now = placeNow(sheet);
  const units = unitsOf(sheet, now.field);
  for (const kind of ["words", "clauses", "sentences"]) {
    const cover = coverOf(units[kind], now);
    if (cover && (cover.start < now.start || cover.end > now.end)) return select(sheet, { field: now.field, ...cover });
  }
  return select(sheet, { field: now.field, ...tight(sheet.texts[now.field], { start: 0, end: sheet.texts[now.field].length }) });
}

function coverOf(units, { start, end }) {
  const first = units.find((unit) => unit.end > start);
  const last = units.findLast((unit) => unit.start < Math.max(end, start + 1)) ?? first;
  return first && last ? { start: Math.min(first.start, last.start, end > start ? start : first.start), end: Math.max(first.end, last.end, end) } : null;
}

export function toEdge(sheet, by) {
  const { field } = placeNow(sheet);
  const word = unitsOf(sheet, field).words.at(by > 0 ? -1 : 0);
  if (word) select(sheet, { field, ...word });
}

// From mark to mark, in reading order.
export function toMark(sheet, by) {
  const marks = allMarks(sheet).filter((mark) => mark.field !== null);
  if (marks.length === 0) return;
  const order = (place) => FIELDS.indexOf(place.field) * 1e9 + place.start * 1e3 + (place.end - place.start) / 1e6;
  const here = order(placeNow(sheet));
  const mark = by > 0 ? marks.find((other) => order(other) > here) ?? marks[0] : marks.findLast((other) => order(other) < here) ?? marks.at(-1);
  select(sheet, { field: mark.field, start: mark.start, end: mark.end });
}
