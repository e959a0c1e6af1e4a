// The labels with their keys, what each means, and none and unsure beside them.

import { button, el, key, part, say } from "../task/dom.js";
import { isReadOnly } from "../task/entries.js";
import { points } from "../task/text.js";
import { labelOf, quoteOf } from "./entries.js";
import { allMarks, labelsOnTarget, putLabel, putVerdict } from "./marks.js";
import { trimmed } from "./units.js";

const LABEL_KEYS = [..."123456789qwertadfjklio"];
export const PREFIXES = [..."ph;'"]; // a long scheme goes on with two keys, one after the other: P 1, P 2, …

export function readLabels(sheet) {
  return sheet.view.scheme.labels.map((label, place) => ({ ...label, key: keyAt(place) }));
}

function keyAt(place) {
  const row = Math.floor(place / LABEL_KEYS.length);
  const last = LABEL_KEYS[place % LABEL_KEYS.length];
  if (row === 0) return last;
  return PREFIXES[row - 1] ? PREFIXES[row - 1] + last : "";
}

export function needsTwoKeys(sheet) {
  return sheet.labels.length > LABEL_KEYS.length;
}

export function labelCard(sheet) {
  const { lang } = sheet.view.study;
  return el("section", { class: "card labels", "aria-label": say(sheet, "labels") },
    el("header", {}, el("h2", { class: "aim" }),
      button(say(sheet, "definitions"), "G", { class: "quiet to-guide", "aria-pressed": "false", onclick: () => toggleGuide(sheet) })),
    el("div", { class: "keys", role: "group", lang, "aria-label": say(sheet, "labels") },
      sheet.labels.map((label) => labelButton(sheet, label)), verdictButton(sheet, "none", "0"), verdictButton(sheet, "unsure", "U")),
    el("div", { class: "meaning", lang, "aria-hidden": "true" }),
    el("div", { class: "book", lang, hidden: true, tabindex: 0, role: "region", "aria-label": say(sheet, "definitions") }, sheet.labels.map((label) => meaningOf(sheet, label))));
}

function labelButton(sheet, label) {
  const meant = () => { sheet.meant = label.id; paintMeaning(sheet); };
  return el("button", {
    type: "button", class: "label", "data-label": label.id, "aria-keyshortcuts": label.key.length === 1 ? label.key : null, disabled: isReadOnly(sheet),
    onpointerdown: (event) => { event.preventDefault(); sheet.held = sheet.selection; },
    onmousedown: (event) => event.preventDefault(), // neither focus nor selection leave the text
    onpointerenter: meant, onfocus: meant,
    onclick: (event) => pressLabel(sheet, label.id, event),
  }, label.key && key(label.key.toUpperCase()), el("span", { class: "name", text: label.name }), el("i", { class: "count" }));
}

// A tap may drop the browser's selection before the click arrives: what stood at its start counts.
function pressLabel(sheet, id, event) {
  if (event.detail > 0 && sheet.held) sheet.selection = sheet.held;
  sheet.held = null;
  putLabel(sheet, id, event.shiftKey);
}

function verdictButton(sheet, verdict, shortcut) {
  return el("button", {
    type: "button", class: "label verdict", "data-verdict": verdict, "aria-keyshortcuts": shortcut, disabled: isReadOnly(sheet),
    onmousedown: (event) => event.preventDefault(), onclick: () => putVerdict(sheet, verdict),
  }, key(shortcut), el("span", { class: "name", lang: sheet.data.lang, text: say(sheet, verdict) }));
}

function meaningOf(sheet, label) {
  return el("div", { class: "entry", "data-entry": label.id },
    el("h3", {}, label.key && key(label.key.toUpperCase()), el("span", { text: label.name })),
    el("p", { text: label.definition }),
    label.examples.length > 0 && el("ul", { "aria-label": say(sheet, "examples") }, label.examples.map((example) => el("li", { text: example }))),
    label.near_miss && el("p", { class: "near" }, el("b", { text: say(sheet, "near_miss") }), label.near_miss));
}

export function toggleGuide(sheet) {
  sheet.isGuided = !sheet.isGuided;
  sheet.store.write("guided", sheet.isGuided);
  paintGuide(sheet);
  if (sheet.isGuided) part(sheet, `[data-entry="${CSS.escape(sheet.meant ?? "")}"]`)?.scrollIntoView({ block: "nearest" });
}

export function paintGuide(sheet) {
  sheet.main.dataset.guide = sheet.isGuided ? "whole" : "strip";
  part(sheet, ".book").hidden = !sheet.isGuided;
  part(sheet, ".to-guide").setAttribute("aria-pressed", String(Boolean(sheet.isGuided)));
}

export function paintMeaning(sheet) {
  const box = part(sheet, ".meaning");
  if (!box) return;
  const label = sheet.meant ? labelOf(sheet, sheet.meant) : null;
  if (!label) return box.replaceChildren(el("p", { class: "soft", lang: sheet.data.lang, text: say(sheet, "how") }));
  box.replaceChildren(el("p", {}, el("b", { text: label.name }), el("span", { text: label.definition })),
    ...label.examples.map((example) => el("p", { class: "example", text: example })),
    label.near_miss ? el("p", { class: "near" }, el("b", { text: say(sheet, "near_miss"), lang: sheet.data.lang }), label.near_miss) : "");
}

// Where the next key goes: to the selected words, to a proposal, or to the whole item.
export function paintTarget(sheet) {
  const aim = part(sheet, ".aim");
  if (!aim) return;
  const words = sheet.selection ? quoteOf(sheet, trimmed(sheet, sheet.selection)) : "";
  const text = sheet.changing ? say(sheet, "aim_change") : words ? say(sheet, "aim_words", { words: shorten(words) }) : say(sheet, "aim_whole");
  aim.textContent = text;
  aim.dataset.kind = sheet.changing ? "change" : words ? "words" : "whole";
  const on = labelsOnTarget(sheet);
  const counts = new Map();
  for (const mark of allMarks(sheet)) counts.set(mark.label, (counts.get(mark.label) ?? 0) + 1);
  for (const box of sheet.page.querySelectorAll(".label[data-label]")) {
    const { label } = box.dataset;
    box.setAttribute("aria-pressed", String(on.has(label)));
    box.classList.toggle("used", counts.has(label));
    box.querySelector(".count").textContent = counts.get(label) ?? "";
  }
  for (const box of sheet.page.querySelectorAll("[data-verdict]")) box.setAttribute("aria-pressed", String(sheet.entries.verdict === box.dataset.verdict));
}

function shorten(words, size = 18) {
  const letters = points(words);
  return letters.length <= size ? words : `${letters.slice(0, size - 6).join("")}…${letters.slice(-5).join("")}`;
}
