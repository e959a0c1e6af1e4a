// The sheet's own screens: the task, the answer to a calibration item, and the ends of the work.

import { el, say } from "../task/dom.js";
import { open } from "../task/exchange.js";
import { header } from "../task/frame.js";
import { breakScreen, calm, coverScreen, first, loadingScreen, way } from "../task/screens.js";
import { answers } from "./answers.js";
import { ending } from "./closing.js";
import { guide } from "./guide.js";
import { notices, question, toolbar } from "./head.js";

export const SCREENS = {
  loading: loadingScreen, task: taskScreen, cover: coverScreen, break: breakScreen,
  feedback: feedbackScreen, done: doneScreen, guess: guessScreen, closed: closedScreen,
};

function taskScreen(sheet) {
  return [header(sheet), ...notices(sheet), question(sheet), toolbar(sheet), answers(sheet), guide(sheet), ending(sheet)];
}

// After a calibration item: the key and its reasons beside the own scores.
function feedbackScreen(sheet) {
  const { marks, question: asked, author } = sheet.view.feedback;
  const lines = marks.map((mark) => el("li", {},
    el("b", { text: say(sheet, mark.given === mark.expected ? "feedback_same" : "feedback_differs", { ...mark, given: mark.given ?? "–" }) }),
    el("span", { text: mark.reason })));
  return [header(sheet), el("div", { class: "calm feedback" },
    el("h1", { text: say(sheet, "feedback_title") }), el("p", { text: asked }), el("p", { text: say(sheet, "feedback_about", { author }) }),
    el("ul", {}, lines), el("div", { class: "ways" }, first(say(sheet, "feedback_continue"), () => open(sheet, null))))];
}

function doneScreen(sheet) {
  const { links } = sheet.data;
  return [header(sheet), calm(say(sheet, "done_title"), [say(sheet, "done_about", sheet.view.progress)],
    [way(say(sheet, "to_closing"), links?.closing, true), way(say(sheet, "to_work"), links?.work), way(say(sheet, "to_home"), links?.home)])];
}

function guessScreen(sheet) {
  const { links } = sheet.data;
  return [header(sheet), calm(say(sheet, "guess_title"), [say(sheet, "done_about", sheet.view.progress), say(sheet, "guess_about")],
    [way(say(sheet, "to_guess"), links?.closing, true), way(say(sheet, "to_work"), links?.work)])];
}

function closedScreen(sheet) {
  const { links } = sheet.data;
  return [header(sheet), calm(say(sheet, "closed_title"), [say(sheet, "closed_about")],
    [way(say(sheet, "to_closing"), links?.closing, true), way(say(sheet, "to_work"), links?.work), way(say(sheet, "to_home"), links?.home)])];
}
