// The draft: each change goes to the server after a short rest, the latest wins, a lost one is repeated.

const REST = 400; // ms after the last change

function changed(sheet) {
  sheet.token = null; // other entries: another press
  sheet.inputs.add(sheet.lastInput);
  sheet.draftSequence += 1;
  sheet.isDirty = true;
  keepLocally(sheet);
  setStatus(sheet, "draft_saving");
  paint(sheet);
  clearTimeout(sheet.draftTimer);
  sheet.draftTimer = setTimeout(() => { sheet.draftTurn = sendDraft(sheet); }, REST);
}

// One request at a time: what changed meanwhile follows when it is answered.
async function sendDraft(sheet, options = {}) {
  clearTimeout(sheet.draftTimer);
  if (!sheet.isDirty || sheet.isSendingDraft || sheet.busy) return;
  const { task, revision } = sheet.view.task;
  const sequence = sheet.draftSequence;
  sheet.isSendingDraft = true;
  const answer = await post(sheet, "draft", { task, sequence, base_revision: revision, entries: sheet.entries }, options);
  sheet.isSendingDraft = false;
  if (sheet.view?.task?.task !== task || sheet.busy) return;
  if (answer.kind === "ok") draftKept(sheet, task, sequence, answer.payload.sequence);
  else if (answer.kind === "refused") refuse(sheet, answer);
  else waitWithDraft(sheet, answer);
}

function draftKept(sheet, task, sent, stands) {
  sheet.draftAttempt = 0;
  if (stands > sent) { // another device was ahead: what the person does here and now is the latest
    sheet.draftSequence = stands + 1;
    keepLocally(sheet);
    sheet.draftTurn = sendDraft(sheet);
  } else if (sheet.draftSequence === sent) {
    sheet.isDirty = false;
    forgetLocally(task);
    clearBanner(sheet, "line");
    setStatus(sheet, "draft_saved");
  } else {
    sheet.draftTurn = sendDraft(sheet);
  }
}

function waitWithDraft(sheet, answer) {
  setStatus(sheet, answer.kind === "unsaved" ? "draft_unsaved" : "draft_offline");
  const wait = WAITS[Math.min(sheet.draftAttempt, WAITS.length - 1)] * 1000;
  sheet.draftAttempt += 1;
  sheet.draftTimer = setTimeout(() => { sheet.draftTurn = sendDraft(sheet); }, wait);
}

// Before the tab is hidden or left: send at once, in a request that outlives the page.
function flushDraft(sheet) {
  if (sheet.isDirty && !sheet.busy) sheet.draftTurn = sendDraft(sheet, { keepalive: true });
}

function dropDraft(sheet, task) {
  clearTimeout(sheet.draftTimer);
  sheet.isDirty = false;
  sheet.token = null;
  forgetLocally(task);
  writeStored("seconds", null);
}

// The one line that says where the entries are. `isWarning` is told by the word itself.
function setStatus(sheet, word, values = {}) {
  const isNew = sheet.status.word !== word;
  sheet.status = { word, values };
  const line = part(sheet, ".status");
  if (!line) return;
  line.textContent = say(sheet, word, values);
  line.dataset.kind = /offline|unsaved|signed_out/.test(word) ? "warn" : word === "draft_saving" || word === "saving" ? "wait" : "ok";
  if (isNew && line.dataset.kind === "warn") announce(sheet, line.textContent);
}
