// The screens that all faces share. Which one stands follows from the view, never from a path.

import { el, say } from "./dom.js";
import { isReadOnly } from "./entries.js";
import { open, skip } from "./exchange.js";
import { header } from "./frame.js";
import { changed, render } from "./page.js";

// The text of a risk-marked item comes only after a word of warning.
export function screenOf(sheet) {
  const { view } = sheet;
  if (!view) return "loading";
  if (view.state !== "task") return view.state;
  return view.task.risk !== "none" && !sheet.revealed.has(view.task.task) ? "cover" : "task";
}

export function loadingScreen(sheet) {
  return [el("p", { class: "loading", text: say(sheet, "loading") })];
}

export function calm(title, paragraphs, ways) {
  return el("div", { class: "calm" }, el("h1", { text: title }),
    paragraphs.filter(Boolean).map((text) => el("p", { text })), el("div", { class: "ways" }, ways));
}

export function first(label, onclick) {
  return el("button", { type: "button", class: "primary", "data-first": true, text: label, onclick });
}

export function way(label, href, isFirst = false) {
  return href ? el("a", { class: isFirst ? "primary" : "plain", "data-first": isFirst, href, text: label }) : null;
}

export function coverScreen(sheet) {
  const { risk } = sheet.view.task;
  const box = el("div", { class: "calm warned" },
    el("h1", { text: say(sheet, `risk_${risk}`) }),
    el("p", { text: say(sheet, `cover_${risk}`) }),
    el("p", { class: "risk", text: sheet.view.study.support_text }),
    el("div", { class: "ways" },
      first(say(sheet, "cover_show"), () => reveal(sheet)),
      !isReadOnly(sheet) && el("button", { type: "button", class: "plain", text: say(sheet, "cover_skip"), onclick: () => offerSkip(sheet, box) })));
  return [header(sheet), box];
}

function offerSkip(sheet, box) {
  box.querySelector(".panel")?.remove();
  const panel = el("div", { class: "panel" }, skipPanel(sheet));
  box.append(panel);
  panel.querySelector("[data-first]").focus();
}

function reveal(sheet) {
  sheet.revealed.add(sheet.view.task.task);
  sheet.store.write("shown", [...sheet.revealed].slice(-200));
  sheet.clock.wake();
  render(sheet);
  sheet.face.focusFirst(sheet);
}

export function breakScreen(sheet) {
  const worked = sheet.view.break ?? {};
  const risk = worked.risk_items ? say(sheet, "break_risk", { items: worked.risk_items }) : "";
  return [header(sheet), calm(say(sheet, "break_title"),
    [say(sheet, "break_worked", { minutes: worked.minutes ?? 0 }), risk, say(sheet, "break_about")],
    [first(say(sheet, "break_continue"), () => open(sheet, null, { rested: true })), way(say(sheet, "break_leave"), sheet.data.links?.home)])];
}

// Free words about the task, kept in this field of the entries.
export function wordsPanel(sheet, field) {
  return el("label", { class: "field" },
    el("span", { text: say(sheet, `${field}_label`) }),
    el("textarea", {
      "data-first": true, rows: 3, maxlength: 4000, value: sheet.entries[field],
      oninput: (event) => { sheet.entries[field] = event.target.value; changed(sheet); },
    }));
}

export function skipPanel(sheet) {
  const { options: { skip_reasons: reasons }, study } = sheet.view;
  const form = el("form", { class: "skip", onsubmit: (event) => { event.preventDefault(); sendSkip(sheet, form); } },
    el("p", { class: "lead", text: say(sheet, "skip_about") }),
    pills({ name: "reason", legend: say(sheet, "skip_reason"), choices: reasons, lang: study.lang, isFirst: true }),
    el("label", { class: "field" }, el("span", { text: say(sheet, "skip_note") }),
      el("input", { type: "text", name: "note", maxlength: 1000, autocomplete: "off" })),
    el("div", { class: "row" }, el("p", { class: "problem", role: "alert" }),
      el("button", { type: "submit", class: "primary small", text: say(sheet, "skip_confirm") })));
  return form;
}

function sendSkip(sheet, form) {
  const reason = new FormData(form).get("reason");
  if (!reason) {
    form.querySelector(".problem").textContent = say(sheet, "skip_needs_reason");
    form.querySelector("input").focus();
    return;
  }
  skip(sheet, reason, form.elements.note.value);
}

// A row of radio buttons for a list of {id, name}.
export function pills({ name, legend, choices, lang, chosen = null, isFirst = false }) {
  return el("fieldset", { class: "pills" }, el("legend", { text: legend }),
    el("div", { class: "row", lang }, choices.map((choice, place) => el("label", { class: "choice" },
      el("input", { type: "radio", name, value: choice.id, checked: choice.id === chosen, "data-first": isFirst && place === 0 }),
      el("span", { class: "face" }, el("span", { class: "words", text: choice.name }))))));
}
