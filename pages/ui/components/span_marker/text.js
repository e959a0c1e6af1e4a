// The texts with their marks: each mark one line below its words, its label's name above its first word.

import { el, part, say } from "../task/dom.js";
import { points } from "../task/text.js";
import { FIELDS, labelOf } from "./entries.js";
import { allMarks } from "./marks.js";
import { boxOf, showSelection } from "./selection.js";

const LANE = 3; // px between the lines of overlapping marks

export function texts(sheet) {
  return reading(sheet, {});
}

// The section with a box for each text there is.
export function reading(sheet, attributes) {
  const { task, study } = sheet.view;
  const boxes = FIELDS.filter((field) => task[field]).map((field) => el("div", {
    class: `text ${field}`, "data-field": field, tabindex: 0, role: "textbox", "aria-readonly": "true", "aria-multiline": "true",
    "aria-label": say(sheet, field), lang: study.lang,
  }));
  return el("section", { class: "reading", "aria-label": say(sheet, "text"), ...attributes }, boxes);
}

// Marks on the same words share one line; lines that meet or overlap stand on different lanes.
function barsOf(sheet, field) {
  const bars = [];
  for (const mark of allMarks(sheet).filter((mark) => mark.field === field)) {
    const bar = bars.find(({ start, end }) => start === mark.start && end === mark.end);
    if (bar) bar.marks.push(mark);
    else bars.push({ start: mark.start, end: mark.end, marks: [mark] });
  }
  const ends = [];
  for (const bar of bars) {
    const free = ends.findIndex((end) => end < bar.start);
    bar.lane = free < 0 ? ends.length : free;
    ends[bar.lane] = bar.end;
  }
  return bars;
}

export function fillText(sheet, field) {
  const letters = sheet.texts[field];
  const bars = barsOf(sheet, field);
  const evidence = sheet.face.evidenceIn(sheet, field);
  const cuts = new Set([0, letters.length]);
  for (const { start, end } of [...bars, ...(evidence ? [evidence] : [])]) cuts.add(start).add(end);
  const edges = [...cuts].sort((one, other) => one - other);
  const nodes = edges.slice(0, -1).map((from, place) => piece(sheet, letters, from, edges[place + 1], bars, evidence));
  boxOf(sheet, field).replaceChildren(...nodes);
}

function piece(sheet, letters, from, to, bars, evidence) {
  const here = bars.filter((bar) => bar.start <= from && bar.end >= to);
  const node = el("span", { class: here.length ? "seg marked" : "seg", "data-from": from, "data-size": to - from, text: letters.slice(from, to).join("") });
  if (evidence && evidence.start <= from && evidence.end >= to) node.classList.add("evidence");
  if (here.length) drawLines(node, here);
  tag(sheet, node, here.filter((bar) => bar.start === from).flatMap((bar) => bar.marks));
  return node;
}

// The names of the marks that begin here stand above the first word, in full or by their keys.
export function tag(sheet, node, marks) {
  if (marks.length === 0) return;
  const labels = marks.map((mark) => labelOf(sheet, mark.label));
  node.dataset.tag = node.dataset.full = labels.map(({ name }) => name).join(" · ");
  node.dataset.short = labels.map(({ key }) => key.toUpperCase()).join(" ");
}

// The lines stand in the padding below the words; the wash lies behind the words only.
function drawLines(node, bars) {
  const wash = "linear-gradient(var(--accent-wash), var(--accent-wash)) 0 0 / 100% 100% no-repeat content-box";
  const layer = ({ marks, lane }) => {
    const isAdopted = marks.every((mark) => mark.origin === "model");
    const ink = isAdopted ? "repeating-linear-gradient(90deg, var(--accent) 0 5px, transparent 5px 8px)" : "linear-gradient(var(--accent), var(--accent))";
    return `${ink} 0 calc(100% - ${Math.max(0, 2 - lane) * LANE}px) / 100% 2px no-repeat`;
  };
  node.style.background = [...bars.map(layer), wash].join(", ");
}

// A name that would run into the next one, or out of the text, gives way to its key.
export function fitTags(sheet) {
  const tags = [...sheet.page.querySelectorAll(".seg[data-tag]")];
  const places = tags.map((node) => node.getClientRects()[0]);
  tags.forEach((node, place) => {
    const { left, top } = places[place] ?? {};
    const rest = places.slice(place + 1).find((other) => other && Math.abs(other.top - top) < 4 && other.left >= left);
    const room = (rest?.left ?? node.parentElement.getBoundingClientRect().right) - left - 5;
    node.dataset.tag = widthOf(node.dataset.full) <= room ? node.dataset.full : node.dataset.short;
  });
}

function widthOf(name) {
  return points(name).reduce((sum, letter) => sum + (letter.codePointAt(0) > 0x2e80 ? 11.2 : 6), 0);
}

export function paintTexts(sheet) {
  sheet.isDrawing = true;
  const { scrollTop } = part(sheet, ".reading");
  for (const field of FIELDS) if (boxOf(sheet, field)) sheet.face.fillText(sheet, field);
  part(sheet, ".reading").scrollTop = scrollTop;
  showSelection(sheet);
  fitTags(sheet);
  sheet.isDrawing = false;
}
