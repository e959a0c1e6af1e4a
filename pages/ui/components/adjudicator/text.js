// The text with everybody's marks in place: below the words one grey line for each annotator, each
// with its own pattern and height, and nearest to the words the decision in the making.

import { el, say } from "../task/dom.js";
import { labelOf } from "../span_marker/entries.js";
import { allMarks } from "../span_marker/marks.js";
import { boxOf } from "../span_marker/selection.js";
import { reading, tag } from "../span_marker/text.js";

const LANE = 5; // px from line to line
const PATTERNS = 6;
const DASHES = [[1], [6, 4], [2, 3], [9, 3, 2, 3], [14, 4], [3, 7]]; // px on, off, on, off

export function laneOf(number) {
  return ((number - 1) % PATTERNS) + 1;
}

export function texts(sheet) {
  const lanes = Math.min(PATTERNS, sheet.view.task.annotators.length);
  return reading(sheet, { style: `--lanes: ${lanes}` });
}

function rawIn(sheet, field) {
  return sheet.view.task.annotators.flatMap(({ number, spans }) => spans.filter((span) => span.field === field).map((span) => ({ ...span, number })));
}

export function fillText(sheet, field) {
  const letters = sheet.texts[field];
  const mine = allMarks(sheet).filter((mark) => mark.field === field);
  const raw = rawIn(sheet, field);
  const evidence = sheet.face.evidenceIn(sheet, field);
  const cuts = new Set([0, letters.length]);
  for (const { start, end } of [...mine, ...raw, ...(evidence ? [evidence] : [])]) cuts.add(start).add(end);
  const edges = [...cuts].sort((one, other) => one - other);
  const covers = (from, to) => ({ start, end }) => start <= from && end >= to;
  const nodes = edges.slice(0, -1).map((from, at) => {
    const here = covers(from, edges[at + 1]);
    return piece(sheet, letters, { from, to: edges[at + 1], mine: mine.filter(here), raw: raw.filter(here), isShown: Boolean(evidence && here(evidence)) });
  });
  boxOf(sheet, field).replaceChildren(...nodes);
}

function piece(sheet, letters, { from, to, mine, raw, isShown }) {
  const node = el("span", { class: mine.length || raw.length ? "seg marked" : "seg", "data-from": from, "data-size": to - from, text: letters.slice(from, to).join("") });
  node.classList.toggle("mine", mine.length > 0);
  node.classList.toggle("evidence", isShown);
  if (raw.length) node.title = raw.map(({ number, label }) => `${say(sheet, "annotator", { number })}: ${labelOf(sheet, label).name}`).join("\n");
  drawLines(node, mine, [...new Set(raw.map(({ number }) => number))], isShown);
  tag(sheet, node, mine.filter((mark) => mark.start === from));
  return node;
}

function drawLines(node, mine, numbers, isShown) {
  const lines = numbers.map((number) => `${ink("var(--raw)", DASHES[laneOf(number) - 1])} 0 calc(100% - (var(--lanes) - ${laneOf(number)}) * ${LANE}px) / 100% 2px no-repeat`);
  if (isShown) lines.push("linear-gradient(var(--shown), var(--shown)) 0 0 / 100% 100% no-repeat content-box");
  if (mine.length) {
    lines.unshift(`linear-gradient(var(--accent), var(--accent)) 0 calc(100% - var(--lanes) * ${LANE}px) / 100% 2px no-repeat`);
    lines.push("linear-gradient(var(--accent-wash), var(--accent-wash)) 0 0 / 100% 100% no-repeat content-box");
  }
  node.style.background = lines.join(", ");
}

function ink(color, lengths) {
  if (lengths.length === 1) return `linear-gradient(${color}, ${color})`;
  let at = 0;
  const stops = lengths.map((length, place) => {
    const stop = `${place % 2 ? "transparent" : color} ${at}px ${at + length}px`;
    at += length;
    return stop;
  });
  return `repeating-linear-gradient(90deg, ${stops.join(", ")})`;
}
