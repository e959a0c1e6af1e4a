// The keyboard. Nothing happens while an input method composes, nor while a text field is written in.

const COMMANDS = {
  s: (sheet) => save(sheet),
  b: (sheet) => move(sheet, -1),
  arrowup: (sheet) => move(sheet, -1),
  arrowdown: (sheet) => move(sheet, 1),
  c: (sheet) => openPanel(sheet, "comment"),
  f: (sheet) => openPanel(sheet, "flags"),
  n: (sheet) => openPanel(sheet, "skip"),
  p: (sheet) => toPreference(sheet),
  g: (sheet) => toggleGuide(sheet),
  d: (sheet) => foldQuestion(sheet),
  "?": (sheet) => showHelp(sheet),
  "？": (sheet) => showHelp(sheet),
};
const FOR_READERS = new Set(["g", "d", "?", "？"]); // what a read-only sheet still answers to

function onKey(sheet, event) {
  if (!sheet.main.isConnected) return sheet.leave();
  if (event.isComposing || event.keyCode === 229) return undefined;
  const pressed = keyOf(event);
  if ((event.ctrlKey || event.metaKey) && pressed === "s" && !event.altKey) return take(event, () => saveFromField(sheet));
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  if (sheet.veil) return pressed === "escape" ? take(event, () => unveil(sheet)) : undefined;
  const focused = event.composedPath()[0];
  if (isElsewhere(sheet, focused)) return undefined;
  if (pressed === "escape" && sheet.panel) return take(event, () => closePanel(sheet));
  if (sheet.screen !== "task" || isWriting(focused) || focused.closest?.(".panel")) return undefined;
  return onSheetKey(sheet, event, pressed, focused);
}

function onSheetKey(sheet, event, pressed, focused) {
  const isInText = focused.classList?.contains("text");
  if (pressed === "pagedown" || pressed === "pageup") {
    if (!isInText && scrollAnswer(sheet, pressed === "pagedown" ? 1 : -1)) event.preventDefault();
    return undefined;
  }
  if (isInText && pressed.startsWith("arrow")) return undefined;
  if (isFrozen(sheet)) {
    if (FOR_READERS.has(pressed)) return take(event, () => COMMANDS[pressed](sheet));
    return sheet.busy && pressed.startsWith("arrow") ? event.preventDefault() : undefined;
  }
  const choice = event.key === "Tab" ? null : choiceOf(sheet, pressed);
  if (choice) return take(event, () => event.repeat || chooseAndMove(sheet, choice));
  if (pressed === "backspace" || pressed === "delete") return sheet.current && take(event, () => choose(sheet, sheet.current, null));
  const command = COMMANDS[pressed];
  return command && take(event, () => (event.repeat && pressed === "s") || command(sheet));
}

// Digits by their place (numeric pad and other layouts included), letters by what they write.
function keyOf(event) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code ?? "");
  if (digit && !event.shiftKey) return digit[1];
  const letter = /^Key([A-Z])$/.exec(event.code ?? "");
  if (letter && !/^[a-z]$/i.test(event.key)) return letter[1].toLowerCase(); // Cyrillic, Greek
  return event.key.toLowerCase();
}

// Taken: neither the browser nor Streamlit (whose own C and R listen on the page) sees it.
function take(event, action) {
  event.preventDefault();
  event.stopImmediatePropagation();
  action();
}

// Focus in another widget of the page; the body counts as ours, since a click on text leads there.
function isElsewhere(sheet, focused) {
  if (focused === document.body || focused === document.documentElement) return false;
  return !(focused instanceof Node && (sheet.main.contains(focused) || focused.getRootNode() === sheet.root));
}

function isWriting(focused) {
  if (focused.tagName === "TEXTAREA" || focused.isContentEditable) return true;
  return focused.tagName === "INPUT" && focused.type !== "radio" && focused.type !== "checkbox";
}

function choiceOf(sheet, pressed) {
  return sheet.current?.choices.find((choice) => choice.keys.includes(pressed)) ?? null;
}

function chooseAndMove(sheet, choice) {
  choose(sheet, sheet.current, choice);
  advance(sheet);
}

function toPreference(sheet) {
  const target = sheet.targets.find((one) => one.kind === "preference");
  if (target) focusTarget(sheet, target);
}

function saveFromField(sheet) {
  if (sheet.veil) return;
  if (sheet.panel === "comment") closePanel(sheet);
  save(sheet);
}
