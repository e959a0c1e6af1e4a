// The sheet's keys: choices of the scale in hand, ways between scales, and the commands.

import { openPanel } from "../task/drawer.js";
import { isFrozen } from "../task/entries.js";
import { save } from "../task/exchange.js";
import { take } from "../task/keys.js";
import { showHelp } from "../task/veil.js";
import { scrollAnswer } from "./answers.js";
import { toggleGuide } from "./guide.js";
import { foldQuestion } from "./head.js";
import { choose } from "./scales.js";
import { advance, focusTarget, move } from "./walk.js";

export const HELP = ["digits", "jkl", "x", "arrows", "b", "clear", "p", "f", "c", "n", "g", "d", "page", "s", "ctrl_s", "question"];

const COMMANDS = {
  s: (sheet) => save(sheet),
  b: (sheet) => move(sheet, -1),
  arrowup: (sheet) => move(sheet, -1),
  arrowdown: (sheet) => move(sheet, 1),
  c: (sheet) => openPanel(sheet, "comment"),
  f: (sheet) => openPanel(sheet, "flags"),
  n: (sheet) => openPanel(sheet, "skip"),
  p: (sheet) => toPreference(sheet),
  g: (sheet) => toggleGuide(sheet),
  d: (sheet) => foldQuestion(sheet),
  "?": (sheet) => showHelp(sheet),
  "？": (sheet) => showHelp(sheet),
};
const FOR_READERS = new Set(["g", "d", "?", "？"]); // what a read-only sheet still answers to

export function onSheetKey(sheet, event, pressed, focused) {
  if (sheet.screen !== "task") return undefined;
  const isInText = focused.classList?.contains("text");
  if (pressed === "pagedown" || pressed === "pageup") {
    if (!isInText && scrollAnswer(sheet, pressed === "pagedown" ? 1 : -1)) event.preventDefault();
    return undefined;
  }
  if (isInText && pressed.startsWith("arrow")) return undefined;
  if (isFrozen(sheet)) return onFrozenKey(sheet, event, pressed);
  const choice = event.key === "Tab" ? null : choiceOf(sheet, pressed);
  if (choice) return take(event, () => event.repeat || chooseAndMove(sheet, choice));
  if (pressed === "backspace" || pressed === "delete") return sheet.current && take(event, () => choose(sheet, sheet.current, null));
  const command = COMMANDS[pressed];
  return command && take(event, () => (event.repeat && pressed === "s") || command(sheet));
}

function onFrozenKey(sheet, event, pressed) {
  if (FOR_READERS.has(pressed)) return take(event, () => COMMANDS[pressed](sheet));
  return sheet.busy && pressed.startsWith("arrow") ? event.preventDefault() : undefined;
}

function choiceOf(sheet, pressed) {
  return sheet.current?.choices.find((choice) => choice.keys.includes(pressed)) ?? null;
}

function chooseAndMove(sheet, choice) {
  choose(sheet, sheet.current, choice);
  advance(sheet);
}

function toPreference(sheet) {
  const target = sheet.targets.find(({ kind }) => kind === "preference");
  if (target) focusTarget(sheet, target);
}
