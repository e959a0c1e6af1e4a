// The marks of a text: own spans, own labels of the whole item, and what was adopted from proposals.

import { announce, say } from "../task/dom.js";
import { isFrozen } from "../task/entries.js";
import { FIELDS, labelOf, quoteOf } from "./entries.js";
import { act } from "./history.js";
import { trimmed } from "./units.js";

function samePlace(one, other) {
  return one.field === other.field && one.start === other.start && one.end === other.end;
}

export function sameMark(one, other) {
  return one.label === other.label && samePlace(one, other);
}

function wholeMark(label, origin, proposal) {
  return { label, field: null, start: null, end: null, origin, proposal };
}

// What a model proposed; only the second round has any.
function proposalsOf(sheet) {
  return sheet.view.task.proposals ?? [];
}

function adoptedMarks(sheet) {
  const adopted = [];
  for (const proposal of proposalsOf(sheet)) {
    const given = sheet.entries.answers[proposal.id];
    if (!given || given.answer === "rejected") continue;
    const source = given.answer === "changed" ? given : proposal;
    adopted.push({ ...wholeMark(source.label, "model", proposal.id), ...(source.field ? { field: source.field, start: source.start, end: source.end } : {}) });
  }
  return adopted;
}

// All of them in reading order, each once: an own mark stands before the same one adopted.
export function allMarks(sheet) {
  const { spans, labels } = sheet.entries;
  const own = [...spans.map((span) => ({ ...span, origin: "own" })), ...labels.map((label) => wholeMark(label, "own"))];
  const marks = [...own];
  for (const mark of adoptedMarks(sheet)) {
    if (!marks.some((other) => sameMark(other, mark))) marks.push(mark);
  }
  const place = (mark) => (mark.field === null ? FIELDS.length : FIELDS.indexOf(mark.field));
  return marks.sort((one, other) => place(one) - place(other) || one.start - other.start || one.end - other.end);
}

export function labelsOnTarget(sheet) {
  const place = sheet.selection ? trimmed(sheet, sheet.selection) : null;
  return new Set(allMarks(sheet).filter((mark) => (place ? mark.field && samePlace(mark, place) : mark.field === null)).map((mark) => mark.label));
}

// Pressed once it marks, pressed again on the same words it takes the mark off.
export function putLabel(sheet, id, isWhole) {
  if (isFrozen(sheet) || !id) return;
  sheet.meant = id;
  if (sheet.changing) return sheet.face.changeTo(sheet, id, isWhole);
  const place = !isWhole && sheet.selection ? trimmed(sheet, sheet.selection) : null;
  const mark = place ? { ...place, label: id } : wholeMark(id);
  const isThere = place ? sheet.entries.spans.some((span) => sameMark(span, mark)) : sheet.entries.labels.includes(id);
  act(sheet, (entries) => {
    entries.verdict = null;
    if (place) entries.spans = isThere ? entries.spans.filter((span) => !sameMark(span, mark)) : [...entries.spans, mark];
    else entries.labels = isThere ? entries.labels.filter((label) => label !== id) : [...entries.labels, id];
  });
  const words = place ? quoteOf(sheet, place) : say(sheet, "whole_item");
  announce(sheet, say(sheet, isThere ? "unmarked" : "marked", { label: labelOf(sheet, id).name, words }));
}

// None and unsure stand alone; whatever they replace comes back with undo.
export function putVerdict(sheet, verdict) {
  if (isFrozen(sheet)) return;
  const isOn = sheet.entries.verdict === verdict;
  const replaced = allMarks(sheet).length;
  act(sheet, (entries) => {
    entries.verdict = isOn ? null : verdict;
    if (isOn) return;
    Object.assign(entries, { labels: [], spans: [] });
    for (const [id, given] of Object.entries(entries.answers)) if (given.answer !== "rejected") delete entries.answers[id];
  });
  announce(sheet, isOn ? say(sheet, "verdict_off") : `${say(sheet, verdict)} ${replaced ? say(sheet, "replaced", { count: replaced }) : ""}`);
}

export function removeMark(sheet, mark) {
  if (isFrozen(sheet)) return;
  act(sheet, (entries) => {
    if (mark.origin === "model") delete entries.answers[mark.proposal];
    else if (mark.field === null) entries.labels = entries.labels.filter((label) => label !== mark.label);
    else entries.spans = entries.spans.filter((span) => !sameMark(span, mark));
  });
  announce(sheet, say(sheet, "unmarked", { label: labelOf(sheet, mark.label).name, words: mark.field ? quoteOf(sheet, mark) : say(sheet, "whole_item") }));
}

// Delete: the marks on exactly these words, else the shortest one around them.
export function removeHere(sheet) {
  const here = sheet.selection ? trimmed(sheet, sheet.selection) : sheet.cursor && { ...sheet.cursor, start: sheet.cursor.at, end: sheet.cursor.at };
  if (!here) return;
  const around = allMarks(sheet).filter((mark) => mark.field === here.field && mark.start <= here.start && mark.end >= here.end)
    .sort((one, other) => (one.end - one.start) - (other.end - other.start));
  if (around[0]) removeMark(sheet, around[0]);
}

export function setCertainty(sheet, value) {
  if (isFrozen(sheet)) return;
  act(sheet, (entries) => { entries.certainty = value; });
}

// What a save would still lack: {what: "labels" | "proposal" | "reason", id?}.
export function missingParts(sheet) {
  const { entries, view } = sheet;
  const missing = [];
  for (const { id } of proposalsOf(sheet)) if (!entries.answers[id]) missing.push({ what: "proposal", id });
  if (!entries.verdict && allMarks(sheet).length === 0) missing.push({ what: "labels" });
  if (view.task.corrects && !entries.reason.trim()) missing.push({ what: "reason" });
  return missing;
}
