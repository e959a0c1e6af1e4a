// Selected text of an answer, as a place in code points. The sheet lives in a shadow root, where
// each browser has its own way to tell a selection.

function selectedRange(root) {
  const selection = root.getSelection?.() ?? document.getSelection();
  if (!selection) return null;
  const ranges = composedRanges(document.getSelection(), root);
  const range = ranges ?? (selection.rangeCount ? selection.getRangeAt(0) : null);
  return range && !range.collapsed ? range : null;
}

function composedRanges(selection, root) {
  if (!selection?.getComposedRanges || !(root instanceof ShadowRoot)) return null;
  try {
    return selection.getComposedRanges({ shadowRoots: [root] })[0] ?? null;
  } catch {
    return selection.getComposedRanges(root)[0] ?? null; // the older signature (Safari 17)
  }
}

// Remembered at each change, since a click on a button may drop the selection.
function noteSelection(sheet) {
  if (sheet.screen !== "task" || isFrozen(sheet)) return;
  const range = selectedRange(sheet.root);
  const found = range ? placeOf(sheet, range) : null;
  const isInPanel = deepFocus(sheet)?.closest?.(".drawer");
  if (found || !isInPanel) sheet.selection = found;
  paintSelection(sheet);
}

function placeOf(sheet, { startContainer, startOffset, endContainer, endOffset }) {
  const box = holder(startContainer);
  if (!box || box !== holder(endContainer) || !sheet.page.contains(box)) return null;
  const start = offsetIn(box, startContainer, startOffset);
  const end = offsetIn(box, endContainer, endOffset);
  const { slot } = box.dataset;
  const quote = points(slotText(sheet, slot)).slice(start, end).join("");
  return quote.trim() ? { slot, start, end, quote } : null;
}

function holder(node) {
  const element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
  return element?.closest(".text") ?? null;
}

function offsetIn(box, node, offset) {
  const before = document.createRange();
  before.setStart(box, 0);
  before.setEnd(node, offset);
  return points(before.toString()).length;
}

// Where a typed or pasted quote stands, if it stands there exactly once.
function findQuote(sheet, slot, quote) {
  const text = slotText(sheet, slot);
  const at = text.indexOf(quote);
  if (at < 0 || text.indexOf(quote, at + 1) >= 0) return at < 0 ? null : { start: null, end: null };
  const start = points(text.slice(0, at)).length;
  return { start, end: start + points(quote).length };
}

// The answer's text with its flagged spans marked; overlapping spans give one mark.
function fillText(sheet, box, slot) {
  const text = points(slotText(sheet, slot));
  const spans = sheet.entries.flags.filter((flag) => flag.slot === slot && flag.start !== null)
    .sort((one, other) => one.start - other.start);
  const nodes = [];
  let at = 0;
  for (const { start, end } of spans) {
    if (end <= at) continue;
    const from = Math.max(start, at);
    nodes.push(text.slice(at, from).join(""), el("mark", { text: text.slice(from, end).join("") }));
    at = end;
  }
  box.replaceChildren(...nodes, text.slice(at).join(""));
}
