// Texts as code points, as the server counts: an emoji is one. And what the browser's selection
// means in them: a task lives in a shadow root, where each browser has its own way to tell one.

export function points(text) {
  return Array.from(text);
}

// From places in the script's own units (UTF-16) to places in code points.
export function offsets(letters) {
  const places = new Map();
  let index = 0;
  letters.forEach((letter, place) => { places.set(index, place); index += letter.length; });
  return places.set(index, letters.length);
}

// Where a typed or pasted quote stands: null if nowhere, no place if more than once.
export function placeOfQuote(text, quote) {
  const index = text.indexOf(quote);
  if (index < 0) return null;
  if (text.indexOf(quote, index + 1) >= 0) return { start: null, end: null };
  const start = points(text.slice(0, index)).length;
  return { start, end: start + points(quote).length };
}

export function nativeRange(root) {
  const selection = document.getSelection();
  const composed = composedRange(selection, root);
  if (composed) return composed;
  const inRoot = root.getSelection?.() ?? selection;
  return inRoot?.rangeCount ? inRoot.getRangeAt(0) : null;
}

function composedRange(selection, root) {
  if (!selection?.getComposedRanges || !(root instanceof ShadowRoot)) return null;
  try {
    return selection.getComposedRanges({ shadowRoots: [root] })[0] ?? null;
  } catch {
    return selection.getComposedRanges(root)[0] ?? null; // the older signature (Safari 17)
  }
}

// The box of a text around a node of it.
export function textAround(sheet, node) {
  const element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
  const box = element?.closest(".text") ?? null;
  return box && sheet.page.contains(box) ? box : null;
}

export function offsetIn(box, node, offset) {
  const before = document.createRange();
  before.setStart(box, 0);
  before.setEnd(node, offset);
  return points(before.toString()).length;
}
