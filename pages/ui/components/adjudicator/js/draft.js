// A decision in the making stays in this tab: it is short, and nobody else is to see it.

const REST = 400; // ms; here only for the parts shared with the span marker

function changed(sheet) {
  sheet.token = null; // other entries: another press
  sheet.draftSequence += 1;
  keepLocally(sheet);
  setStatus(sheet, "kept_here");
  paint(sheet);
}

async function sendDraft(sheet) {
  sheet.isDirty = false;
  if (sheet.view?.task) setStatus(sheet, "kept_here");
}

function flushDraft() {}

function dropDraft(sheet, task) {
  sheet.isDirty = false;
  sheet.token = null;
  forgetLocally(task);
}

function setStatus(sheet, word, values = {}) {
  const isNew = sheet.status.word !== word;
  sheet.status = { word, values };
  const line = part(sheet, ".status");
  if (!line) return;
  line.textContent = say(sheet, word, values);
  line.dataset.kind = /offline|unsaved|signed_out/.test(word) ? "warn" : word === "saving" ? "wait" : "ok";
  if (isNew && line.dataset.kind === "warn") announce(sheet, line.textContent);
}
