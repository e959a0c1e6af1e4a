// Below the text: certainty, the reason of a correction, and the bar with the one primary action.

import { button, el, key, part, say } from "../task/dom.js";
import { togglePanel } from "../task/drawer.js";
import { isReadOnly } from "../task/entries.js";
import { open, save } from "../task/exchange.js";
import { homeWay, paintBusy, reasonField } from "../task/frame.js";
import { changed } from "../task/page.js";
import { redo, undo } from "./history.js";
import { setCertainty } from "./marks.js";

export function ending(sheet) {
  return el("div", { class: "end" },
    el("section", { class: "closing", "aria-label": say(sheet, "whole_item") }, certaintyField(sheet),
      sheet.view.task.corrects && !isReadOnly(sheet) && reasonField(sheet, { onInput: changed })),
    actions(sheet));
}

function certaintyField(sheet) {
  return el("fieldset", { class: "pills certainty" },
    el("legend", { class: "hidden", text: say(sheet, "certainty_question") }),
    el("div", { class: "name", "aria-hidden": "true", title: say(sheet, "certainty_question") }, say(sheet, "certainty"), key("V")),
    el("div", { class: "row" }, [1, 2, 3].map((value) => el("label", { class: "choice" },
      el("input", { type: "radio", name: "certainty", value, checked: sheet.entries.certainty === value, disabled: isReadOnly(sheet), onchange: () => setCertainty(sheet, value) }),
      el("span", { class: "face" }, key(String(value)), el("span", { text: say(sheet, `certainty_${value}`) }))))));
}

export function paintCertainty(sheet) {
  for (const input of sheet.page.querySelectorAll("input[name=certainty]")) input.checked = sheet.entries.certainty === Number(input.value);
}

function actions(sheet) {
  if (isReadOnly(sheet)) {
    return el("div", { class: "actions" }, el("span", { class: "grow" }), homeWay(sheet),
      button(say(sheet, "next_task"), null, { class: "primary", onclick: () => open(sheet, null) }));
  }
  return el("div", { class: "actions" }, el("div", { class: "drawer", hidden: true }),
    el("span", { class: "todo" }),
    ...undoButtons(sheet),
    button(say(sheet, "note"), "C", { class: "plain to-note", "aria-expanded": "false", onclick: () => togglePanel(sheet, "note") }),
    button(say(sheet, "skip"), "N", { class: "plain to-skip", "aria-expanded": "false", onclick: () => togglePanel(sheet, "skip") }),
    button(say(sheet, sheet.view.task.corrects ? "save_again" : "save"), "S", { class: "primary", onclick: () => save(sheet) }));
}

export function undoButtons(sheet) {
  return [
    button(say(sheet, "undo"), "Z", { class: "quiet undo", onclick: () => undo(sheet) }),
    el("button", { type: "button", class: "quiet redo", text: say(sheet, "redo"), "aria-keyshortcuts": "Control+Y", onclick: () => redo(sheet) }),
  ];
}

// What is still to do, and whether there is something to undo.
export function paintActions(sheet, missing) {
  const todo = part(sheet, ".todo");
  if (!todo) return;
  const proposals = missing.filter(({ what }) => what === "proposal").length;
  todo.textContent = proposals ? say(sheet, "left_proposals", { count: proposals }) : missing.length ? say(sheet, `need_${missing[0].what}`) : "";
  todo.classList.toggle("missing", sheet.wasTried && missing.length > 0);
  part(sheet, ".undo").disabled = sheet.done.length === 0;
  part(sheet, ".redo").disabled = sheet.undone.length === 0;
  part(sheet, ".to-note")?.classList.toggle("used", sheet.entries.note.trim() !== "");
  paintBusy(sheet);
}
