// The screens of the sheet; which one stands follows from the view, never from a path.

function screenOf(sheet) {
  const { view } = sheet;
  if (!view) return "loading";
  if (view.state !== "task") return view.state;
  return view.task.risk !== "none" && !sheet.revealed.has(view.task.task) ? "cover" : "task";
}

const SCREENS = { loading: loadingScreen, task: taskScreen, cover: coverScreen, break: breakScreen, feedback: feedbackScreen, done: doneScreen, guess: guessScreen, closed: closedScreen };

function loadingScreen(sheet) {
  return [el("p", { class: "loading", text: say(sheet, "loading") })];
}

function taskScreen(sheet) {
  return [header(sheet), ...notices(sheet), question(sheet), toolbar(sheet), answers(sheet), guide(sheet), ending(sheet)];
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

// After a calibration item: the key and its reasons beside the own scores.
function feedbackScreen(sheet) {
  const { marks, question: asked, author } = sheet.view.feedback;
  const lines = marks.map((mark) => el("li", {},
    el("b", { text: say(sheet, mark.given === mark.expected ? "feedback_same" : "feedback_differs", { ...mark, given: mark.given ?? "–" }) }),
    el("span", { text: mark.reason })));
  return [header(sheet), el("div", { class: "calm feedback" },
    el("h1", { text: say(sheet, "feedback_title") }), el("p", { text: asked }), el("p", { text: say(sheet, "feedback_about", { author }) }),
    el("ul", {}, lines), el("div", { class: "ways" }, first(say(sheet, "feedback_continue"), () => open(sheet, null))))];
}

function doneScreen(sheet) {
  const { links } = sheet.data;
  return [header(sheet), calm(say(sheet, "done_title"), [say(sheet, "done_about", sheet.view.progress)],
    [way(say(sheet, "to_closing"), links?.closing, true), way(say(sheet, "to_work"), links?.work), way(say(sheet, "to_home"), links?.home)])];
}

function guessScreen(sheet) {
  const { links } = sheet.data;
  return [header(sheet), calm(say(sheet, "guess_title"), [say(sheet, "done_about", sheet.view.progress), say(sheet, "guess_about")],
    [way(say(sheet, "to_guess"), links?.closing, true), way(say(sheet, "to_work"), links?.work)])];
}

function closedScreen(sheet) {
  const { links } = sheet.data;
  return [header(sheet), calm(say(sheet, "closed_title"), [say(sheet, "closed_about")],
    [way(say(sheet, "to_closing"), links?.closing, true), way(say(sheet, "to_work"), links?.work), way(say(sheet, "to_home"), links?.home)])];
}
