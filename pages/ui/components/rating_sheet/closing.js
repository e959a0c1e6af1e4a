// Below the answers: scales of the whole task, preference, confidence, the reason of a correction,
// and the bar with the one primary action.

import { button, el, part, say } from "../task/dom.js";
import { togglePanel } from "../task/drawer.js";
import { isReadOnly } from "../task/entries.js";
import { open, save } from "../task/exchange.js";
import { homeWay, paintBusy, reasonField } from "../task/frame.js";
import { changed } from "../task/page.js";
import { fieldset } from "./scales.js";
import { paintSelection } from "./selection.js";
import { stageOf, valueOf } from "./targets.js";
import { goToMissing } from "./walk.js";

// Everything below the answers stands together, in one row where there is room.
export function ending(sheet) {
  return el("div", { class: "end", "data-wide": hasWideEnding(sheet) }, closing(sheet), actions(sheet));
}

function hasWideEnding(sheet) {
  return sheet.view.task.revision > 0 || sheet.targets.some((target) => target.kind === "score" && !target.slot);
}

function closing(sheet) {
  const whole = sheet.targets.filter((target) => target.slot === null);
  const parts = whole.map((target) => fieldset(sheet, target));
  if (sheet.view.task.revision > 0 && !isReadOnly(sheet)) parts.push(reasonField(sheet, { onInput: changed }));
  if (parts.length === 0) return null;
  return el("section", { class: "closing", "aria-label": say(sheet, "whole_task"), "data-wide": hasWideEnding(sheet) }, parts);
}

function actions(sheet) {
  if (isReadOnly(sheet)) {
    return el("div", { class: "actions" }, el("span", { class: "grow" }),
      homeWay(sheet), button(say(sheet, "next_task"), null, { class: "primary", onclick: () => open(sheet, null) }));
  }
  const { options, task } = sheet.view;
  return el("div", { class: "actions" }, el("div", { class: "drawer", hidden: true }),
    el("button", { type: "button", class: "count quiet", onclick: () => goToMissing(sheet) }),
    options.flags && panelButton(sheet, "flags", say(sheet, "flag"), "F"),
    options.comment && panelButton(sheet, "comment", say(sheet, "comment"), "C"),
    panelButton(sheet, "skip", say(sheet, "skip"), "N"),
    button(say(sheet, task.revision > 0 ? "save_again" : "save"), "S", { class: "primary", onclick: () => save(sheet) }));
}

function panelButton(sheet, name, label, shortcut) {
  return button(label, shortcut, { class: `plain to-${name}`, "aria-expanded": "false", onclick: () => togglePanel(sheet, name) });
}

// How much is left, and what the panels hold.
export function paintActions(sheet, missing) {
  const count = part(sheet, ".count");
  if (!count) return;
  count.textContent = missing.length ? say(sheet, "left", { count: missing.length }) : say(sheet, "complete");
  count.dataset.done = String(missing.length === 0);
  paintBusy(sheet);
  part(sheet, ".to-comment")?.classList.toggle("used", sheet.entries.comment.trim() !== "");
  part(sheet, ".to-flags")?.classList.toggle("used", sheet.entries.flags.length > 0);
  for (const stage of sheet.page.querySelectorAll(".stage")) {
    const own = sheet.targets.filter((target) => target.slot && stageOf(target) === stage.dataset.stage);
    stage.querySelector("i").textContent = `${own.filter((target) => valueOf(sheet, target) !== null).length}/${own.length}`;
  }
  paintSelection(sheet);
}
