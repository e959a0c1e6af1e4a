// The frame of a task: where the person is, what was saved, what to know before reading.

function header(sheet) {
  const { study, progress } = sheet.view;
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
    isTask && !isReadOnly(sheet) && el("button", { type: "button", class: "quiet pause", text: say(sheet, "pause"), onclick: () => pause(sheet) }),
    el("button", { type: "button", class: "quiet", onclick: () => showHelp(sheet), "aria-keyshortcuts": "?" },
      el("span", { text: say(sheet, "help") }), key("?")));
}

function notices(sheet) {
  const { task, study } = sheet.view;
  const found = [];
  if (task.risk !== "none") {
    found.push(el("div", { class: "risk", role: "note" },
      el("b", { text: say(sheet, `risk_${task.risk}`) }), el("span", { text: study.support_text })));
  }
  if (task.read_only) found.push(el("div", { class: "notice", role: "note", text: say(sheet, "read_only") }));
  else if (task.revision > 0) {
    const values = { revision: task.revision, time: clockTime(sheet, task.saved_at) };
    found.push(el("div", { class: "notice", role: "note", text: say(sheet, "correcting", values) }));
  }
  return found;
}

function question(sheet) {
  const { task, study } = sheet.view;
  const text = el("p", { class: "description", text: task.description, id: "description" });
  const fold = el("button", {
    type: "button", class: "quiet fold", hidden: true, "aria-controls": "description", "aria-expanded": "true",
    "aria-keyshortcuts": "D", onclick: () => foldQuestion(sheet),
  }, el("span", { text: say(sheet, "fold") }), key("D"));
  return el("section", { class: "question", "aria-label": say(sheet, "question"), lang: study.lang },
    el("h1", { text: task.question }), task.description ? text : null, task.description ? fold : null);
}

// Offered only where there is something to fold: more than two lines.
function offerFold(sheet) {
  const text = part(sheet, ".description");
  const fold = part(sheet, ".fold");
  if (!text || part(sheet, ".question").dataset.folded) return;
  fold.hidden = text.scrollHeight <= 2.2 * parseFloat(getComputedStyle(text).lineHeight);
}

function foldQuestion(sheet) {
  const box = part(sheet, ".question");
  const fold = part(sheet, ".fold");
  if (!fold || fold.hidden) return;
  const isFolded = !box.dataset.folded;
  if (isFolded) box.dataset.folded = "yes";
  else delete box.dataset.folded;
  fold.firstChild.textContent = say(sheet, isFolded ? "unfold" : "fold");
  fold.setAttribute("aria-expanded", String(!isFolded));
}

function toolbar(sheet) {
  const { steps } = sheet.view.instrument;
  const stages = steps ? (steps.when === "before" ? ["steps", "scores"] : ["scores", "steps"]) : [];
  return el("div", { class: "tools" },
    el("span", { class: "ai", text: sheet.view.study.notice }),
    stages.length > 0 && el("div", { class: "stages", role: "group", "aria-label": say(sheet, "stages") },
      stages.map((stage) => el("button", {
        type: "button", class: "stage", "data-stage": stage, onclick: () => enterStage(sheet, stage),
      }, el("span", { text: say(sheet, `stage_${stage}`) }), el("i")))),
    sheet.view.task.slots.length > 1 && el("button", {
      type: "button", class: "quiet together", "aria-pressed": "false", onclick: () => toggleTogether(sheet),
      text: say(sheet, "scroll_together") }),
    el("button", { type: "button", class: "quiet anchors", "aria-pressed": "false", "aria-keyshortcuts": "G",
      onclick: () => toggleGuide(sheet) }, el("span", { text: say(sheet, "guide") }), key("G")));
}

// A message that stays until it is dealt with, with its ways on: [label, action, link attributes].
// `kind` says what takes it away again: an answer of the server ("line"), filling in ("missing"), or a way.
function banner(sheet, text, ways = [], kind = "stays") {
  clearBanner(sheet);
  const box = el("div", { class: "banner", role: "alert", "data-kind": kind }, el("p", { text }),
    el("div", { class: "ways" }, ways.map(([label, onclick, link]) => (link
      ? el("a", { class: "way", text: label, ...link })
      : el("button", { type: "button", class: "way", text: label, onclick })))));
  sheet.page.prepend(box);
  box.scrollIntoView({ block: "nearest" });
}

function clearBanner(sheet, kind = null) {
  part(sheet, kind ? `.banner[data-kind="${kind}"]` : ".banner")?.remove();
}
