// The frame of a task: where the person is, what was saved, what to know before reading.

function header(sheet) {
  const { study, progress, previous } = sheet.view;
  const share = progress.total ? Math.min(100, (100 * progress.done) / progress.total) : 0;
  const bar = el("div", {
    class: "bar", role: "progressbar", "aria-label": say(sheet, "progress"),
    "aria-valuemin": 0, "aria-valuemax": progress.total, "aria-valuenow": progress.done,
  }, el("i"));
  bar.firstChild.style.width = `${share}%`;
  const left = progress.minutes_left ? say(sheet, "minutes_left", { minutes: progress.minutes_left }) : "";
  const isTask = sheet.view.state === "task";
  return el("header", { class: "top" },
    el("b", { class: "title", text: study.title }),
    isTask && el("span", { class: "item", text: say(sheet, "item_of", progress) }),
    bar,
    left && el("span", { class: "left", text: left }),
    el("span", { class: "status" }),
    previous && button(say(sheet, "back"), "B", { class: "quiet back", onclick: () => goBack(sheet) }),
    isTask && !isReadOnly(sheet) && el("button", { type: "button", class: "quiet pause", text: say(sheet, "pause"), onclick: () => pause(sheet) }),
    button(say(sheet, "help"), "?", { class: "quiet", onclick: () => showHelp(sheet) }));
}

function goBack(sheet) {
  if (!sheet.view?.previous || sheet.busy) return;
  flushDraft(sheet);
  open(sheet, sheet.view.previous);
}

function notices(sheet) {
  const { task, study } = sheet.view;
  const found = [];
  if (task.risk !== "none") {
    found.push(el("div", { class: "risk", role: "note" },
      el("b", { text: say(sheet, `risk_${task.risk}`) }), el("span", { text: study.support_text })));
  }
  if (isSecondRound(sheet) && !task.read_only) {
    const word = task.revision > 0 ? "second_round" : "with_model";
    found.push(el("div", { class: "notice second", role: "note", text: say(sheet, word) }));
  }
  if (task.read_only) found.push(el("div", { class: "notice", role: "note", text: say(sheet, "read_only") }));
  else if (task.corrects) found.push(el("div", { class: "notice", role: "note", text: say(sheet, "correcting", { time: clockTime(sheet, task.saved_at) }) }));
  return found;
}

function desk(sheet) {
  return el("div", { class: "desk" }, texts(sheet), el("div", { class: "side" }, labelCard(sheet), proposalCard(sheet)), markCard(sheet));
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
