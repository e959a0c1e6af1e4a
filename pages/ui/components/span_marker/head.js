// Above and around the text: the way back, what to know before reading, and the desk.

import { button, clockTime, el, say } from "../task/dom.js";
import { open } from "../task/exchange.js";
import { notice, riskNotice } from "../task/frame.js";
import { isSecondRound } from "./entries.js";
import { labelCard } from "./labels.js";
import { markCard } from "./list.js";
import { proposalCard } from "./proposals.js";
import { texts } from "./text.js";

export function backButton(sheet) {
  return sheet.view.previous ? button(say(sheet, "back"), "B", { class: "quiet back", onclick: () => goBack(sheet) }) : null;
}

export function goBack(sheet) {
  if (sheet.view?.previous) open(sheet, sheet.view.previous);
}

export function notices(sheet) {
  const { task } = sheet.view;
  return [riskNotice(sheet), roundNotice(sheet),
    task.read_only ? notice(say(sheet, "read_only")) : task.corrects && notice(say(sheet, "correcting", { time: clockTime(sheet, task.saved_at) }))];
}

function roundNotice(sheet) {
  const { task } = sheet.view;
  if (!isSecondRound(sheet) || task.read_only) return null;
  return notice(say(sheet, task.revision > 0 ? "second_round" : "with_model"), "second");
}

export function desk(sheet) {
  return el("div", { class: "desk" }, texts(sheet), el("div", { class: "side" }, labelCard(sheet), proposalCard(sheet)), markCard(sheet));
}
