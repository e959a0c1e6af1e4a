// What the annotators said alone, side by side: one row for each label on the same words, one
// column for each annotator. Nothing is taken over by itself; Y takes the row in hand, X passes on.

import { announce, el, part, say } from "../task/dom.js";
import { isFrozen, isReadOnly } from "../task/entries.js";
import { FIELDS, labelOf, quoteOf } from "../span_marker/entries.js";
import { act } from "../span_marker/history.js";
import { paintMeaning } from "../span_marker/labels.js";
import { putVerdict, sameMark } from "../span_marker/marks.js";
import { keepInView, select } from "../span_marker/selection.js";
import { paintTexts } from "../span_marker/text.js";
import { focusText } from "../span_marker/walk.js";
import { laneOf } from "./text.js";

function rowsOf(sheet) {
  const rows = [];
  const note = (mark, number) => {
    const row = rows.find((other) => sameMark(other, mark)) ?? rows[rows.push({ ...mark, by: [] }) - 1];
    row.by.push(number);
  };
  for (const { number, whole, spans } of sheet.view.task.annotators) {
    for (const span of spans) note({ field: span.field, start: span.start, end: span.end, label: span.label }, number);
    for (const label of whole) note({ label, field: null, start: null, end: null }, number);
  }
  const rank = (row) => sheet.labels.findIndex((label) => label.id === row.label);
  const where = (row) => (row.field === null ? 1e9 : FIELDS.indexOf(row.field) * 1e6 + row.start);
  rows.sort((one, other) => rank(one) - rank(other) || where(one) - where(other) || one.end - other.end);
  return rows.map((row, id) => ({ ...row, id: String(id) }));
}

export function rawCard(sheet) {
  const { annotators } = sheet.view.task;
  sheet.rows = rowsOf(sheet);
  return el("section", { class: "card raw", "aria-label": say(sheet, "raw") },
    el("div", { class: "scroll", tabindex: -1 }, annotators.length ? table(sheet) : el("p", { class: "empty soft", text: say(sheet, sheet.view.queue.has_blind_round ? "no_raw" : "no_blind_round") }),
      ...annotators.filter(({ note }) => note).map(({ number, note }) => el("p", { class: "said" }, swatch(number), el("b", { text: say(sheet, "annotator", { number }) }), el("span", { text: note, lang: sheet.view.study.lang })))));
}

function table(sheet) {
  const { annotators } = sheet.view.task;
  return el("table", {},
    el("thead", {}, el("tr", {}, el("th", { scope: "col", text: say(sheet, "label") }), el("th", { scope: "col", text: say(sheet, "words") }),
      annotators.map(({ number, certainty }) => el("th", { scope: "col", class: "who", title: certainty ? `${say(sheet, "certainty")}: ${say(sheet, `certainty_${certainty}`)}` : null },
        el("span", { text: say(sheet, "annotator", { number }) }), swatch(number))),
      el("th", { scope: "col", class: "mine", text: say(sheet, "decision") }))),
    el("tbody", {}, ["none", "unsure"].filter((verdict) => annotators.some(({ outcome }) => outcome === verdict)).map((verdict) => verdictRow(sheet, verdict)),
      sheet.rows.map((row, at) => rawRow(sheet, row, sheet.rows[at - 1]))));
}

function swatch(number) {
  return el("i", { class: `swatch line-${laneOf(number)}`, "aria-hidden": "true" });
}

function cells(sheet, isHere) {
  return sheet.view.task.annotators.map((annotator) => el("td", { class: "who" }, isHere(annotator) ? el("span", { text: "●", "aria-label": say(sheet, "yes") }) : el("span", { class: "soft", text: "·", "aria-label": say(sheet, "no") })));
}

function verdictRow(sheet, verdict) {
  return el("tr", { "data-verdict-row": verdict }, el("th", { scope: "row", colspan: 2, class: "soft", text: say(sheet, verdict) }), cells(sheet, ({ outcome }) => outcome === verdict),
    el("td", { class: "mine" }, el("button", { type: "button", class: "quiet take", disabled: isReadOnly(sheet), onclick: () => putVerdict(sheet, verdict) })));
}

