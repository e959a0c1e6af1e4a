// The frame of a case: how far the queue is, what to know before deciding, and the ways on.

function header(sheet) {
  const { progress } = sheet.view;
  const bar = el("div", { class: "bar", role: "progressbar", "aria-label": say(sheet, "progress"), "aria-valuemin": 0, "aria-valuemax": progress.total, "aria-valuenow": progress.done }, el("i"));
  bar.firstChild.style.width = `${progress.total ? Math.min(100, (100 * progress.done) / progress.total) : 0}%`;
  return el("header", { class: "top" },
    el("button", { type: "button", class: "plain to-queue", text: say(sheet, "queue"), onclick: () => foldQueue(sheet, sheet.main.dataset.queue !== "open") }),
    sheet.view.task && el("b", { class: "title", text: sheet.view.task.item }),
    el("span", { class: "item", text: say(sheet, "decided_of", progress) }),
    bar,
    el("span", { class: "status" }),
    sheet.view.task && button(say(sheet, "back"), "B", { class: "quiet back", onclick: () => step(sheet, -1) }),
    sheet.view.task && button(say(sheet, "on"), "N", { class: "quiet on", onclick: () => step(sheet, 1) }),
    button(say(sheet, "help"), "?", { class: "quiet", onclick: () => showHelp(sheet) }));
}

function notices(sheet) {
  const { task, study } = sheet.view;
  const found = [];
  if (task.risk !== "none") found.push(el("div", { class: "risk", role: "note" }, el("b", { text: say(sheet, `risk_${task.risk}`) }), el("span", { text: study.support_text })));
  if (task.read_only) found.push(el("div", { class: "notice", role: "note", text: say(sheet, "closed_case") }));
  else if (task.changed) found.push(el("div", { class: "notice", role: "note", text: say(sheet, "changed_case") }));
  return found;
}

function desk(sheet) {
  return el("div", { class: "desk" }, queueCard(sheet),
    el("div", { class: "middle" }, texts(sheet), rawCard(sheet)),
    el("div", { class: "side" }, labelCard(sheet), markCard(sheet), historyCard(sheet)));
}

function historyCard(sheet) {
  const { decisions } = sheet.view.task;
  if (!decisions.length) return null;
  return el("section", { class: "card past", "aria-label": say(sheet, "history") },
    el("header", {}, el("h2", { text: say(sheet, "history") })),
    el("ol", {}, decisions.toReversed().map((one) => el("li", {},
      el("p", {}, el("b", { text: outcomeWords(sheet, one), lang: sheet.view.study.lang }), el("span", { class: "soft", text: `${one.adjudicator} · ${one.at.slice(0, 16).replace("T", " ")}` })),
      el("p", { class: "why", text: one.reason })))));
}

function outcomeWords(sheet, { outcome, labels }) {
  return outcome === "labelled" ? labels.map((id) => labelOf(sheet, id).name).join("、") : say(sheet, outcome);
}

// A message that stays until it is dealt with, with its ways on: [label, action, link attributes].
function banner(sheet, text, ways = []) {
  clearBanner(sheet);
  const box = el("div", { class: "banner", role: "alert" }, el("p", { text }),
    el("div", { class: "ways" }, ways.map(([label, onclick, link]) => (link
      ? el("a", { class: "way", text: label, ...link })
      : el("button", { type: "button", class: "way", text: label, onclick })))));
  sheet.page.prepend(box);
  box.scrollIntoView({ block: "nearest" });
}

function clearBanner(sheet) {
  part(sheet, ".banner")?.remove();
}
