// The queue: a page of it, the greatest disagreement first. Only what is shown was sent.

import { el, part, say } from "../task/dom.js";
import { open } from "../task/exchange.js";

const SHOWN = ["waiting", "decided", "all"];

export function queueCard(sheet) {
  const { queue } = sheet.view;
  return el("section", { class: "card queue", "aria-label": say(sheet, "queue") },
    el("header", {}, filters(sheet), el("button", { type: "button", class: "quiet fold", text: say(sheet, "close"), onclick: () => foldQueue(sheet, false) })),
    searchField(sheet),
    el("ol", { class: "rows", start: queue.start + 1 }, queue.rows.length ? queue.rows.map((row) => queueRow(sheet, row)) : el("li", { class: "empty soft", text: say(sheet, queue.search ? "nothing_found" : `nothing_${queue.show}`) })),
    pages(sheet));
}

function filters(sheet) {
  const { queue } = sheet.view;
  const counts = { waiting: queue.waiting, decided: queue.decided, all: null };
  return el("div", { class: "filters", role: "group", "aria-label": say(sheet, "show") }, SHOWN.map((name) => el("button", {
    type: "button", class: "quiet filter", "data-show": name, "aria-pressed": String(queue.show === name), onclick: () => turnTo(sheet, { show: name, start: 0 }),
  }, el("span", { text: say(sheet, `show_${name}`) }), counts[name] === null ? null : el("b", { text: counts[name] }))));
}

function searchField(sheet) {
  return el("form", { class: "search", role: "search", onsubmit: (event) => { event.preventDefault(); turnTo(sheet, { search: event.target.elements.search.value, start: 0 }); } },
    el("input", { type: "text", name: "search", value: sheet.view.queue.search, maxlength: 100, autocomplete: "off", placeholder: say(sheet, "search"), "aria-label": say(sheet, "search") }));
}

function queueRow(sheet, row) {
  const isHere = row.item === itemHere(sheet);
  const words = row.annotators < 2 ? say(sheet, "annotators", { count: row.annotators }) : say(sheet, "apart", { value: row.disagreement.toFixed(2) });
  return el("li", {}, el("button", { type: "button", class: "case", "aria-current": isHere ? "true" : null, onclick: () => go(sheet, row.item) },
    el("span", { class: "what" }, el("b", { text: row.item }), el("small", { text: words, class: "apart" }),
      row.outcome && el("small", { class: "outcome", text: say(sheet, row.changed ? "is_changed" : `is_${row.outcome}`) })),
    el("span", { class: "words", lang: sheet.view.study.lang, text: row.question })));
}

function pages(sheet) {
  const { start, total, per_page: size } = sheet.view.queue;
  if (total <= size) return null;
  const last = Math.min(total, start + size);
  return el("footer", { class: "pages" },
    el("button", { type: "button", class: "quiet", disabled: start === 0, "aria-label": say(sheet, "page_back"), text: "‹", onclick: () => turnTo(sheet, { start: Math.max(0, start - size) }) }),
    el("span", { text: say(sheet, "page", { first: start + 1, last, total }) }),
    el("button", { type: "button", class: "quiet", disabled: last >= total, "aria-label": say(sheet, "page_on"), text: "›", onclick: () => turnTo(sheet, { start: start + size }) }));
}

function itemHere(sheet) {
  return sheet.view.task?.item ?? null;
}

function place(sheet, other = {}) {
  const { show, search, start } = sheet.view?.queue ?? { show: "waiting", search: "", start: 0 };
  return { show, search, start, ...other };
}

function turnTo(sheet, other) {
  if (!sheet.busy) open(sheet, null, place(sheet, other));
}

function go(sheet, item) {
  foldQueue(sheet, false);
  if (!sheet.busy) open(sheet, `${sheet.data.study}/${item}`, place(sheet));
}

// To the neighbour in the queue, over the edge of the page if need be.
export function step(sheet, by) {
  const { rows, start, total, per_page: size } = sheet.view.queue;
  const here = rows.findIndex((row) => row.item === itemHere(sheet));
  const next = rows[here + by];
  if (next && (here >= 0 || by > 0)) return go(sheet, next.item);
  const there = start + by * size;
  return there >= 0 && there < total ? turnTo(sheet, { start: there }) : undefined;
}

export function foldQueue(sheet, isOpen) {
  sheet.main.dataset.queue = isOpen ? "open" : "folded";
  if (isOpen) part(sheet, ".queue .case[aria-current], .queue .case")?.focus();
}
