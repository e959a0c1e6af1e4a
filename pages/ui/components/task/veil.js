// What covers the task for a moment: the help, and the pause that stops the clock.

import { el, key, say } from "./dom.js";
import { deepFocus } from "./focus.js";

function veil(sheet, name, content) {
  sheet.veil = name;
  sheet.page.inert = true;
  sheet.veilFrom = deepFocus(sheet);
  sheet.cover.replaceChildren(el("div", { class: `veil ${name}`, role: "dialog", "aria-modal": "true", "aria-labelledby": "veil-title" }, content));
  sheet.cover.querySelector("[data-first]").focus();
}

export function unveil(sheet) {
  if (!sheet.veil) return;
  sheet.veil = null;
  sheet.clock.resume();
  sheet.page.inert = false;
  sheet.cover.replaceChildren();
  sheet.veilFrom?.focus?.();
  sheet.face.unveiled?.(sheet);
  const { afterVeil } = sheet;
  sheet.afterVeil = null;
  afterVeil?.();
}

export function pause(sheet) {
  sheet.draft.flush();
  sheet.clock.pause();
  veil(sheet, "pausing", el("div", { class: "calm" },
    title(sheet, "paused"),
    el("p", { text: say(sheet, "paused_about") }),
    wayBack(sheet, "resume")));
}

export function showHelp(sheet) {
  veil(sheet, "help", el("div", { class: "sheet-help" },
    title(sheet, "help_title"),
    el("dl", {}, sheet.face.help(sheet).map((row) => el("div", {},
      el("dt", {}, say(sheet, `key_${row}`).split(" ").map((name) => key(name))),
      el("dd", { text: say(sheet, `does_${row}`) })))),
    el("p", { class: "soft", text: say(sheet, "help_note") }),
    wayBack(sheet, "close")));
}

function title(sheet, word) {
  return el("h1", { id: "veil-title", text: say(sheet, word) });
}

function wayBack(sheet, word) {
  return el("button", { type: "button", class: "primary", "data-first": true, text: say(sheet, word), onclick: () => unveil(sheet) });
}