function rawRow(sheet, row, before) {
  const label = labelOf(sheet, row.label);
  const words = row.field ? quoteOf(sheet, row) : "";
  return el("tr", { "data-row": row.id },
    el("th", { scope: "row", lang: sheet.view.study.lang, text: before?.label === row.label ? "" : label.name, "aria-label": label.name }),
    el("td", { class: "quote" }, el("button", { type: "button", class: "show", onclick: () => takeUp(sheet, row.id) },
      words ? el("q", { text: words, lang: sheet.view.study.lang }) : el("span", { class: "soft", text: say(sheet, "whole_item") }))),
    cells(sheet, ({ number }) => row.by.includes(number)),
    el("td", { class: "mine" }, el("button", { type: "button", class: "quiet take", disabled: isReadOnly(sheet), "aria-label": `${say(sheet, "take")} ${label.name}`, onclick: () => { sheet.proposal = row.id; takeRow(sheet, false); } })));
}

function rowInHand(sheet) {
  return sheet.rows?.find(({ id }) => id === sheet.proposal) ?? null;
}

function isTaken(sheet, row) {
  return row.field === null ? sheet.entries.labels.includes(row.label) : sheet.entries.spans.some((span) => sameMark(span, row));
}

// Taken over exactly as it was marked; once more takes it off again.
export function takeRow(sheet, goesOn = true) {
  const row = rowInHand(sheet);
  if (!row || isFrozen(sheet)) return;
  const wasTaken = isTaken(sheet, row);
  const { label, field, start, end } = row;
  act(sheet, (entries) => {
    entries.verdict = null;
    if (field === null) entries.labels = wasTaken ? entries.labels.filter((other) => other !== label) : [...entries.labels, label];
    else entries.spans = wasTaken ? entries.spans.filter((span) => !sameMark(span, row)) : [...entries.spans, { field, start, end, label }];
  });
  announce(sheet, say(sheet, wasTaken ? "unmarked" : "marked", { label: labelOf(sheet, label).name, words: field ? quoteOf(sheet, row) : say(sheet, "whole_item") }));
  if (goesOn && !wasTaken) passOn(sheet, 1);
  else paintProposals(sheet);
}

export function passOn(sheet, by) {
  if (!sheet.rows?.length) return;
  const here = sheet.rows.findIndex(({ id }) => id === sheet.proposal);
  const next = sheet.rows[(here + by + sheet.rows.length) % sheet.rows.length];
  takeUp(sheet, next.id);
}

// Its words are shown in the text; nothing is selected, nothing taken.
export function takeUp(sheet, id) {
  sheet.proposal = id;
  const row = rowInHand(sheet);
  sheet.meant = row?.label ?? sheet.meant;
  paintTexts(sheet);
  paintMeaning(sheet);
  paintProposals(sheet);
  if (row?.field) keepInView(sheet, row);
  part(sheet, `[data-row="${id}"]`)?.scrollIntoView({ block: "nearest" });
}

// Its words are selected, to be moved at either end; the next label key says what they are.
export function adjustRow(sheet) {
  const row = rowInHand(sheet);
  if (!row?.field || isFrozen(sheet)) return;
  sheet.meant = row.label;
  select(sheet, { field: row.field, start: row.start, end: row.end });
  focusText(sheet);
}

export function firstOpen(sheet) {
  sheet.rows = rowsOf(sheet);
  return sheet.rows[0] ?? null;
}

export function evidenceIn(sheet, field) {
  const row = rowInHand(sheet);
  return row?.field === field ? row : null;
}

export function paintProposals(sheet) {
  for (const line of sheet.page.querySelectorAll("[data-row]")) {
    const row = sheet.rows[Number(line.dataset.row)];
    line.classList.toggle("now", row.id === sheet.proposal);
    const isMine = isTaken(sheet, row);
    line.classList.toggle("taken", isMine);
    const button = line.querySelector(".take");
    button.setAttribute("aria-pressed", String(isMine));
    button.textContent = isMine ? "✓" : row.id === sheet.proposal ? "Y" : "+";
  }
  for (const line of sheet.page.querySelectorAll("[data-verdict-row]")) {
    const isMine = sheet.entries.verdict === line.dataset.verdictRow;
    line.classList.toggle("taken", isMine);
    const button = line.querySelector(".take");
    button.setAttribute("aria-pressed", String(isMine));
    button.textContent = isMine ? "✓" : line.dataset.verdictRow === "none" ? "0" : "U";
  }
}
