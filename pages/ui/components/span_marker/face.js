// The span marker: one text, its labels and spans, alone first and then with a model's proposals.

import { screenOf, skipPanel, wordsPanel } from "../task/screens.js";
import { mount } from "../task/task.js";
import { paintActions, paintCertainty } from "./closing.js";
import { emptyEntries, readTexts } from "./entries.js";
import { backButton, goBack } from "./head.js";
import { COMMANDS, FOR_READERS, help, onMarkControlKey, onMarkKey } from "./keys.js";
import { paintGuide, paintMeaning, paintTarget, readLabels } from "./labels.js";
import { paintMarks } from "./list.js";
import { missingParts } from "./marks.js";
import { changeTo, evidenceIn, firstOpen, paintProposals, takeUp } from "./proposals.js";
import { SCREENS } from "./screens.js";
import { noteSelection, showSelection } from "./selection.js";
import { fillText, fitTags, paintTexts } from "./text.js";
import { focusFirst, focusText, readMissing, showMissing } from "./walk.js";

export const face = {
  routes: "/api/marker/",
  store: "concord.marker.",
  hasServerDraft: true,
  emptyEntries,
  packed: (entries) => entries,
  unpacked: (_sheet, entries) => entries,
  state: () => ({ labels: [], texts: {}, isGuided: false }),
  fresh: () => ({
    selection: null, cursor: null, meant: null, held: null, changing: null, proposal: null, chord: null,
    units: {}, done: [], undone: [],
  }),
  recall: (sheet) => { sheet.isGuided = sheet.store.read("guided") === true; },
  readTask, beginTask,
  screens: SCREENS, screenOf,
  ways: backButton, goBack,
  prepare: (sheet) => { sheet.main.dataset.round = sheet.view?.task?.round ?? ""; },
  draw: paintGuide,
  paint,
  isSideBySide: (_sheet, width) => width >= 880,
  measure: (sheet) => { if (sheet.screen === "task") fitTags(sheet); },
  missing: missingParts, showMissing, readMissing,
  focusFirst, focusBack: focusText,
  refocus: (sheet, render) => { render(); focusFirst(sheet); },
  panels: {
    note: { word: "note", draw: (sheet) => wordsPanel(sheet, "note") },
    skip: { word: "skip", draw: skipPanel },
  },
  wordsPanel: "note",
  help,
  commands: COMMANDS, forReaders: FOR_READERS,
  onKey: onMarkKey, onControlKey: onMarkControlKey, usesAlt: true, shiftKeepsDigits: true,
  listen,
  unveiled: (sheet) => { if (sheet.screen === "task") showSelection(sheet); },
  // How a text is drawn, and what a model proposed: another face may have its own.
  fillText, firstOpen, evidenceIn, takeUp, changeTo, paintProposals,
};

function readTask(sheet) {
  sheet.texts = readTexts(sheet.view.task);
  sheet.labels = readLabels(sheet);
}

function beginTask(sheet) {
  sheet.proposal = sheet.view.task.read_only ? null : sheet.face.firstOpen(sheet)?.id ?? null;
}

function paint(sheet, missing) {
  paintTexts(sheet);
  paintTarget(sheet);
  paintMeaning(sheet);
  sheet.face.paintProposals(sheet);
  paintMarks(sheet);
  paintCertainty(sheet);
  paintActions(sheet, missing);
}

function listen(sheet, on) {
  on(document, "selectionchange", () => noteSelection(sheet));
  on(sheet.main, "click", (event) => { if (sheet.busy && event.target.closest(".desk, .closing")) event.preventDefault(); }, true);
}

export default mount(face);
