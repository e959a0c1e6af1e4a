// The answers side by side: each scrolls in itself, its scores stand aligned below.

import { el, part, say } from "../task/dom.js";
import { points } from "../task/text.js";
import { fieldset } from "./scales.js";

export function answers(sheet) {
  const { task, study } = sheet.view;
  const cards = task.slots.map(({ slot }) => card(sheet, slot));
  return el("div", { class: "cards", lang: study.lang, "data-count": cards.length }, cards);
}

function card(sheet, slot) {
  const own = sheet.targets.filter((target) => target.slot === slot);
  const isBefore = sheet.view.instrument.steps?.when === "before";
  const kinds = isBefore ? ["step", "score"] : ["score", "step"];
  const name = say(sheet, "answer", { slot });
  const text = el("div", {
    class: "text", tabindex: 0, role: "group", "data-slot": slot, "aria-label": say(sheet, "answer_text", { slot }),
    onscroll: (event) => followScroll(sheet, event.target),
  });
  fillText(sheet, text, slot);
  return el("section", { class: "card", "data-slot": slot, "aria-label": name },
    el("header", { lang: sheet.data.lang }, el("h2", { text: name }), el("span", { class: "flagged" }), el("span", { class: "more", "aria-hidden": "true" })),
    text,
    kinds.map((kind) => block(sheet, own.filter((target) => target.kind === kind), kind)));
}

function block(sheet, targets, kind) {
  if (targets.length === 0) return null;
  const stage = kind === "step" ? "steps" : "scores";
  return el("div", { class: `block ${stage}` }, targets.map((target) => fieldset(sheet, target)));
}

export function toggleTogether(sheet) {
  sheet.scrollsTogether = !sheet.scrollsTogether;
  part(sheet, ".together")?.setAttribute("aria-pressed", String(sheet.scrollsTogether));
}

// The same share of each text, since answers differ in length.
function followScroll(sheet, moved) {
  paintMore(moved);
  if (!sheet.scrollsTogether || sheet.isFollowing) return;
  sheet.isFollowing = true;
  const share = moved.scrollTop / Math.max(1, moved.scrollHeight - moved.clientHeight);
  for (const text of sheet.page.querySelectorAll(".text")) {
    if (text !== moved) text.scrollTop = share * (text.scrollHeight - text.clientHeight);
  }
  requestAnimationFrame(() => { sheet.isFollowing = false; });
}

// A soft edge says that the text goes on below.
export function paintMore(text) {
  const rest = text.scrollHeight - text.clientHeight - text.scrollTop;
  text.closest(".card").dataset.more = rest > 6 ? "yes" : "no";
}

// Page keys scroll the answer whose scores are being given.
export function scrollAnswer(sheet, direction) {
  const slot = sheet.current?.slot ?? sheet.view.task.slots[0].slot;
  const text = part(sheet, `.text[data-slot="${slot}"]`);
  if (text.scrollHeight <= text.clientHeight + 1) return false;
  text.scrollBy({ top: direction * 0.85 * text.clientHeight });
  return true;
}

export function paintTexts(sheet) {
  for (const box of sheet.page.querySelectorAll(".text")) {
    const at = box.scrollTop;
    fillText(sheet, box, box.dataset.slot);
    box.scrollTop = at;
    const count = sheet.entries.flags.filter((flag) => flag.slot === box.dataset.slot).length;
    box.closest(".card").querySelector(".flagged").textContent = count ? say(sheet, "flags_here", { count }) : "";
    paintMore(box);
  }
}

export function slotText(sheet, slot) {
  return sheet.view.task.slots.find((answer) => answer.slot === slot)?.text ?? "";
}

// The answer's text with its flagged spans marked; overlapping spans give one mark.
function fillText(sheet, box, slot) {
  const text = points(slotText(sheet, slot));
  const spans = sheet.entries.flags.filter((flag) => flag.slot === slot && flag.start !== null)
    .sort((one, other) => one.start - other.start);
  const nodes = [];
  let at = 0;
  for (const { start, end } of spans) {
    if (end <= at) continue;
    const from = Math.max(start, at);
    nodes.push(text.slice(at, from).join(""), el("mark", { text: text.slice(from, end).join("") }));
    at = end;
  }
  box.replaceChildren(...nodes, text.slice(at).join(""));
}
