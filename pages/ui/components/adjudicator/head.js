// The frame of a case: how far the queue is, what to know before deciding, and the ways on.

import { button, el, say } from "../task/dom.js";
import { helpButton, notice, progressBar, riskNotice } from "../task/frame.js";
import { labelOf } from "../span_marker/entries.js";
import { labelCard } from "../span_marker/labels.js";
import { markCard } from "../span_marker/list.js";
import { rawCard } from "./candidates.js";
import { foldQueue, queueCard, step } from "./queue.js";
import { texts } from "./text.js";

export function head(sheet) {
  const { progress, task } = sheet.view;
  return el("header", { class: "top" },
    el("button", { type: "button", class: "plain to-queue", text: say(sheet, "queue"), onclick: () => foldQueue(sheet, sheet.main.dataset.queue !== "open") }),
    task && el("b", { class: "title", text: task.item }),
    el("span", { class: "item", text: say(sheet, "decided_of", progress) }),
    progressBar(sheet),
    el("span", { class: "status" }),
    task && button(say(sheet, "back"), "B", { class: "quiet back", onclick: () => step(sheet, -1) }),
    task && button(say(sheet, "on"), "N", { class: "quiet on", onclick: () => step(sheet, 1) }),
    helpButton(sheet));
}

export function notices(sheet) {
  const { task } = sheet.view;
  return [riskNotice(sheet), task.read_only ? notice(say(sheet, "closed_case")) : task.changed && notice(say(sheet, "changed_case"))];
}

export function desk(sheet) {
  return el("div", { class: "desk" }, queueCard(sheet),
    el("div", { class: "middle" }, texts(sheet), rawCard(sheet)),
    el("div", { class: "side" }, labelCard(sheet), markCard(sheet), historyCard(sheet)));
}

function historyCard(sheet) {
  const { decisions } = sheet.view.task;
  if (!decisions.length) return null;
  return el("section", { class: "card past", "aria-label": say(sheet, "history") },
    el("header", {}, el("h2", { text: say(sheet, "history") })),
    el("ol", {}, decisions.toReversed().map((decision) => el("li", {},
      el("p", {}, el("b", { text: outcomeWords(sheet, decision), lang: sheet.view.study.lang }), el("span", { class: "soft", text: `${decision.adjudicator} · ${decision.at.slice(0, 16).replace("T", " ")}` })),
      el("p", { class: "why", text: decision.reason })))));
}

function outcomeWords(sheet, { outcome, labels }) {
  return outcome === "labelled" ? labels.map((id) => labelOf(sheet, id).name).join("、") : say(sheet, outcome);
}
