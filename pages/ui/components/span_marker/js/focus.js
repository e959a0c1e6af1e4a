// Where the focus goes: into the text, and to what a save still lacks.

function focusText(sheet) {
  const box = boxOf(sheet, placeNow(sheet).field);
  box?.focus({ preventScroll: true });
  showSelection(sheet);
}

function focusFirst(sheet) {
  if (sheet.screen !== "task") return part(sheet, "[data-first]")?.focus();
  if (isReadOnly(sheet)) return part(sheet, ".actions .primary")?.focus();
  return focusText(sheet);
}

function showMissing(sheet, missing, message) {
  sheet.wasTried = true;
  paint(sheet);
  const [{ what, id }] = missing;
  if (what === "proposal" && !sheet.view.task.proposals.some((one) => one.id === id)) return open(sheet, sheet.view.task.task); // it came meanwhile
  const count = missing.filter((one) => one.what === "proposal").length;
  const text = what === "proposal" ? say(sheet, "left_proposals", { count }) : say(sheet, what === "reason" ? "needed_reason" : "needed_labels");
  banner(sheet, message ? `${message} ${text}` : text);
  if (what === "reason") part(sheet, ".reason input").focus();
  else if (what === "proposal") takeUp(sheet, id);
  else focusText(sheet);
}

function toCertainty(sheet) {
  const inputs = [...sheet.page.querySelectorAll("input[name=certainty]")];
  (inputs.find((input) => input.checked) ?? inputs[0]).focus();
}
