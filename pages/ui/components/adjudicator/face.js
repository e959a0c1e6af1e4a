// The adjudicator: a queue, the annotators' marks in place and side by side, and one decision. It
// marks as the span marker does; a decision in the making stays in this tab, for nobody else is to
// see it.

import { el, part, say } from "../task/dom.js";
import { loadingScreen } from "../task/screens.js";
import { mount } from "../task/task.js";
import { face as marker } from "../span_marker/face.js";
import { FOR_READERS, helpRows, MARK_COMMANDS } from "../span_marker/keys.js";
import { adjustRow, evidenceIn, firstOpen, paintProposals, passOn, takeRow, takeUp } from "./candidates.js";
import { ending } from "./closing.js";
import { desk, head, notices } from "./head.js";
import { queueCard, step } from "./queue.js";
import { fillText } from "./text.js";

const HELP = ["words", "clauses", "grow", "end", "start", "letters", "take", "pass", "adjust", "label", "more", "whole", "verdict", "undo", "delete", "jump", "reason", "guide", "on", "decide", "help"];

const COMMANDS = {
  ...MARK_COMMANDS,
  n: (sheet) => step(sheet, 1),
  c: (sheet) => part(sheet, ".reason input")?.focus(),
  y: (sheet) => takeRow(sheet),
  x: (sheet, event) => passOn(sheet, event.shiftKey ? -1 : 1),
  m: (sheet) => adjustRow(sheet),
};

function taskScreen(sheet) {
  return [head(sheet), ...notices(sheet), desk(sheet), ending(sheet)];
}

// A queue with nothing left in it.
function doneScreen(sheet) {
  const { queue } = sheet.view;
  const word = !queue.has_blind_round ? "no_blind_round" : queue.decided && queue.show === "waiting" ? "all_decided" : queue.search ? "nothing_found" : `nothing_${queue.show}`;
  return [head(sheet), el("div", { class: "desk" }, queueCard(sheet), el("div", { class: "calm" }, el("p", { text: say(sheet, word) })))];
}

export default mount({
  ...marker,
  routes: "/api/adjudicate/",
  hasServerDraft: false,
  screens: { loading: loadingScreen, task: taskScreen, done: doneScreen },
  screenOf: (sheet) => (sheet.view ? sheet.view.state : "loading"),
  goBack: (sheet) => step(sheet, -1),
  panels: {},
  help: (sheet) => helpRows(sheet, HELP),
  commands: COMMANDS, forReaders: [...FOR_READERS, "n", "x"],
  fillText, firstOpen, evidenceIn, takeUp, paintProposals,
});
