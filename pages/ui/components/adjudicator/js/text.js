// The text with everybody's marks in place: below the words one grey line for each annotator, each
// with its own pattern and height, and nearest to the words the decision in the making.

const LANE = 5; // px from line to line
const PATTERNS = 6;
const DASHES = [[1], [6, 4], [2, 3], [9, 3, 2, 3], [14, 4], [3, 7]]; // px on, off, on, off

function laneOf(number) {
  return ((number - 1) % PATTERNS) + 1;
}

function texts(sheet) {
  const { task, study } = sheet.view;
  const boxes = FIELDS.filter((field) => task[field]).map((field) => el("div", {
    class: `text ${field}`, "data-field": field, tabindex: 0, role: "textbox", "aria-readonly": "true", "aria-multiline": "true",
    "aria-label": say(sheet, field), lang: study.lang,
  }));
  const lanes = Math.min(PATTERNS, task.annotators.length);
  return el("section", { class: "reading", "aria-label": say(sheet, "text"), style: `--lanes: ${lanes}` }, boxes);
}

function boxOf(sheet, field) {
  return part(sheet, `.text[data-field="${field}"]`);
}

function rawIn(sheet, field) {
  return sheet.view.task.annotators.flatMap(({ number, spans }) => spans.filter((span) => span.field === field).map((span) => ({ ...span, number })));
}

function fillText(sheet, field) {
  const letters = sheet.texts[field];
  const mine = allMarks(sheet).filter((mark) => mark.field === field);
  const raw = rawIn(sheet, field);
  const evidence = evidenceIn(sheet, field);
  const cuts = new Set([0, letters.length]);
  for (const { start, end } of [...mine, ...raw, ...(evidence ? [evidence] : [])]) cuts.add(start).add(end);
  const edges = [...cuts].sort((one, other) => one - other);
  const covers = (from, to) => (one) => one.start <= from && one.end >= to;
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
  if (raw.length) node.title = raw.map((one) => `${say(sheet, "annotator", { number: one.number })}: ${labelOf(sheet, one.label).name}`).join("\n");
  drawLines(node, mine, [...new Set(raw.map((one) => one.number))], isShown);
  const begins = mine.filter((mark) => mark.start === from);
  if (begins.length) {
    node.dataset.tag = node.dataset.full = begins.map((mark) => labelOf(sheet, mark.label).name).join(" · ");
    node.dataset.short = begins.map((mark) => labelOf(sheet, mark.label).key.toUpperCase()).join(" ");
  }
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

// A name that would run into the next one, or out of the text, gives way to its key.
function fitTags(sheet) {
  const tags = [...sheet.page.querySelectorAll(".seg[data-tag]")];
  const places = tags.map((node) => node.getClientRects()[0]);
  tags.forEach((node, at) => {
    const { left, top } = places[at] ?? {};
    const rest = places.slice(at + 1).find((other) => other && Math.abs(other.top - top) < 4 && other.left >= left);
    const room = (rest?.left ?? node.parentElement.getBoundingClientRect().right) - left - 5;
    node.dataset.tag = widthOf(node.dataset.full) <= room ? node.dataset.full : node.dataset.short;
  });
}

function widthOf(name) {
  return points(name).reduce((sum, letter) => sum + (letter.codePointAt(0) > 0x2e80 ? 11.2 : 6), 0);
}

function paintTexts(sheet) {
  sheet.isDrawing = true;
  const { scrollTop } = part(sheet, ".reading");
  for (const field of FIELDS) if (boxOf(sheet, field)) fillText(sheet, field);
  part(sheet, ".reading").scrollTop = scrollTop;
  showSelection(sheet);
  fitTags(sheet);
  sheet.isDrawing = false;
}
