// The drawer over the bottom bar: note or skip, one at a time; Escape closes it.

const PANELS = { note: notePanel, skip: skipPanel };

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
    el("div", { class: "panel", role: "group", "aria-label": say(sheet, sheet.panel) },
      PANELS[sheet.panel](sheet),
      el("button", { type: "button", class: "quiet close", "aria-label": say(sheet, "close"), onclick: () => closePanel(sheet) },
        el("span", { text: say(sheet, "close") }), key("Esc"))));
}

function closePanel(sheet) {
  if (!sheet.panel) return;
  sheet.panel = null;
  drawPanel(sheet);
  focusText(sheet);
}

function notePanel(sheet) {
  return el("label", { class: "field" },
    el("span", { text: say(sheet, "note_label") }),
    el("textarea", {
      "data-first": true, rows: 3, maxlength: 4000, value: sheet.entries.note,
      oninput: (event) => { sheet.entries.note = event.target.value; changed(sheet); },
    }));
}

function skipPanel(sheet) {
  const reasons = sheet.view.options.skip_reasons;
  const form = el("form", { class: "skip", onsubmit: (event) => { event.preventDefault(); sendSkip(sheet, form); } },
    el("p", { class: "lead", text: say(sheet, "skip_about") }),
    el("fieldset", { class: "pills" }, el("legend", { text: say(sheet, "skip_reason") }),
      el("div", { class: "row", lang: sheet.view.study.lang }, reasons.map((choice, place) => el("label", { class: "choice" },
        el("input", { type: "radio", name: "reason", value: choice.id, "data-first": place === 0 }),
        el("span", { class: "face" }, el("span", { text: choice.name })))))),
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
