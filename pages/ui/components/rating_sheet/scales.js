// One target as a field set: real radio buttons, each with its key, its short label and its anchor.

import { el, key, part } from "../task/dom.js";
import { isReadOnly } from "../task/entries.js";
import { changed } from "../task/page.js";
import { CANNOT_RATE, nameOf, setValue, valueOf } from "./targets.js";

export function fieldset(sheet, target) {
  const row = el("div", { class: "choices", "data-count": target.choices.length },
    target.choices.map((choice, place) => choiceBox(sheet, target, choice, place)));
  return el("fieldset", {
    class: `scale ${target.kind}`, "data-target": target.id, "data-required": target.required,
    lang: target.isStudyWording ? sheet.view.study.lang : null,
  },
  el("legend", { class: "hidden", text: `${nameOf(sheet, target)}${sheet.data.lang === "zh" ? "：" : ": "}${target.question}` }),
  el("div", { class: "name", "aria-hidden": "true", title: target.question }, target.name, target.kind === "preference" && key("P")),
  row,
  hasAnchors(target) && el("p", { class: "anchor", "aria-hidden": "true" }));
}

function choiceBox(sheet, target, choice, place) {
  const anchor = `${target.id}/${place}`;
  const input = el("input", {
    type: "radio", name: target.id, value: String(choice.value), checked: valueOf(sheet, target) === choice.value,
    disabled: isReadOnly(sheet), "aria-describedby": choice.anchor ? anchor : null,
  });
  return el("label", { class: choice.value === CANNOT_RATE ? "choice cannot" : "choice" },
    input,
    el("span", { class: "face" },
      choice.isBare ? null : key(choice.keys[0].toUpperCase()),
      el("span", { class: "label", text: choice.label })),
    choice.anchor && el("span", { class: "hidden", id: anchor, text: choice.anchor }));
}

export function hasAnchors(target) {
  return target.choices.some((choice) => choice.anchor) || target.kind === "step";
}

export function boxOf(sheet, target) {
  return target ? part(sheet, `[data-target="${CSS.escape(target.id)}"]`) : null;
}

export function inputsOf(sheet, target) {
  return [...(boxOf(sheet, target)?.querySelectorAll("input[type=radio]") ?? [])];
}

export function targetOf(sheet, element) {
  const id = element?.closest?.(".scale")?.dataset.target;
  return id ? sheet.targets.find((target) => target.id === id) ?? null : null;
}

export function choose(sheet, target, choice) {
  setValue(sheet, target, choice ? choice.value : null);
  inputsOf(sheet, target).forEach((input, place) => { input.checked = target.choices[place] === choice; });
  changed(sheet);
}
