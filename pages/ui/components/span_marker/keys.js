// The marker's keys: ways through the text, labels by one key or two, and the commands.

import { announce, say } from "../task/dom.js";
import { openPanel } from "../task/drawer.js";
import { isFrozen, isReadOnly } from "../task/entries.js";
import { save } from "../task/exchange.js";
import { take } from "../task/keys.js";
import { showHelp } from "../task/veil.js";
import { labelOf } from "./entries.js";
import { redo, undo } from "./history.js";
import { needsTwoKeys, PREFIXES, toggleGuide } from "./labels.js";
import { putLabel, putVerdict, removeHere, setCertainty } from "./marks.js";
import { answerProposal } from "./proposals.js";
import { select } from "./selection.js";
import { extend, grow, moveEnd, moveStart, toEdge, toMark, travel } from "./travel.js";
import { focusText, toCertainty } from "./walk.js";

const HELP = ["words", "clauses", "sentences", "grow", "end", "start", "letters", "label", "more", "whole", "verdict", "undo", "delete", "jump", "escape", "proposal", "certainty", "guide", "note", "skip", "back", "save", "help"];

// What every face that marks a text does on these keys.
export const MARK_COMMANDS = {
  s: (sheet) => save(sheet),
  b: (sheet) => sheet.face.goBack(sheet),
  g: (sheet) => toggleGuide(sheet),
  z: (sheet, event) => (event.shiftKey ? redo(sheet) : undo(sheet)),
  u: (sheet) => putVerdict(sheet, "unsure"),
  0: (sheet) => putVerdict(sheet, "none"),
  "[": (sheet) => toMark(sheet, -1),
  "]": (sheet) => toMark(sheet, 1),
  backspace: (sheet) => removeHere(sheet),
  delete: (sheet) => removeHere(sheet),
  "?": (sheet) => showHelp(sheet),
  "？": (sheet) => showHelp(sheet),
};
export const COMMANDS = {
  ...MARK_COMMANDS,
  c: (sheet) => openPanel(sheet, "note"),
  n: (sheet) => openPanel(sheet, "skip"),
  v: (sheet) => toCertainty(sheet),
  y: (sheet) => answerProposal(sheet, sheet.proposal, "confirmed"),
  m: (sheet) => answerProposal(sheet, sheet.proposal, "changed"),
  x: (sheet) => answerProposal(sheet, sheet.proposal, "rejected"),
};
export const FOR_READERS = ["b", "g", "?", "？", "[", "]"]; // what a read-only text still answers to
const ROADS = {
  arrowleft: ["words", -1], arrowright: ["words", 1], arrowup: ["clauses", -1], arrowdown: ["clauses", 1],
  pageup: ["sentences", -1], pagedown: ["sentences", 1],
};

export function help(sheet) {
  return helpRows(sheet, HELP).filter((row) => row !== "proposal" || sheet.view?.task?.round === "model");
}

export function helpRows(sheet, rows) {
  return rows.filter((row) => row !== "more" || needsTwoKeys(sheet));
}

export function onMarkKey(sheet, event, pressed, focused) {
  if (sheet.chord && !isFrozen(sheet)) return onSecondKey(sheet, event, pressed);
  if (sheet.screen !== "task") return pressed === "b" && !event.altKey ? take(event, () => sheet.face.goBack(sheet)) : undefined;
  return onTravel(sheet, event, pressed, focused) || onTaskKey(sheet, event, pressed, focused);
}

export function onMarkControlKey(sheet, event, pressed) {
  if (pressed === "z") return take(event, () => (event.shiftKey ? redo(sheet) : undo(sheet)));
  return pressed === "y" ? take(event, () => redo(sheet)) : undefined;
}

// Returns true when the key was a way through the text.
function onTravel(sheet, event, pressed, focused) {
  if (isReadOnly(sheet) || focused.type === "radio" || focused.closest?.(".book")) return false;
  const road = ROADS[pressed];
  if (road) {
    const [kind, by] = road;
    const go = event.altKey ? () => moveStart(sheet, kind, by) : event.shiftKey ? () => extend(sheet, kind, by) : () => travel(sheet, kind, by);
    return taken(event, go);
  }
  if (event.altKey) return false;
  if (pressed === "," || pressed === ".") return taken(event, () => moveEnd(sheet, "letters", pressed === "." ? 1 : -1));
  if (pressed === "<" || pressed === ">") return taken(event, () => moveStart(sheet, "letters", pressed === ">" ? 1 : -1));
  if (pressed === "home" || pressed === "end") return taken(event, () => toEdge(sheet, pressed === "end" ? 1 : -1));
  if (pressed === " " && !focused.closest?.("button, a, input")) return taken(event, () => grow(sheet));
  if (pressed === "escape") return taken(event, () => letGo(sheet));
  return false;
}

function taken(event, action) {
  take(event, action);
  return true;
}

function letGo(sheet) {
  sheet.changing = null;
  select(sheet, null);
  sheet.face.paintProposals(sheet);
  announce(sheet, say(sheet, "aim_whole"));
}

function onTaskKey(sheet, event, pressed, focused) {
  if (event.altKey) return undefined;
  const { commands, forReaders } = sheet.face;
  if (isFrozen(sheet)) return forReaders.includes(pressed) && isReadOnly(sheet) ? take(event, () => commands[pressed](sheet, event)) : undefined;
  if (focused.name === "certainty" && /^[1-3]$/.test(pressed)) return take(event, () => { setCertainty(sheet, Number(pressed)); focusText(sheet); });
  const label = sheet.labels.find((each) => each.key === pressed);
  if (label) return take(event, () => event.repeat || putLabel(sheet, label.id, event.shiftKey));
  if (isPrefix(sheet, pressed)) return take(event, () => awaitSecond(sheet, pressed));
  const command = commands[pressed];
  return command && take(event, () => (event.repeat && !/^[z[\]]$/.test(pressed)) || command(sheet, event));
}

function isPrefix(sheet, pressed) {
  return PREFIXES.includes(pressed) && sheet.labels.some(({ key }) => key.length > 1 && key.startsWith(pressed));
}

// The first of two keys waits for the second; any other key gives it up.
function awaitSecond(sheet, prefix) {
  sheet.chord = prefix;
  paintChord(sheet);
  announce(sheet, prefix ? say(sheet, "second_key", { key: prefix.toUpperCase() }) : "");
}

function onSecondKey(sheet, event, pressed) {
  if (["shift", "alt", "capslock"].includes(pressed)) return undefined;
  const label = sheet.labels.find(({ key }) => key === sheet.chord + pressed);
  return take(event, () => {
    awaitSecond(sheet, null);
    if (label) putLabel(sheet, label.id, event.shiftKey);
  });
}

function paintChord(sheet) {
  sheet.main.toggleAttribute("data-chord", Boolean(sheet.chord));
  for (const box of sheet.page.querySelectorAll(".label[data-label]")) box.classList.toggle("awaited", Boolean(sheet.chord) && labelOf(sheet, box.dataset.label).key.startsWith(sheet.chord));
}
