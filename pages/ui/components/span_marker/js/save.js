// Save and skip: one request in flight, the same token until the server has answered.

async function save(sheet) {
  if (!sheet.view?.task || sheet.screen !== "task" || isFrozen(sheet)) return;
  sheet.wasTried = true;
  const missing = missingParts(sheet);
  if (missing.length) return showMissing(sheet, missing);
  await press(sheet, "save", { entries: sheet.entries, ...sheet.view.task.echo }); // echo: what the server wants to hear back
}

async function skip(sheet, reason, note) {
  if (isFrozen(sheet)) return;
  await press(sheet, "skip", { skip: { reason, note } });
}

async function press(sheet, path, content) {
  const { task, revision } = sheet.view.task;
  sheet.busy = true;
  sheet.wantsAnswer = true;
  clearTimeout(sheet.draftTimer);
  setStatus(sheet, "saving");
  paint(sheet);
  await sheet.draftTurn; // a draft that arrives after the save would live on
  if (path === "save") sheet.token ??= newToken();
  const token = path === "save" ? sheet.token : newToken();
  keepLocally(sheet);
  const body = { task, token, base_revision: revision, ...content, meta: meta(sheet) };
  const answer = await postUntilAnswered(sheet, path, body, {
    isWanted: () => sheet.wantsAnswer && sheet.main.isConnected,
    onWait: (why) => tellWaiting(sheet, why),
  });
  sheet.busy = false;
  if (answer?.kind === "ok") saved(sheet, answer.payload, path);
  else settle(sheet, answer);
}

function saved(sheet, { saved: receipt, view }, path) {
  dropDraft(sheet, receipt.task);
  const values = { revision: receipt.revision, time: clockTime(sheet, receipt.at) };
  sheet.status = { word: path === "skip" ? "skipped_at" : "saved_revision", values };
  announce(sheet, say(sheet, sheet.status.word, values));
  show(sheet, view);
}

// Not saved: the entries stay as they are, and the line says so.
function settle(sheet, answer) {
  clearBanner(sheet);
  sheet.isDirty = sheet.screen === "task";
  setStatus(sheet, "draft_offline");
  paint(sheet);
  if (answer) refuse(sheet, answer);
  else sheet.draftTurn = sendDraft(sheet);
}

function tellWaiting(sheet, why) {
  const isUnsaved = why.kind === "unsaved";
  setStatus(sheet, isUnsaved ? "draft_unsaved" : "draft_offline");
  banner(sheet, isUnsaved && why.error.message ? why.error.message : say(sheet, "save_waiting"), [
    [say(sheet, "retry_now"), () => wakeUp(sheet)],
    [say(sheet, "keep_editing"), () => { sheet.wantsAnswer = false; wakeUp(sheet); focusText(sheet); }],
  ]);
}

// What the server refused, in its own words, with the way on.
function refuse(sheet, { status, error }) {
  const message = error.message ?? say(sheet, "refused");
  if (status === 401) return signedOut(sheet);
  if (status === 422 && error.missing?.length && sheet.screen === "task") return showMissing(sheet, sentMissing(error.missing), message);
  if (status === 409 && sheet.view?.task) {
    setStatus(sheet, "draft_unsaved");
    return banner(sheet, message, [[say(sheet, "see_newer"), () => reload(sheet)]]);
  }
  if (status === 423 && sheet.view?.task) {
    sheet.view.task.read_only = true;
    sheet.isDirty = false;
    forgetLocally(sheet.view.task.task);
    render(sheet);
    return banner(sheet, message, [[say(sheet, "next_task"), () => open(sheet, null)]]);
  }
  setStatus(sheet, "draft_unsaved");
  return banner(sheet, message, [[say(sheet, "try_again"), () => again(sheet)], ...homeLink(sheet)], "line");
}

function signedOut(sheet) {
  setStatus(sheet, "signed_out_status");
  if (sheet.view?.task) keepLocally(sheet);
  banner(sheet, say(sheet, sheet.view ? "signed_out" : "signed_out_empty"), [
    [say(sheet, "sign_in_tab"), null, { href: sheet.data.links?.home ?? "/", target: "_blank", rel: "noopener" }],
    [say(sheet, "signed_in_again"), () => again(sheet)],
  ], "line");
}

// After signing in again, or after any refusal: the draft goes first, it has most to lose.
function again(sheet) {
  clearBanner(sheet);
  if (!sheet.view) return open(sheet, sheet.data.task ?? null);
  sheet.isDirty = true;
  setStatus(sheet, "draft_saving");
  sheet.draftTurn = sendDraft(sheet);
}

function reload(sheet) {
  const { task } = sheet.view.task;
  dropDraft(sheet, task);
  open(sheet, task);
}

function homeLink(sheet) {
  return sheet.data.links?.home ? [[say(sheet, "to_home"), null, { href: sheet.data.links.home }]] : [];
}

function sentMissing(missing) {
  return missing.map(({ scale }) => (scale?.startsWith("proposal:") ? { what: "proposal", id: scale.slice(9) } : { what: scale }));
}
