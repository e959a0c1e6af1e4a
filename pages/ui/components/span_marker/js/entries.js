// What the person marked in one text, in the shape the server keeps.

const FIELDS = ["question", "description"];

function emptyEntries() {
  return { labels: [], spans: [], verdict: null, certainty: null, note: "", reason: "", answers: {} };
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

function quoteOf(sheet, { field, start, end }) {
  return sheet.texts[field].slice(start, end).join("");
}

function labelOf(sheet, id) {
  return sheet.labels.find((label) => label.id === id) ?? { id, name: id, key: "", definition: "", examples: [], near_miss: "" };
}

function isReadOnly(sheet) {
  return Boolean(sheet.view?.task?.read_only);
}

function isFrozen(sheet) {
  return sheet.busy || isReadOnly(sheet);
}

function isSecondRound(sheet) {
  return sheet.view?.task?.round === "model";
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
