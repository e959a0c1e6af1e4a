// The keyboard. Nothing happens while an input method composes, nor while a text field is written in.

const COMMANDS = {
  s: (sheet) => save(sheet),
  b: (sheet) => goBack(sheet),
  c: (sheet) => openPanel(sheet, "note"),
  n: (sheet) => openPanel(sheet, "skip"),
  g: (sheet) => toggleGuide(sheet),
  v: (sheet) => toCertainty(sheet),
  z: (sheet, event) => (event.shiftKey ? redo(sheet) : undo(sheet)),
  u: (sheet) => putVerdict(sheet, "unsure"),
  0: (sheet) => putVerdict(sheet, "none"),
  "[": (sheet) => toMark(sheet, -1),
  "]": (sheet) => toMark(sheet, 1),
  backspace: (sheet) => removeHere(sheet),
  delete: (sheet) => removeHere(sheet),
  y: (sheet) => answerProposal(sheet, sheet.proposal, "confirmed"),
  m: (sheet) => answerProposal(sheet, sheet.proposal, "changed"),
  x: (sheet) => answerProposal(sheet, sheet.proposal, "rejected"),
  "?": (sheet) => showHelp(sheet),
  "？": (sheet) => showHelp(sheet),
};
const FOR_READERS = new Set(["b", "g", "?", "？", "[", "]"]); // what a read-only text still answers to
const ROADS = {
  arrowleft: ["words", -1], arrowright: ["words", 1], arrowup: ["clauses", -1], arrowdown: ["clauses", 1],
  pageup: ["sentences", -1], pagedown: ["sentences", 1],
};

function onKey(sheet, event) {
  if (!sheet.main.isConnected) return sheet.leave();
  if (event.isComposing || event.keyCode === 229) return undefined;
  const pressed = keyOf(event);
  const focused = event.composedPath()[0];
  if ((event.ctrlKey || event.metaKey) && !event.altKey) return onControl(sheet, event, pressed, focused);
  if (sheet.veil) return pressed === "escape" ? take(event, () => unveil(sheet)) : undefined;
  if (isElsewhere(sheet, focused)) return undefined;
  if (pressed === "escape" && sheet.panel) return take(event, () => closePanel(sheet));
  if (isWriting(focused) || focused.closest?.(".panel")) return undefined;
  if (sheet.chord && !isFrozen(sheet)) return onSecondKey(sheet, event, pressed);
  if (sheet.screen !== "task") return pressed === "b" && !event.altKey ? take(event, () => goBack(sheet)) : undefined;
  return onTravel(sheet, event, pressed, focused) || onTaskKey(sheet, event, pressed, focused);
}

function onControl(sheet, event, pressed, focused) {
  if (pressed === "s") return take(event, () => saveFromField(sheet));
  if (sheet.veil || sheet.screen !== "task" || isWriting(focused) || isElsewhere(sheet, focused)) return undefined;
  if (pressed === "z") return take(event, () => (event.shiftKey ? redo(sheet) : undo(sheet)));
  return pressed === "y" ? take(event, () => redo(sheet)) : undefined;
}

// Returns true when the key was a way through the text.
function onTravel(sheet, event, pressed, focused) {
  if (isReadOnly(sheet) || focused.type === "radio" || focused.closest?.(".book")) return false;
  const road = ROADS[pressed];
  if (road) {
    const [kind, by] = road;
    const go = event.altKey ? () => moveStart(sheet, kind, by) : event.shiftKey ? () => extend(sheet, kind, by) : () => travel(sheet, kind, by);
    return taken(event, go);
  }
  if (event.altKey) return false;
  if (pressed === "," || pressed === ".") return taken(event, () => moveEnd(sheet, "letters", pressed === "." ? 1 : -1));
  if (pressed === "<" || pressed === ">") return taken(event, () => moveStart(sheet, "letters", pressed === ">" ? 1 : -1));
  if (pressed === "home" || pressed === "end") return taken(event, () => toEdge(sheet, pressed === "end" ? 1 : -1));
  if (pressed === " " && !focused.closest?.("button, a, input")) return taken(event, () => grow(sheet));
  if (pressed === "escape") return taken(event, () => letGo(sheet));
  return false;
}

function onTaskKey(sheet, event, pressed, focused) {
  if (event.altKey) return undefined;
  if (isFrozen(sheet)) return FOR_READERS.has(pressed) && isReadOnly(sheet) ? take(event, () => COMMANDS[pressed](sheet, event)) : undefined;
  if (focused.name === "certainty" && /^[1-3]$/.test(pressed)) return take(event, () => { setCertainty(sheet, Number(pressed)); focusText(sheet); });
  const label = sheet.labels.find((one) => one.key === pressed);
  if (label) return take(event, () => event.repeat || putLabel(sheet, label.id, event.shiftKey));
  if (PREFIXES.includes(pressed) && sheet.labels.some((one) => one.key.length > 1 && one.key.startsWith(pressed))) return take(event, () => awaitSecond(sheet, pressed));
  const command = COMMANDS[pressed];
  return command && take(event, () => (event.repeat && !/^[z[\]]$/.test(pressed)) || command(sheet, event));
}

// The first of two keys waits for the second; any other key gives it up.
function awaitSecond(sheet, prefix) {
  sheet.chord = prefix;
  paintChord(sheet);
  announce(sheet, prefix ? say(sheet, "second_key", { key: prefix.toUpperCase() }) : "");
}

function onSecondKey(sheet, event, pressed) {
  if (["shift", "alt", "capslock"].includes(pressed)) return undefined;
  const label = sheet.labels.find((one) => one.key === sheet.chord + pressed);
  return take(event, () => {
    awaitSecond(sheet, null);
    if (label) putLabel(sheet, label.id, event.shiftKey);
  });
}

function paintChord(sheet) {
  sheet.main.toggleAttribute("data-chord", Boolean(sheet.chord));
  for (const box of sheet.page.querySelectorAll(".label[data-label]")) box.classList.toggle("awaited", Boolean(sheet.chord) && labelOf(sheet, box.dataset.label).key.startsWith(sheet.chord));
}

// Digits by their place (numeric pad and other layouts included), letters by what they write.
function keyOf(event) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code ?? "");
  if (digit && (event.code.startsWith("Digit") || /\d/.test(event.key))) return digit[1];
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

function taken(event, action) {
  take(event, action);
  return true;
}

function letGo(sheet) {
  sheet.changing = null;
  select(sheet, null);
  paintProposals(sheet);
  announce(sheet, say(sheet, "aim_whole"));
}

// Focus in another widget of the page; the body counts as ours, since a click on text leads there.
function isElsewhere(sheet, focused) {
  if (focused === document.body || focused === document.documentElement) return false;
  return !(focused instanceof Node && (sheet.main.contains(focused) || focused.getRootNode() === sheet.root));
}

function isWriting(focused) {
  if (!focused) return false;
  if (focused.tagName === "TEXTAREA" || focused.isContentEditable) return true;
  return focused.tagName === "INPUT" && focused.type !== "radio" && focused.type !== "checkbox";
}

function saveFromField(sheet) {
  if (sheet.veil) return;
  if (sheet.panel === "note") closePanel(sheet);
  save(sheet);
}
