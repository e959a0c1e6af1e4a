// What the person entered for one task, in the shape the server keeps.

function emptyEntries() {
  return { scores: {}, task_scores: {}, steps: {}, preference: null, flags: [], comment: "", confidence: null, reason: "" };
}

function readEntries(sent) {
  const entries = { ...emptyEntries(), ...(sent ?? {}) };
  return JSON.parse(JSON.stringify(entries)); // our own copy: the view stays as it was sent
}

function newToken() {
  // crypto.randomUUID exists only on HTTPS and loopback; this one everywhere.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Counted in code points, as the server counts: an emoji is one.
function points(text) {
  return Array.from(text);
}

function slotText(sheet, slot) {
  return sheet.view.task.slots.find((one) => one.slot === slot)?.text ?? "";
}

function isReadOnly(sheet) {
  return Boolean(sheet.view?.task?.read_only);
}

function isFrozen(sheet) {
  return sheet.busy || isReadOnly(sheet);
}

function meta(sheet) {
  const kinds = [...sheet.inputs];
  return {
    layout: sheet.main.dataset.layout === "stacked" ? "stacked" : "side-by-side",
    input: kinds.length === 1 ? kinds[0] : "mixed",
    active_seconds: Math.round(sheet.seconds * 10) / 10,
    lang: sheet.data.lang === "zh" ? "zh" : "en",
    width: Math.round(window.innerWidth),
  };
}
