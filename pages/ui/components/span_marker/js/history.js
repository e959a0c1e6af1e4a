// Undo and redo: what the marks were before each act of the person. Written text undoes itself.

const KEPT = ["labels", "spans", "verdict", "certainty", "answers"];
const DEPTH = 200;

function snapshot(entries) {
  return JSON.stringify(KEPT.map((name) => entries[name]));
}

function putBack(entries, kept) {
  JSON.parse(kept).forEach((value, place) => { entries[KEPT[place]] = value; });
}

function act(sheet, change) {
  const before = snapshot(sheet.entries);
  change(sheet.entries);
  if (snapshot(sheet.entries) === before) return;
  sheet.undone = [];
  sheet.done = [...sheet.done, before].slice(-DEPTH);
  changed(sheet);
}

function undo(sheet) {
  stepBack(sheet, "done", "undone", "undo_done");
}

function redo(sheet) {
  stepBack(sheet, "undone", "done", "redo_done");
}

function stepBack(sheet, from, to, word) {
  if (isFrozen(sheet) || sheet[from].length === 0) return;
  sheet[to].push(snapshot(sheet.entries));
  putBack(sheet.entries, sheet[from].pop());
  sheet.changing = null;
  changed(sheet);
  announce(sheet, say(sheet, word));
}
