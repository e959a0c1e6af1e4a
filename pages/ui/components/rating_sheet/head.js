// Above the answers: what to know before reading, the question, and the tools.

import { button, clockTime, el, part, say } from "../task/dom.js";
import { notice, riskNotice } from "../task/frame.js";
import { toggleTogether } from "./answers.js";
import { toggleGuide } from "./guide.js";
import { enterStage } from "./walk.js";

export function notices(sheet) {
  return [riskNotice(sheet), standingNotice(sheet)];
}

function standingNotice(sheet) {
  const { task } = sheet.view;
  if (task.read_only) return notice(say(sheet, "read_only"));
  if (task.revision === 0) return null;
  return notice(say(sheet, "correcting", { revision: task.revision, time: clockTime(sheet, task.saved_at) }));
}

export function question(sheet) {
  const { task, study } = sheet.view;
  const text = el("p", { class: "description", text: task.description, id: "description" });
  const fold = button(say(sheet, "fold"), "D", {
    class: "quiet fold", hidden: true, "aria-controls": "description", "aria-expanded": "true", onclick: () => foldQuestion(sheet),
  });
  return el("section", { class: "question", "aria-label": say(sheet, "question"), lang: study.lang },
    el("h1", { text: task.question }), task.description ? text : null, task.description ? fold : null);
}

// Offered only where there is something to fold: more than two lines.
export function offerFold(sheet) {
  const text = part(sheet, ".description");
  const fold = part(sheet, ".fold");
  if (!text || part(sheet, ".question").dataset.folded) return;
  fold.hidden = text.scrollHeight <= 2.2 * parseFloat(getComputedStyle(text).lineHeight);
}

export function foldQuestion(sheet) {
  const box = part(sheet, ".question");
  const fold = part(sheet, ".fold");
  if (!fold || fold.hidden) return;
  const isFolded = !box.dataset.folded;
  if (isFolded) box.dataset.folded = "yes";
  else delete box.dataset.folded;
  fold.firstChild.textContent = say(sheet, isFolded ? "unfold" : "fold");
  fold.setAttribute("aria-expanded", String(!isFolded));
}

export function toolbar(sheet) {
  const { steps } = sheet.view.instrument;
  const stages = steps ? (steps.when === "before" ? ["steps", "scores"] : ["scores", "steps"]) : [];
  return el("div", { class: "tools" },
    el("span", { class: "ai", text: sheet.view.study.notice }),
    stages.length > 0 && el("div", { class: "stages", role: "group", "aria-label": say(sheet, "stages") },
      stages.map((stage) => el("button", {
        type: "button", class: "stage", "data-stage": stage, onclick: () => enterStage(sheet, stage),
      }, el("span", { text: say(sheet, `stage_${stage}`) }), el("i")))),
    sheet.view.task.slots.length > 1 && el("button", {
      type: "button", class: "quiet together", "aria-pressed": "false", onclick: () => toggleTogether(sheet),
      text: say(sheet, "scroll_together") }),
    button(say(sheet, "guide"), "G", { class: "quiet anchors", "aria-pressed": "false", onclick: () => toggleGuide(sheet) }));
}
