// The screens of the marker; which one stands follows from the view, never from a path.

function screenOf(sheet) {
  const { view } = sheet;
  if (!view) return "loading";
  if (view.state !== "task") return view.state;
  return view.task.risk !== "none" && !sheet.revealed.has(view.task.task) ? "cover" : "task";
}

const SCREENS = { loading: loadingScreen, task: taskScreen, cover: coverScreen, break: breakScreen, done: doneScreen, closed: closedScreen };

function loadingScreen(sheet) {
  return [el("p", { class: "loading", text: say(sheet, "loading") })];
}

function taskScreen(sheet) {
  return [header(sheet), ...notices(sheet), desk(sheet), ending(sheet)];
}

function calm(title, paragraphs, ways) {
  return el("div", { class: "calm" }, el("h1", { text: title }),
    paragraphs.filter(Boolean).map((text) => el("p", { text })), el("div", { class: "ways" }, ways));
}

function first(label, onclick) {
  return el("button", { type: "button", class: "primary", "data-first": true, text: label, onclick });
}

function way(label, href, isFirst = false) {
  return href ? el("a", { class: isFirst ? "primary" : "plain", "data-first": isFirst, href, text: label }) : null;
}

// The text of a risk-marked item comes only after a word of warning.
function coverScreen(sheet) {
  const { risk } = sheet.view.task;
  const box = el("div", { class: "calm warned" },
    el("h1", { text: say(sheet, `risk_${risk}`) }),
    el("p", { text: say(sheet, `cover_${risk}`) }),
    el("p", { class: "risk", text: sheet.view.study.support_text }),
    el("div", { class: "ways" },
      first(say(sheet, "cover_show"), () => reveal(sheet)),
      !isReadOnly(sheet) && el("button", { type: "button", class: "plain", text: say(sheet, "cover_skip"), onclick: () => uncoverSkip(sheet, box) })));
  return [header(sheet), box];
}

function uncoverSkip(sheet, box) {
  box.querySelector(".panel")?.remove();
  const panel = el("div", { class: "panel" }, skipPanel(sheet));
  box.append(panel);
  panel.querySelector("[data-first]").focus();
}

function reveal(sheet) {
  sheet.revealed.add(sheet.view.task.task);
  writeStored("shown", [...sheet.revealed].slice(-200));
  sheet.lastActivity = Date.now();
  render(sheet);
  focusFirst(sheet);
}

function breakScreen(sheet) {
  const worked = sheet.view.break ?? {};
  const risk = worked.risk_items ? say(sheet, "break_risk", { items: worked.risk_items }) : "";
  return [header(sheet), calm(say(sheet, "break_title"),
    [say(sheet, "break_worked", { minutes: worked.minutes ?? 0 }), risk, say(sheet, "break_about")],
    [first(say(sheet, "break_continue"), () => open(sheet, null, { rested: true })), way(say(sheet, "break_leave"), sheet.data.links?.home)])];
}

function doneScreen(sheet) {
  return [header(sheet), calm(say(sheet, "done_title"), [say(sheet, "done_about", sheet.view.progress)],
    [way(say(sheet, "to_home"), sheet.data.links?.home, true), way(say(sheet, "to_work"), sheet.data.links?.work)])];
}

function closedScreen(sheet) {
  return [header(sheet), calm(say(sheet, "closed_title"), [say(sheet, "closed_about")],
    [way(say(sheet, "to_home"), sheet.data.links?.home, true)])];
}
