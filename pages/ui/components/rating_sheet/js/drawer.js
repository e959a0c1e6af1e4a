// The drawer over the bottom bar: flags, comment or skip, one at a time; Escape closes it.

const PANELS = { flags: flagsPanel, comment: commentPanel, skip: skipPanel };

function togglePanel(sheet, name) {
  if (sheet.panel === name) closePanel(sheet);
  else openPanel(sheet, name);
}

function openPanel(sheet, name) {
  if (isFrozen(sheet) || !part(sheet, `.to-${name}`)) return;
  sheet.panel = name;
  drawPanel(sheet);
  part(sheet, ".drawer [data-first]")?.focus();
}

function drawPanel(sheet) {
  const drawer = part(sheet, ".drawer");
  if (!drawer) return;
  drawer.hidden = !sheet.panel;
  for (const name of Object.keys(PANELS)) part(sheet, `.to-${name}`)?.setAttribute("aria-expanded", String(sheet.panel === name));
  if (!sheet.panel) return drawer.replaceChildren();
  drawer.replaceChildren(
    el("div", { class: "panel", role: "group", "aria-label": say(sheet, sheet.panel === "flags" ? "flag" : sheet.panel) },
      PANELS[sheet.panel](sheet),
      el("button", { type: "button", class: "quiet close", "aria-label": say(sheet, "close"), onclick: () => closePanel(sheet) },
        el("span", { text: say(sheet, "close") }), key("Esc"))));
}

function closePanel(sheet) {
  if (!sheet.panel) return;
  sheet.panel = null;
  drawPanel(sheet);
  focusTarget(sheet, sheet.current ?? sheet.targets[0]);
}

function commentPanel(sheet) {
  return el("label", { class: "field" },
    el("span", { text: say(sheet, "comment_label") }),
    el("textarea", {
      "data-first": true, rows: 3, maxlength: 4000, value: sheet.entries.comment,
      oninput: (event) => { sheet.entries.comment = event.target.value; changed(sheet); },
    }));
}

function skipPanel(sheet) {
  const reasons = sheet.view.options.skip_reasons;
  const form = el("form", { class: "skip", onsubmit: (event) => { event.preventDefault(); sendSkip(sheet, form); } },
    el("p", { class: "lead", text: say(sheet, "skip_about") }),
    pills("reason", say(sheet, "skip_reason"), reasons, null, true, sheet.view.study.lang),
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
function pills(name, legend, choices, chosen, isFirst, lang) {
  return el("fieldset", { class: "pills" }, el("legend", { text: legend }),
    el("div", { class: "row", lang }, choices.map((choice, place) => el("label", { class: "choice" },
      el("input", { type: "radio", name, value: choice.id, checked: choice.id === chosen, "data-first": isFirst && place === 0 }),
      el("span", { class: "face" }, el("span", { class: "label", text: choice.name }))))));
}
