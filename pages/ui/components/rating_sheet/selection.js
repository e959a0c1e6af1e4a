// Selected words of an answer: what a flag is about.

import { part, say } from "../task/dom.js";
import { isFrozen } from "../task/entries.js";
import { deepFocus } from "../task/focus.js";
import { nativeRange, offsetIn, points, textAround } from "../task/text.js";
import { slotText } from "./answers.js";

// Remembered at each change, since a click on a button may drop the selection.
export function noteSelection(sheet) {
  if (sheet.screen !== "task" || isFrozen(sheet)) return;
  const range = nativeRange(sheet.root);
  const place = range && !range.collapsed ? placeOf(sheet, range) : null;
  const isInPanel = deepFocus(sheet)?.closest?.(".drawer");
  if (place || !isInPanel) sheet.selection = place;
  paintSelection(sheet);
}

function placeOf(sheet, { startContainer, startOffset, endContainer, endOffset }) {
  const box = textAround(sheet, startContainer);
  if (!box || box !== textAround(sheet, endContainer)) return null;
  const start = offsetIn(box, startContainer, startOffset);
  const end = offsetIn(box, endContainer, endOffset);
  const { slot } = box.dataset;
  const quote = points(slotText(sheet, slot)).slice(start, end).join("");
  return quote.trim() ? { slot, start, end, quote } : null;
}

// The button of flags says what it would do now.
export function paintSelection(sheet) {
  const flag = part(sheet, ".to-flags");
  if (!flag) return;
  const { length } = sheet.entries.flags;
  const word = sheet.selection && !sheet.panel ? "flag_selected" : length ? "flag_count" : "flag";
  flag.firstChild.textContent = say(sheet, word, { count: length });
  flag.classList.toggle("ready", word === "flag_selected");
}
