// The keyboard. Nothing happens while an input method composes, nor while a text field is written in.

import { closePanel } from "./drawer.js";
import { save } from "./exchange.js";
import { isElsewhere, isWriting } from "./focus.js";
import { unveil } from "./veil.js";

// What is the same for all faces; the rest goes to `face.onKey(sheet, event, pressed, focused)`.
export function onKey(sheet, event) {
  if (!sheet.main.isConnected) return sheet.leave();
  if (isComposing(event)) return undefined;
  const { face } = sheet;
  const pressed = keyOf(event, face.shiftKeepsDigits);
  const focused = event.composedPath()[0];
  if ((event.ctrlKey || event.metaKey) && !event.altKey) return onControl(sheet, event, pressed, focused);
  if (event.altKey && !face.usesAlt) return undefined;
  if (sheet.veil) return pressed === "escape" ? take(event, () => unveil(sheet)) : undefined;
  if (isElsewhere(sheet, focused)) return undefined;
  if (pressed === "escape" && sheet.panel) return take(event, () => closePanel(sheet));
  if (isWriting(focused) || focused.closest?.(".panel")) return undefined;
  return face.onKey(sheet, event, pressed, focused);
}

function onControl(sheet, event, pressed, focused) {
  if (pressed === "s") return take(event, () => saveFromField(sheet));
  if (sheet.veil || sheet.screen !== "task" || isWriting(focused) || isElsewhere(sheet, focused)) return undefined;
  return sheet.face.onControlKey?.(sheet, event, pressed);
}

function saveFromField(sheet) {
  if (sheet.veil) return;
  if (sheet.panel === sheet.face.wordsPanel) closePanel(sheet);
  save(sheet);
}

export function isComposing(event) {
  return Boolean(event.isComposing) || event.keyCode === 229;
}

// Digits by their place (numeric pad and other layouts included), letters by what they write. With
// Shift a digit is one only where a face says so: elsewhere it writes "?" or "!" on some layouts.
export function keyOf(event, shiftKeepsDigits = false) {
  const digit = /^(Digit|Numpad)(\d)$/.exec(event.code ?? "");
  if (digit && isDigit(event, digit[1], shiftKeepsDigits)) return digit[2];
  const letter = /^Key([A-Z])$/.exec(event.code ?? "");
  if (letter && !/^[a-z]$/i.test(event.key)) return letter[1].toLowerCase(); // Cyrillic, Greek
  return event.key.toLowerCase();
}

function isDigit(event, row, shiftKeepsDigits) {
  if (!shiftKeepsDigits) return !event.shiftKey;
  return row === "Digit" || /\d/.test(event.key); // a numeric pad without its lock travels
}

// Taken: neither the browser nor Streamlit (whose own C and R listen on the page) sees it.
export function take(event, action) {
  event.preventDefault();
  event.stopImmediatePropagation();
  action();
}
