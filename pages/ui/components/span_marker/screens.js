// The marker's own screens: the text with its labels, and the ends of the work.

import { say } from "../task/dom.js";
import { header } from "../task/frame.js";
import { breakScreen, calm, coverScreen, loadingScreen, way } from "../task/screens.js";
import { ending } from "./closing.js";
import { desk, notices } from "./head.js";

export const SCREENS = {
  loading: loadingScreen, task: taskScreen, cover: coverScreen, break: breakScreen, done: doneScreen, closed: closedScreen,
};

function taskScreen(sheet) {
  return [header(sheet), ...notices(sheet), desk(sheet), ending(sheet)];
}

function doneScreen(sheet) {
  return [header(sheet), calm(say(sheet, "done_title"), [say(sheet, "done_about", sheet.view.progress)],
    [way(say(sheet, "to_home"), sheet.data.links?.home, true), way(say(sheet, "to_work"), sheet.data.links?.work)])];
}

function closedScreen(sheet) {
  return [header(sheet), calm(say(sheet, "closed_title"), [say(sheet, "closed_about")],
    [way(say(sheet, "to_home"), sheet.data.links?.home, true)])];
}
