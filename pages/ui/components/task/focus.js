// Where the focus is, in the shadow root the task lives in, and whether a key meant for it is ours.

export function deepFocus(sheet) {
  return sheet.root.activeElement ?? null;
}

export function isWriting(focused) {
  if (!focused) return false;
  if (focused.tagName === "TEXTAREA" || focused.isContentEditable) return true;
  return focused.tagName === "INPUT" && focused.type !== "radio" && focused.type !== "checkbox";
}

// Focus in another widget of the page; the body counts as ours, since a click on text leads there.
export function isElsewhere(sheet, focused) {
  if (focused.tagName === "BODY" || focused.tagName === "HTML") return false;
  const isNode = Boolean(focused.nodeType);
  return !(isNode && (sheet.main.contains(focused) || focused.getRootNode() === sheet.root));
}

export function toTop(sheet) {
  sheet.main.scrollIntoView({ block: "start" });
  for (let node = sheet.main.parentNode; node; node = node.parentNode ?? node.host) {
    if (node.scrollTop && node.scrollTop < 400) node.scrollTop = 0; // the page's own head, back in view
  }
}
