// The frame of a task: where the person is, where the entries are, what to know before reading.

import { announce, button, el, key, part, say } from "./dom.js";
import { isReadOnly } from "./entries.js";
import { pause, showHelp } from "./veil.js";

// The face's own ways on stand before pause and help.
export function header(sheet) {
  const { study, progress } = sheet.view;
  const left = progress.minutes_left ? say(sheet, "minutes_left", { minutes: progress.minutes_left }) : "";
  const isTask = sheet.view.state === "task";
  return el("header", { class: "top" },
    el("b", { class: "title", text: study.title }),
    isTask && el("span", { class: "item", text: say(sheet, "item_of", progress) }),
    progressBar(sheet),
    left && el("span", { class: "left", text: left }),
    el("span", { class: "status" }),
    sheet.face.ways?.(sheet),
    isTask && !isReadOnly(sheet) && el("button", { type: "button", class: "quiet pause", text: say(sheet, "pause"), onclick: () => pause(sheet) }),
    helpButton(sheet));
}

export function progressBar(sheet) {
  const { done, total } = sheet.view.progress;
  const bar = el("div", {
    class: "bar", role: "progressbar", "aria-label": say(sheet, "progress"),
    "aria-valuemin": 0, "aria-valuemax": total, "aria-valuenow": done,
  }, el("i"));
  bar.firstChild.style.width = `${total ? Math.min(100, (100 * done) / total) : 0}%`;
  return bar;
}

export function helpButton(sheet) {
  return button(say(sheet, "help"), "?", { class: "quiet", onclick: () => showHelp(sheet) });
}

export function riskNotice(sheet) {
  const { task, study } = sheet.view;
  if (task.risk === "none") return null;
  return el("div", { class: "risk", role: "note" },
    el("b", { text: say(sheet, `risk_${task.risk}`) }), el("span", { text: study.support_text }));
}

export function notice(text, kind = "") {
  return el("div", { class: `notice ${kind}`.trim(), role: "note", text });
}

// Why something that was saved is changed; every correction needs one.
export function reasonField(sheet, { onInput, onKey = null, shortcut = null }) {
  return el("label", { class: "reason" },
    el("span", {}, say(sheet, "reason"), shortcut && key(shortcut)),
    el("input", {
      type: "text", value: sheet.entries.reason, maxlength: 1000, autocomplete: "off", "aria-required": "true",
      placeholder: say(sheet, "reason_hint"),
      oninput: (event) => { sheet.entries.reason = event.target.value; onInput(sheet); },
      ...(onKey ? { onkeydown: (event) => onKey(sheet, event) } : {}),
    }));
}

export function homeWay(sheet) {
  const { home } = sheet.data.links ?? {};
  return home ? el("a", { class: "plain", href: home, text: say(sheet, "to_home") }) : null;
}

export function paintBusy(sheet) {
  part(sheet, ".actions .primary").setAttribute("aria-busy", String(sheet.busy));
  sheet.main.setAttribute("aria-busy", String(sheet.busy));
}

// The one line that says where the entries are; a warning is one by its word.
export function setStatus(sheet, word, values = {}) {
  const isNew = sheet.status.word !== word;
  sheet.status = { word, values };
  const line = part(sheet, ".status");
  if (!line) return;
  line.textContent = say(sheet, word, values);
  line.dataset.kind = isWarning(word) ? "warn" : /saving$/.test(word) ? "wait" : "ok";
  if (isNew && line.dataset.kind === "warn") announce(sheet, line.textContent);
}

export function isWarning(word) {
  return /offline|unsaved|signed_out/.test(word);
}

// A message that stays until it is dealt with, with its ways on: [label, action, link attributes].
// `kind` says what takes it away again: an answer of the server ("line"; "quiet" too, which only
// tells), filling in ("missing"), or one of the ways.
export function banner(sheet, text, ways = [], kind = "stays") {
  clearBanner(sheet);
  const box = el("div", { class: "banner", role: kind === "quiet" ? "status" : "alert", "data-kind": kind }, el("p", { text }),
    el("div", { class: "ways" }, ways.map(([label, onclick, link]) => (link
      ? el("a", { class: "way", text: label, ...link })
      : el("button", { type: "button", class: "way", text: label, onclick })))));
  sheet.page.prepend(box);
  box.scrollIntoView({ block: "nearest" });
}

export function clearBanner(sheet, ...kinds) {
  const box = part(sheet, ".banner");
  if (box && (kinds.length === 0 || kinds.includes(box.dataset.kind))) box.remove();
}
