// Below the answers: scales of the whole task, preference, confidence, the reason of a correction,
// and the bar with the one primary action.

function closing(sheet) {
  const whole = sheet.targets.filter((target) => target.slot === null);
  const parts = whole.map((target) => fieldset(sheet, target));
  if (sheet.view.task.revision > 0 && !isReadOnly(sheet)) parts.push(reasonField(sheet));
  if (parts.length === 0) return null;
  const hasScale = whole.some((target) => target.kind === "score");
  const isWide = hasScale || sheet.view.task.revision > 0;
  return el("section", { class: "closing", "aria-label": say(sheet, "whole_task"), "data-wide": isWide }, parts);
}

function reasonField(sheet) {
  return el("label", { class: "reason" },
    el("span", { text: say(sheet, "reason") }),
    el("input", {
      type: "text", value: sheet.entries.reason, maxlength: 1000, autocomplete: "off", "aria-required": "true",
      placeholder: say(sheet, "reason_hint"),
      oninput: (event) => { sheet.entries.reason = event.target.value; changed(sheet); },
    }));
}

function actions(sheet) {
  const { options } = sheet.view;
  const drawer = el("div", { class: "drawer", hidden: true });
  if (isReadOnly(sheet)) {
    return el("div", { class: "actions" }, el("span", { class: "grow" }),
      homeWay(sheet), button(say(sheet, "next_task"), null, { class: "primary", onclick: () => open(sheet, null) }));
  }
  return el("div", { class: "actions" }, drawer,
    el("button", { type: "button", class: "count quiet", onclick: () => goToMissing(sheet) }),
    options.flags && button(say(sheet, "flag"), "F", { class: "plain to-flags", "aria-expanded": "false", onclick: () => togglePanel(sheet, "flags") }),
    options.comment && button(say(sheet, "comment"), "C", { class: "plain to-comment", "aria-expanded": "false", onclick: () => togglePanel(sheet, "comment") }),
    button(say(sheet, "skip"), "N", { class: "plain to-skip", "aria-expanded": "false", onclick: () => togglePanel(sheet, "skip") }),
    button(say(sheet, sheet.view.task.revision > 0 ? "save_again" : "save"), "S", { class: "primary", onclick: () => save(sheet) }));
}

function homeWay(sheet) {
  const { home } = sheet.data.links ?? {};
  return home ? el("a", { class: "plain", href: home, text: say(sheet, "to_home") }) : null;
}

// Everything below the answers stands together, in one row where there is room.
function ending(sheet) {
  const isWide = Boolean(closingIsWide(sheet));
  return el("div", { class: "end", "data-wide": isWide }, closing(sheet), actions(sheet));
}

function closingIsWide(sheet) {
  return sheet.view.task.revision > 0 || sheet.targets.some((target) => target.kind === "score" && !target.slot);
}
