// The rating sheet: one task, its answers side by side, all its scores. The rest is the kit's.

import { mount } from "../task/task.js";
import { points } from "../task/text.js";
import { screenOf, skipPanel, wordsPanel } from "../task/screens.js";
import { paintTexts, slotText } from "./answers.js";
import { paintActions } from "./closing.js";
import { flagsPanel } from "./flags.js";
import { paintAnchor, paintGuideState } from "./guide.js";
import { offerFold } from "./head.js";
import { HELP, onSheetKey } from "./keys.js";
import { boxOf, inputsOf, targetOf } from "./scales.js";
import { SCREENS } from "./screens.js";
import { noteSelection } from "./selection.js";
import { listTargets, missingParts, readMissing, valueOf } from "./targets.js";
import { enterStage, focusFirst, focusTarget, onChange, paintCurrent, setCurrent, showMissing } from "./walk.js";

const face = {
  routes: "/api/sheet/",
  store: "concord.sheet.",
  hasServerDraft: true,
  emptyEntries: () => ({ scores: {}, task_scores: {}, steps: {}, preference: null, flags: [], comment: "", confidence: null, reason: "" }),
  packed, unpacked,
  state: () => ({ guides: {} }),
  fresh: () => ({ current: null, guided: null, selection: null, targets: [] }),
  recall: (sheet) => { sheet.guides = sheet.store.read("guides") ?? {}; },
  readTask() {},
  beginTask: (sheet) => { sheet.stage = sheet.view.instrument.steps?.when === "before" ? "steps" : "scores"; },
  screens: SCREENS, screenOf, prepare, draw, paint,
  isSideBySide: (sheet, width) => width >= Math.max(860, 250 * slotCount(sheet)),
  measure,
  missing: missingParts, showMissing, readMissing,
  focusFirst,
  focusBack: (sheet) => focusTarget(sheet, sheet.current ?? sheet.targets[0]),
  refocus,
  panels: {
    flags: { word: "flag", draw: flagsPanel },
    comment: { word: "comment", draw: (sheet) => wordsPanel(sheet, "comment") },
    skip: { word: "skip", draw: skipPanel },
  },
  wordsPanel: "comment",
  help: () => HELP,
  onKey: onSheetKey,
  listen,
};

// A quote is part of an answer: only its place is kept in the tab, and read again from the text.
function packed(entries) {
  return { ...entries, flags: entries.flags.map((flag) => ({ ...flag, quote: "" })) };
}

function unpacked(sheet, entries) {
  for (const flag of entries.flags) {
    if (flag.start !== null && !flag.quote) flag.quote = points(slotText(sheet, flag.slot)).slice(flag.start, flag.end).join("");
  }
  return entries;
}

function slotCount(sheet) {
  return sheet.view?.task?.slots.length || 1;
}

function prepare(sheet) {
  sheet.main.dataset.slots = sheet.view?.task?.slots.length ?? 0;
  if (sheet.view?.state === "task") sheet.targets = listTargets(sheet);
  sheet.current = sheet.targets.find((target) => target.id === sheet.current?.id) ?? null;
}

function draw(sheet) {
  enterStage(sheet, sheet.stage, false);
  paintTexts(sheet);
  offerFold(sheet);
}

function paint(sheet, missing) {
  for (const target of sheet.targets) {
    const box = boxOf(sheet, target);
    box.classList.toggle("filled", valueOf(sheet, target) !== null);
    for (const input of inputsOf(sheet, target)) input.parentElement.classList.toggle("on", input.checked);
    box.classList.toggle("missing", sheet.wasTried && missing.some((gap) => gap.target === target));
    paintAnchor(sheet, target);
  }
  paintActions(sheet, missing);
  paintCurrent(sheet);
}

function measure(sheet, width) {
  const room = width / slotCount(sheet);
  sheet.main.dataset.room = room >= 560 ? "wide" : room >= 470 ? "middle" : room >= 400 ? "tight" : "narrow";
  if (sheet.screen !== "task") return;
  offerFold(sheet);
  paintGuideState(sheet);
}

function refocus(sheet, render) {
  const focused = sheet.current;
  render();
  if (focused) focusTarget(sheet, sheet.current);
}

function listen(sheet, on) {
  on(document, "selectionchange", () => noteSelection(sheet));
  on(sheet.main, "change", (event) => onChange(sheet, event));
  on(sheet.main, "click", (event) => { if (sheet.busy && event.target.closest(".scale")) event.preventDefault(); }, true);
  on(sheet.main, "focusin", (event) => followFocus(sheet, event.target));
}

function followFocus(sheet, element) {
  const target = targetOf(sheet, element);
  if (target) setCurrent(sheet, target);
  else if (element.closest(".actions .primary")) setCurrent(sheet, null);
  if (sheet.screen === "task") for (const each of sheet.targets) paintAnchor(sheet, each);
}

export default mount(face);
