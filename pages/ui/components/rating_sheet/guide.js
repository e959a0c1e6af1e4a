// The scale guide: question and anchors of the scale in hand, always in view; all of them on demand.

import { el, part, say } from "../task/dom.js";
import { deepFocus } from "../task/focus.js";
import { paintMore } from "./answers.js";
import { boxOf, hasAnchors, inputsOf } from "./scales.js";
import { CANNOT_RATE, valueOf } from "./targets.js";

export function guide(sheet) {
  const seen = new Set();
  const kinds = sheet.targets.filter(hasAnchors).filter((target) => !seen.has(target.scale) && seen.add(target.scale));
  return el("aside", { class: "guide", "aria-label": say(sheet, "guide"), lang: sheet.view.study.lang },
    kinds.map((target) => guideOf(sheet, target)));
}

function guideOf(sheet, target) {
  const anchors = target.choices.filter((choice) => choice.anchor && choice.value !== CANNOT_RATE);
  return el("div", { class: anchors.length ? "entry" : "entry plain-entry", "data-scale": target.scale },
    el("p", { class: "asks" }, el("b", { text: target.name }), el("span", { text: target.question })),
    anchors.length > 0 && el("dl", {}, anchors.map((choice) => el("div", { "data-value": choice.value },
      el("dt", { text: `${choice.keys[0]} ${choice.label}` }), el("dd", { text: choice.anchor })))));
}

// All entries share one place, so the strip is as high as the longest and nothing moves between scales.
export function paintGuide(sheet) {
  const target = sheet.current ?? sheet.targets[0];
  const last = hasAnchors(target) ? target : sheet.guided ?? sheet.targets[0];
  sheet.guided = last;
  for (const entry of sheet.page.querySelectorAll(".guide .entry")) {
    const isNow = entry.dataset.scale === last.scale;
    entry.classList.toggle("now", isNow);
    const value = isNow ? String(valueOf(sheet, last)) : null;
    for (const box of entry.querySelectorAll("[data-value]")) box.classList.toggle("on", box.dataset.value === value);
  }
}

// Stacked answers start with every anchor open; side by side the strip already shows those in hand.
function hasWholeGuide(sheet) {
  const { layout } = sheet.main.dataset;
  return sheet.guides[layout] ?? layout === "stacked";
}

export function toggleGuide(sheet) {
  sheet.guides[sheet.main.dataset.layout] = !hasWholeGuide(sheet);
  sheet.store.write("guides", sheet.guides);
  paintGuideState(sheet);
}

export function paintGuideState(sheet) {
  const { dataset } = sheet.main;
  const isWhole = hasWholeGuide(sheet);
  dataset.guide = isWhole ? "whole" : "current";
  dataset.anchors = dataset.layout === "stacked" ? (isWhole ? "inside" : "line") : dataset.slots === "1" ? "inside" : "strip";
  part(sheet, ".anchors")?.setAttribute("aria-pressed", String(isWhole));
  for (const text of sheet.page.querySelectorAll(".text")) paintMore(text);
}

// On a narrow screen with the guide folded each scale carries the anchor of what is chosen, or of what has the focus.
export function paintAnchor(sheet, target) {
  const line = boxOf(sheet, target)?.querySelector(".anchor");
  if (!line) return;
  const inputs = inputsOf(sheet, target);
  const focused = inputs.findIndex((input) => input === deepFocus(sheet));
  const chosen = inputs.findIndex((input) => input.checked);
  const choice = target.choices[focused >= 0 ? focused : chosen];
  const text = target.kind === "step" ? target.question : choice ? `${choice.label}：${choice.anchor}` : target.question;
  line.textContent = sheet.view.study.lang === "zh" ? text : text.replace("：", ": ");
}
