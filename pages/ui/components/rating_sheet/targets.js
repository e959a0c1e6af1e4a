// Targets: every group of choices of the sheet in the order the keys walk through them.

import { say } from "../task/dom.js";

const LETTER_KEYS = ["j", "k", "l"];
export const CANNOT_RATE = "cannot_rate";

export function listTargets(sheet) {
  const { task, instrument, options } = sheet.view;
  const slots = task.slots.map(({ slot }) => slot);
  const scores = slots.flatMap((slot) => instrument.scales
    .filter((scale) => scale.level === "answer").map((scale) => scoreTarget(sheet, slot, scale)));
  const steps = slots.flatMap((slot) => (instrument.steps?.steps ?? [])
    .map((step) => stepTarget(sheet, slot, step)));
  const whole = instrument.scales.filter((scale) => scale.level === "task")
    .map((scale) => scoreTarget(sheet, null, scale));
  const judged = instrument.steps?.when === "before" ? [...steps, ...scores] : [...scores, ...steps];
  const closing = [];
  if (options.preference !== "off" && slots.length > 1) closing.push(preferenceTarget(sheet, slots, options));
  if (options.confidence) closing.push(confidenceTarget(sheet));
  return [...judged, ...whole, ...closing];
}

function scoreTarget(sheet, slot, scale) {
  const choices = withDigits(scale.values);
  if (scale.cannot_rate) {
    // A row is read as one: its last choice speaks the study's language, as the others do.
    choices.push({ value: CANNOT_RATE, ...sheet.data.cannot_rate[sheet.view.study.lang], keys: ["x"] });
  }
  return {
    id: `score:${slot ?? ""}:${scale.id}`, kind: "score", slot, scale: scale.id, name: scale.name,
    question: scale.question, choices, required: scale.required, isStudyWording: true,
  };
}

function stepTarget(sheet, slot, step) {
  return {
    id: `step:${slot}:${step.id}`, kind: "step", slot, scale: `step:${step.id}`, step: step.id, name: step.name,
    question: step.definition, choices: withDigits(sheet.view.instrument.steps.values), required: true, isStudyWording: true,
  };
}

function preferenceTarget(sheet, slots, options) {
  const choices = slots.map((slot) => ({ value: slot, label: slot, keys: [slot.toLowerCase()], isBare: true }));
  choices.splice(slots.length === 2 ? 1 : slots.length, 0, { value: "tie", label: say(sheet, "tie"), keys: ["t"] });
  return {
    id: "preference", kind: "preference", slot: null, scale: "preference", name: say(sheet, "preference"),
    question: say(sheet, "preference_question"), choices, required: options.preference === "required",
  };
}

function confidenceTarget(sheet) {
  const choices = [1, 2, 3].map((value) => ({ value, label: say(sheet, `confidence_${value}`), keys: [String(value), LETTER_KEYS[value - 1]] }));
  return {
    id: "confidence", kind: "confidence", slot: null, scale: "confidence", name: say(sheet, "confidence"),
    question: say(sheet, "confidence_question"), choices, required: false,
  };
}

// A value from 0 to 9 is its own key; otherwise the place in the row is.
function withDigits(values) {
  const areKeys = values.every(({ value }) => Number.isInteger(value) && value >= 0 && value <= 9);
  return values.map(({ value, label, anchor }, place) => {
    const digit = areKeys ? String(value) : String(place + 1);
    return { value, label, anchor: anchor ?? "", keys: [digit, LETTER_KEYS[place]].filter(Boolean) };
  });
}

export function valueOf(sheet, target) {
  const { entries } = sheet;
  if (target.kind === "step") return entries.steps[target.slot]?.[target.step] ?? null;
  if (target.kind === "score" && target.slot) return entries.scores[target.slot]?.[target.scale] ?? null;
  if (target.kind === "score") return entries.task_scores[target.scale] ?? null;
  return entries[target.kind];
}

export function setValue(sheet, target, value) {
  const { entries } = sheet;
  if (target.kind === "preference" || target.kind === "confidence") entries[target.kind] = value;
  else if (target.kind === "step") store((entries.steps[target.slot] ??= {}), target.step, value);
  else if (target.slot) store((entries.scores[target.slot] ??= {}), target.scale, value);
  else store(entries.task_scores, target.scale, value);
}

function store(place, name, value) {
  if (value === null) delete place[name];
  else place[name] = value;
}

export function stageOf(target) {
  return target.kind === "step" ? "steps" : "scores";
}

// The full name, for the live region and for a screen reader: "Answer A, Relevance".
export function nameOf(sheet, target) {
  return target.slot ? say(sheet, "slot_scale", { slot: target.slot, scale: target.name }) : target.name;
}

// What still has to be filled before the task can be saved.
export function missingParts(sheet) {
  const targets = sheet.targets.filter((target) => target.required && valueOf(sheet, target) === null)
    .map((target) => ({ what: target.scale, name: nameOf(sheet, target), target }));
  const needsReason = sheet.view.task.revision > 0 && !sheet.entries.reason.trim();
  return needsReason ? [...targets, { what: "reason", name: say(sheet, "reason") }] : targets;
}

// The same of what the server says is missing.
export function readMissing(sheet, missing) {
  return missing.map(({ slot, scale }) => {
    const target = sheet.targets.find((each) => each.scale === scale && (each.slot ?? null) === (slot ?? null));
    return { what: scale, target, name: target ? nameOf(sheet, target) : say(sheet, scale) };
  });
}
