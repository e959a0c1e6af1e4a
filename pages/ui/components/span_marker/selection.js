// The selected words, as a place in code points. There is one selection, the browser's own: mouse,
// touch and keyboard set it, and it is set again after each redraw.

import { announce, part } from "../task/dom.js";
import { deepFocus, isWriting } from "../task/focus.js";
import { nativeRange, offsetIn, textAround } from "../task/text.js";
import { quoteOf } from "./entries.js";
import { paintTarget } from "./labels.js";

export function boxOf(sheet, field) {
  return part(sheet, `.text[data-field="${field}"]`);
}

// A change outside our texts is no wish of the person's about them: what was selected stays so.
export function noteSelection(sheet) {
  if (sheet.screen !== "task" || sheet.isDrawing || isWriting(deepFocus(sheet))) return;
  const range = nativeRange(sheet.root);
  const box = range && textAround(sheet, range.startContainer);
  if (!box) return;
  const { field } = box.dataset;
  const start = offsetIn(box, range.startContainer, range.startOffset);
  const end = textAround(sheet, range.endContainer) === box ? offsetIn(box, range.endContainer, range.endOffset) : sheet.texts[field].length;
  const before = sheet.selection;
  if (before && before.field === field && before.start === start && before.end === end) return;
  sheet.cursor = { field, at: start };
  sheet.pivot = "end";
  sheet.clock.noteChange();
  sheet.selection = end > start && quoteOf(sheet, { field, start, end }).trim() ? { field, start, end } : null;
  paintTarget(sheet);
}

// The place of a code point in the drawn text: the text node and the script's own offset in it.
function pointAt(sheet, field, at) {
  const box = boxOf(sheet, field);
  for (const piece of box.children) {
    const from = Number(piece.dataset.from);
    const size = Number(piece.dataset.size);
    if (at <= from + size) return [piece.firstChild, sheet.texts[field].slice(from, at).join("").length];
  }
  return [box, box.childNodes.length];
}

function rangeOf(sheet, { field, start, end }) {
  const range = document.createRange();
  range.setStart(...pointAt(sheet, field, start));
  range.setEnd(...pointAt(sheet, field, end));
  return range;
}

export function showSelection(sheet) {
  if (isWriting(deepFocus(sheet))) return;
  const native = document.getSelection();
  if (sheet.selection) {
    const { field, start, end } = sheet.selection;
    native.setBaseAndExtent(...pointAt(sheet, field, start), ...pointAt(sheet, field, end));
  } else {
    const range = nativeRange(sheet.root);
    if (range && textAround(sheet, range.startContainer)) native.removeAllRanges();
  }
}

export function select(sheet, place, pivot = "end") {
  sheet.selection = place;
  sheet.pivot = pivot;
  if (place) sheet.cursor = { field: place.field, at: place.start };
  showSelection(sheet);
  paintTarget(sheet);
  if (!place) return;
  keepInView(sheet, place);
  announce(sheet, quoteOf(sheet, place));
}

export function keepInView(sheet, place) {
  const range = rangeOf(sheet, place).getBoundingClientRect();
  const frame = sheet.main.dataset.layout === "stacked" ? { top: 60, bottom: window.innerHeight - 90 } : part(sheet, ".reading").getBoundingClientRect();
  const scroller = sheet.main.dataset.layout === "stacked" ? boxOf(sheet, place.field) : part(sheet, ".reading");
  if (range.top >= frame.top + 24 && range.bottom <= frame.bottom - 12) return;
  if (sheet.main.dataset.layout === "stacked") scroller.scrollIntoView({ block: "center" });
  else scroller.scrollTop += range.top - frame.top - frame.height / 3;
}
