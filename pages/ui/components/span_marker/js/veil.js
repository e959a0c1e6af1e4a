// What covers the sheet for a moment: the help, and the pause that stops the clock.

function veil(sheet, name, content) {
  sheet.veil = name;
  sheet.page.inert = true;
  sheet.veilFrom = deepFocus(sheet);
  sheet.cover.replaceChildren(el("div", { class: `veil ${name}`, role: "dialog", "aria-modal": "true", "aria-labelledby": "veil-title" }, content));
  sheet.cover.querySelector("[data-first]").focus();
}

function unveil(sheet) {
  if (!sheet.veil) return;
  sheet.veil = null;
  sheet.isPaused = false;
  sheet.lastActivity = Date.now();
  sheet.page.inert = false;
  sheet.cover.replaceChildren();
  sheet.veilFrom?.focus?.();
  if (sheet.screen === "task") showSelection(sheet);
}

function pause(sheet) {
  flushDraft(sheet);
  sheet.isPaused = true;
  veil(sheet, "pausing", el("div", { class: "calm" },
    el("h1", { id: "veil-title", text: say(sheet, "paused") }),
    el("p", { text: say(sheet, "paused_about") }),
    el("button", { type: "button", class: "primary", "data-first": true, text: say(sheet, "resume"), onclick: () => unveil(sheet) })));
}

const HELP = ["words", "clauses", "sentences", "grow", "end", "start", "letters", "label", "more", "whole", "verdict", "undo", "delete", "jump", "escape", "proposal", "certainty", "guide", "note", "skip", "back", "save", "help"];

function showHelp(sheet) {
  const rows = HELP.filter((row) => (row !== "proposal" || isSecondRound(sheet)) && (row !== "more" || needsTwoKeys(sheet)));
  veil(sheet, "help", el("div", { class: "sheet-help" },
    el("h1", { id: "veil-title", text: say(sheet, "help_title") }),
    el("dl", {}, rows.map((row) => el("div", {},
      el("dt", {}, say(sheet, `key_${row}`).split(" ").map((name) => key(name))),
      el("dd", { text: say(sheet, `does_${row}`) })))),
    el("p", { class: "soft", text: say(sheet, "help_note") }),
    el("button", { type: "button", class: "primary", "data-first": true, text: say(sheet, "close"), onclick: () => unveil(sheet) })));
}
