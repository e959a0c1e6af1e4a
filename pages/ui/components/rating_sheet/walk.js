// Where the person is: the scale in hand, the way to the next one, and to what is missing.

import { part, say } from "../task/dom.js";
import { openPanel } from "../task/drawer.js";
import { isReadOnly } from "../task/entries.js";
import { banner } from "../task/frame.js";
import { changed, paint } from "../task/page.js";
import { paintMore } from "./answers.js";
import { paintGuide } from "./guide.js";
import { boxOf, inputsOf, targetOf } from "./scales.js";
import { missingParts, setValue, stageOf, valueOf } from "./targets.js";

export function setCurrent(sheet, target) {
  if (sheet.current === target) return paintCurrent(sheet);
  sheet.current = target;
  if (target?.slot && target.kind !== "preference" && stageOf(target) !== sheet.stage) enterStage(sheet, stageOf(target), false);
  paintCurrent(sheet);
}

export function paintCurrent(sheet) {
  for (const box of sheet.page.querySelectorAll(".scale")) box.classList.toggle("now", box.dataset.target === sheet.current?.id);
  for (const box of sheet.page.querySelectorAll(".card")) box.classList.toggle("now", box.dataset.slot === sheet.current?.slot);
  paintGuide(sheet);
}

export function focusTarget(sheet, target) {
  if (!target) return focusSave(sheet);
  setCurrent(sheet, target);
  const inputs = inputsOf(sheet, target);
  const input = inputs.find((input) => input.checked) ?? inputs[0];
  input?.focus({ preventScroll: true });
  boxOf(sheet, target)?.scrollIntoView({ block: "nearest" });
}

function focusSave(sheet) {
  setCurrent(sheet, null);
  part(sheet, ".actions .primary")?.focus();
}

export function move(sheet, by) {
  const at = sheet.current ? sheet.targets.indexOf(sheet.current) : sheet.targets.length;
  const to = at + by;
  if (to < 0) return;
  focusTarget(sheet, sheet.targets[to] ?? null);
}

export function focusFirst(sheet) {
  const chosen = part(sheet, "[data-first]");
  if (sheet.screen === "task") focusTarget(sheet, isReadOnly(sheet) ? null : sheet.targets[0]);
  else chosen?.focus();
}

export function enterStage(sheet, stage, movesFocus = true) {
  sheet.stage = stage;
  sheet.main.dataset.stage = stage;
  for (const tab of sheet.page.querySelectorAll(".stage")) tab.setAttribute("aria-pressed", String(tab.dataset.stage === stage));
  for (const text of sheet.page.querySelectorAll(".text")) paintMore(text);
  if (!movesFocus) return;
  const own = sheet.targets.filter((target) => target.slot && stageOf(target) === stage);
  focusTarget(sheet, own.find((target) => valueOf(sheet, target) === null) ?? own[0]);
}

// After a score: the next scale. Stacked, another answer is read first, so its text gets the focus.
export function advance(sheet) {
  const from = sheet.current;
  const to = sheet.targets[sheet.targets.indexOf(from) + 1] ?? null;
  const isNewAnswer = to?.slot && to.slot !== from.slot && stageOf(to) === stageOf(from);
  if (!isNewAnswer || sheet.main.dataset.layout !== "stacked" || valueOf(sheet, to) !== null) return focusTarget(sheet, to);
  setCurrent(sheet, to);
  const card = boxOf(sheet, to).closest(".card");
  card.querySelector(".text").focus({ preventScroll: true });
  card.scrollIntoView({ block: "start" });
}

export function goToMissing(sheet) {
  const missing = missingParts(sheet);
  if (missing.length) focusMissing(sheet, missing[0]);
  else focusSave(sheet);
}

export function showMissing(sheet, missing, message) {
  sheet.wasTried = true;
  paint(sheet);
  const names = missing.slice(0, 6).map(({ name }) => name).join(say(sheet, "list_comma"));
  const text = say(sheet, "missing", { count: missing.length, names });
  banner(sheet, message ? `${message} ${text}` : text, [], "missing");
  focusMissing(sheet, missing[0]);
}

function focusMissing(sheet, { target, what }) {
  if (target) return focusTarget(sheet, target);
  if (what === "reason") {
    const input = part(sheet, ".reason input");
    input.focus({ preventScroll: true });
    return input.scrollIntoView({ block: "nearest" });
  }
  return openPanel(sheet, what);
}

// A native change: mouse, touch, space or left/right arrow. The focus stays where it is.
export function onChange(sheet, event) {
  const target = targetOf(sheet, event.target);
  if (!target || event.target.type !== "radio") return;
  const place = inputsOf(sheet, target).indexOf(event.target);
  setValue(sheet, target, target.choices[place].value);
  setCurrent(sheet, target);
  changed(sheet);
}
