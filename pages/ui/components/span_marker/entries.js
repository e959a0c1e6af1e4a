// What the person marked in one text, in the shape the server keeps, and what its places mean.

import { points } from "../task/text.js";

export const FIELDS = ["question", "description"];

export function emptyEntries() {
  return { labels: [], spans: [], verdict: null, certainty: null, note: "", reason: "", answers: {} };
}

export function readTexts(task) {
  return Object.fromEntries(FIELDS.map((field) => [field, points(task[field])]));
}

export function quoteOf(sheet, { field, start, end }) {
  return sheet.texts[field].slice(start, end).join("");
}

export function labelOf(sheet, id) {
  return sheet.labels.find((label) => label.id === id) ?? { id, name: id, key: "", definition: "", examples: [], near_miss: "" };
}

export function isSecondRound(sheet) {
  return sheet.view?.task?.round === "model";
}
