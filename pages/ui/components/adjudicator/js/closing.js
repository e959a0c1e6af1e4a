// Below the text: the reason, which every decision needs, and the bar with the one primary action.

function ending(sheet) {
  if (isReadOnly(sheet)) return null;
  return el("div", { class: "end" },
    el("section", { class: "closing", "aria-label": say(sheet, "decision") }, reasonField(sheet)),
    el("div", { class: "actions" },
      el("span", { class: "todo" }),
      button(say(sheet, "undo"), "Z", { class: "quiet undo", onclick: () => undo(sheet) }),
      el("button", { type: "button", class: "quiet redo", text: say(sheet, "redo"), "aria-keyshortcuts": "Control+Y", onclick: () => redo(sheet) }),
      button(say(sheet, sheet.view.task.revision ? "decide_again" : "decide"), "S", { class: "primary", onclick: () => save(sheet) })));
}

function reasonField(sheet) {
  return el("label", { class: "reason" },
    el("span", {}, say(sheet, "reason"), key("C")),
    el("input", {
      type: "text", value: sheet.entries.reason, maxlength: 1000, autocomplete: "off", "aria-required": "true", placeholder: say(sheet, "reason_hint"),
      oninput: (event) => { sheet.entries.reason = event.target.value; changed(sheet); },
      onkeydown: (event) => onReasonKey(sheet, event),
    }));
}

// Enter decides, Escape goes back to the text; neither while an input method composes.
function onReasonKey(sheet, event) {
  if (event.isComposing || event.keyCode === 229) return;
  if (event.key === "Enter") take(event, () => save(sheet));
  if (event.key === "Escape") take(event, () => focusText(sheet));
}

function paintActions(sheet) {
  const todo = part(sheet, ".todo");
  if (!todo) return;
  const missing = missingParts(sheet);
  todo.textContent = missing.length ? say(sheet, `need_${missing[0].what}`) : "";
  todo.classList.toggle("missing", sheet.wasTried && missing.length > 0);
  part(sheet, ".undo").disabled = sheet.done.length === 0;
  part(sheet, ".redo").disabled = sheet.undone.length === 0;
  part(sheet, ".reason").classList.toggle("missing", sheet.wasTried && missing.some(({ what }) => what === "reason"));
  part(sheet, ".actions .primary").setAttribute("aria-busy", String(sheet.busy));
  sheet.main.setAttribute("aria-busy", String(sheet.busy));
}

function paintCertainty() {}

// The span marker's drawer (note, skip) has no place here.
function drawPanel() {}
function closePanel() {}
