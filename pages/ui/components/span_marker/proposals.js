// The second round: what the model proposed, one by one, to be confirmed, changed or rejected.

import { announce, el, key, part, say } from "../task/dom.js";
import { isFrozen, isReadOnly } from "../task/entries.js";
import { isSecondRound, labelOf, quoteOf } from "./entries.js";
import { act } from "./history.js";
import { paintMeaning, paintTarget } from "./labels.js";
import { keepInView, select } from "./selection.js";
import { paintTexts } from "./text.js";
import { trimmed } from "./units.js";

export function proposalCard(sheet) {
  if (!isSecondRound(sheet)) return null;
  const { proposals } = sheet.view.task;
  return el("section", { class: "card proposals", "aria-label": say(sheet, "proposals") },
    el("header", {}, el("h2", { text: say(sheet, "proposals") }), el("span", { class: "answered" })),
    proposals.length ? el("ol", {}, proposals.map((proposal) => proposalRow(sheet, proposal))) : el("p", { class: "soft none", text: say(sheet, "no_proposals") }));
}

function proposalRow(sheet, proposal) {
  const label = labelOf(sheet, proposal.label);
  const way = (answer, shortcut) => el("button", {
    type: "button", class: `plain answer ${answer}`, "data-answer": answer, disabled: isReadOnly(sheet), onclick: () => answerProposal(sheet, proposal.id, answer),
  }, el("span", { text: say(sheet, answer) }), key(shortcut));
  return el("li", { "data-proposal": proposal.id },
    el("button", { type: "button", class: "show", onclick: () => takeUp(sheet, proposal.id) },
      el("b", { text: label.name, lang: sheet.view.study.lang }),
      proposal.field ? el("q", { text: quoteOf(sheet, proposal), lang: sheet.view.study.lang }) : el("span", { class: "soft", text: say(sheet, "no_evidence") }),
      el("small", { class: "verdict-word" })),
    el("div", { class: "answers", role: "group", "aria-label": label.name }, way("confirmed", "Y"), way("changed", "M"), way("rejected", "X")));
}

function proposalInHand(sheet) {
  return sheet.view?.task?.proposals.find(({ id }) => id === sheet.proposal) ?? null;
}

export function firstOpen(sheet) {
  return sheet.view.task.proposals.find(({ id }) => !sheet.entries.answers[id]) ?? null;
}

export function evidenceIn(sheet, field) {
  const proposal = proposalInHand(sheet);
  return proposal?.field === field ? proposal : null;
}

export function takeUp(sheet, id) {
  sheet.proposal = id;
  sheet.changing = null;
  const proposal = proposalInHand(sheet);
  sheet.meant = proposal?.label ?? sheet.meant;
  paintTexts(sheet);
  paintMeaning(sheet);
  paintProposals(sheet);
  paintTarget(sheet);
  if (proposal?.field) keepInView(sheet, proposal);
  part(sheet, `[data-proposal="${id}"]`)?.scrollIntoView({ block: "nearest" });
}

export function answerProposal(sheet, id, answer) {
  if (isFrozen(sheet) || !id) return;
  if (answer === "changed") return beginChange(sheet, id);
  const name = labelOf(sheet, sheet.view.task.proposals.find((proposal) => proposal.id === id).label).name;
  act(sheet, (entries) => {
    entries.answers[id] = { answer };
    if (answer === "confirmed") entries.verdict = null;
  });
  announce(sheet, `${name} ${say(sheet, `is_${answer}`)}`);
  goOn(sheet, id);
}

// Its words are selected, to be kept or moved; the next label key says what it should be.
function beginChange(sheet, id) {
  takeUp(sheet, id);
  sheet.changing = id;
  const { field, start, end } = proposalInHand(sheet);
  select(sheet, field ? { field, start, end } : null);
  announce(sheet, say(sheet, "aim_change"));
}

export function changeTo(sheet, label, isWhole) {
  const id = sheet.changing;
  const place = !isWhole && sheet.selection ? trimmed(sheet, sheet.selection) : { field: null, start: null, end: null };
  sheet.changing = null;
  act(sheet, (entries) => {
    entries.answers[id] = { answer: "changed", label, ...place };
    entries.verdict = null;
  });
  announce(sheet, say(sheet, "changed_to", { label: labelOf(sheet, label).name }));
  select(sheet, null);
  goOn(sheet, id);
}

function goOn(sheet, id) {
  const next = firstOpen(sheet);
  if (next && next.id !== id) takeUp(sheet, next.id);
  else paintProposals(sheet);
}

export function paintProposals(sheet) {
  if (!isSecondRound(sheet)) return;
  const { proposals } = sheet.view.task;
  const done = proposals.filter(({ id }) => sheet.entries.answers[id]).length;
  part(sheet, ".answered").textContent = proposals.length ? `${done}/${proposals.length}` : "";
  for (const row of sheet.page.querySelectorAll("[data-proposal]")) {
    const given = sheet.entries.answers[row.dataset.proposal];
    row.classList.toggle("now", row.dataset.proposal === sheet.proposal);
    row.classList.toggle("given", Boolean(given));
    row.classList.toggle("missing", sheet.wasTried && !given);
    row.querySelector(".verdict-word").textContent = !given ? "" : given.answer === "changed" ? say(sheet, "changed_to", { label: labelOf(sheet, given.label).name }) : say(sheet, `is_${given.answer}`);
    for (const way of row.querySelectorAll("[data-answer]")) way.setAttribute("aria-pressed", String(way.dataset.answer === (sheet.changing === row.dataset.proposal ? "changed" : given?.answer)));
  }
}
