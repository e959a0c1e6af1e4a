// Where the focus goes: into the text, and to what a save still lacks.

import { part, say } from "../task/dom.js";
import { isReadOnly } from "../task/entries.js";
import { open } from "../task/exchange.js";
import { banner } from "../task/frame.js";
import { paint } from "../task/page.js";
import { boxOf, showSelection } from "./selection.js";
import { placeNow } from "./travel.js";

export function focusText(sheet) {
  const box = boxOf(sheet, placeNow(sheet).field);
  box?.focus({ preventScroll: true });
  showSelection(sheet);
}

export function focusFirst(sheet) {
  if (sheet.screen !== "task") return part(sheet, "[data-first]")?.focus();
  if (isReadOnly(sheet)) return part(sheet, ".actions .primary")?.focus();
  return focusText(sheet);
}

export function showMissing(sheet, missing, message) {
  sheet.wasTried = true;
  paint(sheet);
  const [{ what, id }] = missing;
  if (what === "proposal" && !sheet.view.task.proposals.some((proposal) => proposal.id === id)) return open(sheet, sheet.view.task.task); // it came meanwhile
  const count = missing.filter((gap) => gap.what === "proposal").length;
  const text = what === "proposal" ? say(sheet, "left_proposals", { count }) : say(sheet, what === "reason" ? "needed_reason" : "needed_labels");
  banner(sheet, message ? `${message} ${text}` : text, [], "missing");
  if (what === "reason") part(sheet, ".reason input").focus();
  else if (what === "proposal") sheet.face.takeUp(sheet, id);
  else focusText(sheet);
}

export function toCertainty(sheet) {
  const inputs = [...sheet.page.querySelectorAll("input[name=certainty]")];
  (inputs.find((input) => input.checked) ?? inputs[0]).focus();
}

// The same of what the server says is missing.
export function readMissing(_sheet, missing) {
  return missing.map(({ scale }) => (scale?.startsWith("proposal:") ? { what: "proposal", id: scale.slice(9) } : { what: scale }));
}
