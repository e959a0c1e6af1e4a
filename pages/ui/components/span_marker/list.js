// The list of marks: each can be shown in the text, and taken off.

import { el, key, part, say } from "../task/dom.js";
import { isReadOnly } from "../task/entries.js";
import { deepFocus } from "../task/focus.js";
import { labelOf, quoteOf } from "./entries.js";
import { allMarks, removeMark } from "./marks.js";
import { boxOf, select } from "./selection.js";
import { placeNow } from "./travel.js";

export function markCard(sheet) {
  return el("section", { class: "card marks", "aria-label": say(sheet, "marks") },
    el("header", {}, el("h2", { text: say(sheet, "marks") }), el("span", { class: "number" })),
    el("ul", { class: "mark-list" }));
}

export function paintMarks(sheet) {
  const list = part(sheet, ".mark-list");
  const marks = allMarks(sheet);
  const focused = list.contains(deepFocus(sheet));
  part(sheet, ".marks .number").textContent = marks.length || "";
  list.replaceChildren(...(marks.length ? marks.map((mark) => markRow(sheet, mark)) : [el("li", { class: "empty soft", text: emptyWords(sheet) })]));
  if (focused) (list.querySelector("button") ?? boxOf(sheet, placeNow(sheet).field)).focus();
}

function emptyWords(sheet) {
  const { verdict } = sheet.entries;
  return say(sheet, verdict ? `verdict_${verdict}` : "no_marks");
}

function markRow(sheet, mark) {
  const label = labelOf(sheet, mark.label);
  const words = mark.field ? quoteOf(sheet, mark) : "";
  const name = `${label.name}：${words || say(sheet, "whole_item")}`;
  return el("li", { class: mark.origin === "model" ? "adopted" : null, lang: sheet.view.study.lang },
    el("button", { type: "button", class: "show", disabled: mark.field === null, onclick: () => select(sheet, { field: mark.field, start: mark.start, end: mark.end }) },
      label.key && key(label.key.toUpperCase()), el("b", { text: label.name }),
      words ? el("q", { text: words }) : el("span", { class: "soft", lang: sheet.data.lang, text: say(sheet, "whole_item") }),
      mark.origin === "model" && el("small", { lang: sheet.data.lang, text: say(sheet, "adopted") })),
    !isReadOnly(sheet) && el("button", { type: "button", class: "quiet remove", "aria-label": `${say(sheet, "remove")} ${name}`, title: say(sheet, "remove"), text: "×", onclick: () => removeMark(sheet, mark) }));
}
