// Undo and redo: what the marks were before each act of the person. Written text undoes itself.

import { announce, say } from "../task/dom.js";
import { isFrozen, sameEntries } from "../task/entries.js";
import { changed } from "../task/page.js";

const KEPT = ["labels", "spans", "verdict", "certainty", "answers"];
const DEPTH = 200;

function snapshot(entries) {
  return structuredClone(Object.fromEntries(KEPT.map((name) => [name, entries[name]])));
}

export function act(sheet, change) {
  const before = snapshot(sheet.entries);
  change(sheet.entries);
  if (sameEntries(snapshot(sheet.entries), before)) return;
  sheet.undone = [];
  sheet.done = [...sheet.done, before].slice(-DEPTH);
  changed(sheet);
}

export function undo(sheet) {
  stepBack(sheet, "done", "undone", "undo_done");
}

export function redo(sheet) {
  stepBack(sheet, "undone", "done", "redo_done");
}

function stepBack(sheet, from, to, word) {
  if (isFrozen(sheet) || sheet[from].length === 0) return;
  sheet[to].push(snapshot(sheet.entries));
  Object.assign(sheet.entries, sheet[from].pop());
  sheet.changing = null;
  changed(sheet);
  announce(sheet, say(sheet, word));
}
