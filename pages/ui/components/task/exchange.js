// What a task says to the server and what each answer means: open, draft, save, skip, and a refusal.

import { announce, clockTime, say } from "./dom.js";
import { Draft } from "./draft.js";
import { isFrozen } from "./entries.js";
import { banner, clearBanner, setStatus } from "./frame.js";
import { paint, render, show } from "./page.js";
import { forgetLocally, keepLocally } from "./store.js";

function address(sheet, path) {
  return `${sheet.data.api}${sheet.face.routes}${path}`;
}

// A server that came back may count its views anew.
function countAnew(sheet, answer) {
  if (answer.kind === "offline") sheet.sequence = -1;
}

// True when what the server answered is shown.
export async function open(sheet, task, options = {}) {
  if (sheet.busy) return false;
  const turn = (sheet.opening += 1);
  sheet.draft.send();
  await sheet.draft.settled(); // what is written down here must arrive before another view is asked for
  const body = { study: sheet.data.study, task: task ?? null, ...options };
  const answer = await sheet.net.postUntilAnswered(address(sheet, "open"), body, {
    isWanted: () => turn === sheet.opening && !sheet.busy && sheet.main.isConnected,
    onWait: (why) => {
      countAnew(sheet, why);
      banner(sheet, say(sheet, "open_waiting"), [[say(sheet, "retry_now"), () => sheet.net.wake()]]);
    },
  });
  if (answer?.kind === "ok") show(sheet, answer.payload.view);
  else if (answer) refuse(sheet, answer);
  return answer?.kind === "ok";
}

// The draft of a sheet: how it is sent, and what its answers mean for the page.
export function draftOf(sheet, timers) {
  const post = (sequence, options) => {
    const { task, revision } = sheet.view.task;
    const body = { task, sequence, base_revision: revision, entries: sheet.entries };
    return sheet.net.post(address(sheet, "draft"), body, options);
  };
  return new Draft({
    post: sheet.face.hasServerDraft ? post : null,
    tell: {
      kept: () => draftKept(sheet),
      ahead: () => keepLocally(sheet),
      waiting: (answer) => setStatus(sheet, answer.kind === "unsaved" ? "draft_unsaved" : "draft_offline"),
      refused: (answer) => (answer.status === 409 ? leaveStaleDraft(sheet) : refuse(sheet, answer)),
    },
    isHeld: () => sheet.busy,
    timers,
  });
}

function draftKept(sheet) {
  if (!sheet.face.hasServerDraft) return setStatus(sheet, "kept_here");
  forgetLocally(sheet, sheet.view.task.task);
  clearBanner(sheet, "line", "quiet");
  return setStatus(sheet, "draft_saved");
}

// Saved elsewhere meanwhile: what was changed here builds on entries that no longer stand, so the
// saved ones are shown, and one quiet sentence says why. Nothing happens behind a pause.
async function leaveStaleDraft(sheet) {
  if (sheet.veil) {
    sheet.afterVeil = () => leaveStaleDraft(sheet);
    return;
  }
  sheet.status = { word: "", values: {} };
  if (await reload(sheet)) banner(sheet, say(sheet, "draft_stale"), [], "quiet");
}

function dropDraft(sheet, task) {
  sheet.draft.drop();
  sheet.press.renew();
  forgetLocally(sheet, task);
  sheet.store.write("seconds", null);
}

function reload(sheet) {
  const { task } = sheet.view.task;
  dropDraft(sheet, task);
  return open(sheet, task);
}

export async function save(sheet) {
  if (!sheet.view?.task || sheet.screen !== "task" || isFrozen(sheet)) return;
  sheet.wasTried = true;
  const missing = sheet.face.missing(sheet);
  if (missing.length) return sheet.face.showMissing(sheet, missing);
  await press(sheet, "save", { entries: sheet.entries, ...sheet.view.task.echo }); // echo: what the server wants to hear back
}

export async function skip(sheet, reason, note) {
  if (isFrozen(sheet)) return;
  await press(sheet, "skip", { skip: { reason, note } });
}

async function press(sheet, path, content) {
  const { task, revision } = sheet.view.task;
  sheet.busy = true;
  sheet.draft.wait();
  setStatus(sheet, "saving");
  paint(sheet);
  await sheet.draft.settled(); // a draft that arrives after the save would live on
  const token = path === "save" ? sheet.press.draw() : sheet.press.fresh();
  keepLocally(sheet);
  const body = { task, token, base_revision: revision, ...content, meta: circumstances(sheet) };
  const answer = await sheet.press.send(address(sheet, path), body, {
    isHere: () => sheet.main.isConnected,
    onWait: (why) => tellWaiting(sheet, why),
  });
  sheet.busy = false;
  if (answer?.kind === "ok") saved(sheet, answer.payload, path);
  else settle(sheet, answer);
}

function circumstances(sheet) {
  return {
    layout: sheet.main.dataset.layout === "stacked" ? "stacked" : "side-by-side",
    input: sheet.clock.inputKind(),
    active_seconds: Math.round(sheet.clock.seconds * 10) / 10,
    lang: sheet.data.lang === "zh" ? "zh" : "en",
    width: Math.round(window.innerWidth),
  };
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
  sheet.draft.isDirty = sheet.screen === "task";
  setStatus(sheet, "draft_offline");
  paint(sheet);
  if (answer) refuse(sheet, answer);
  else sheet.draft.send();
}

function tellWaiting(sheet, why) {
  countAnew(sheet, why);
  const isUnsaved = why.kind === "unsaved";
  setStatus(sheet, isUnsaved ? "draft_unsaved" : "draft_offline");
  banner(sheet, isUnsaved && why.error.message ? why.error.message : say(sheet, "save_waiting"), [
    [say(sheet, "retry_now"), () => sheet.net.wake()],
    [say(sheet, "keep_editing"), () => { sheet.press.giveUp(); sheet.face.focusBack(sheet); }],
  ]);
}

// What the server refused, in its own words, with the way on.
function refuse(sheet, { status, error }) {
  const message = error.message ?? say(sheet, "refused");
  if (status === 401) return signedOut(sheet);
  if (status === 422 && error.missing?.length && sheet.screen === "task") {
    return sheet.face.showMissing(sheet, sheet.face.readMissing(sheet, error.missing), message);
  }
  if (status === 409 && sheet.view?.task) {
    setStatus(sheet, "draft_unsaved");
    return banner(sheet, message, [[say(sheet, "see_newer"), () => reload(sheet)]]);
  }
  if (status === 423 && sheet.view?.task) return closed(sheet, message);
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

// Locked or final: the entries can only be read from now on.
function closed(sheet, message) {
  sheet.view.task.read_only = true;
  sheet.draft.drop();
  forgetLocally(sheet, sheet.view.task.task);
  render(sheet);
  banner(sheet, message, [[say(sheet, "next_task"), () => open(sheet, null)]]);
}

// After signing in again, or after any refusal: the draft goes first, it has most to lose.
function again(sheet) {
  clearBanner(sheet);
  if (!sheet.view) return open(sheet, sheet.data.task ?? null);
  sheet.draft.isDirty = true;
  setStatus(sheet, "draft_saving");
  return sheet.draft.send();
}

function homeLink(sheet) {
  return sheet.data.links?.home ? [[say(sheet, "to_home"), null, { href: sheet.data.links.home }]] : [];
}

// Back in the tab, or on the net again: what waits is tried at once.
export function comeBack(sheet) {
  sheet.clock.wake();
  sheet.net.wake();
  if (sheet.view?.task) sheet.draft.send();
}
