// Below the text: the reason, which every decision needs, and the bar with the one primary action.

import { button, el, say } from "../task/dom.js";
import { isReadOnly } from "../task/entries.js";
import { save } from "../task/exchange.js";
import { reasonField } from "../task/frame.js";
import { isComposing, take } from "../task/keys.js";
import { changed } from "../task/page.js";
import { undoButtons } from "../span_marker/closing.js";
import { focusText } from "../span_marker/walk.js";

export function ending(sheet) {
  if (isReadOnly(sheet)) return null;
  return el("div", { class: "end" },
    el("section", { class: "closing", "aria-label": say(sheet, "decision") },
      reasonField(sheet, { onInput: changed, onKey: onReasonKey, shortcut: "C" })),
    el("div", { class: "actions" },
      el("span", { class: "todo" }),
      ...undoButtons(sheet),
      button(say(sheet, sheet.view.task.revision ? "decide_again" : "decide"), "S", { class: "primary", onclick: () => save(sheet) })));
}

// Enter decides, Escape goes back to the text; neither while an input method composes.
function onReasonKey(sheet, event) {
  if (isComposing(event)) return;
  if (event.key === "Enter") take(event, () => save(sheet));
  if (event.key === "Escape") take(event, () => focusText(sheet));
}
