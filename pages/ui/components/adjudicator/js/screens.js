// The screens: a case, or a queue with nothing left in it.

function screenOf(sheet) {
  return sheet.view ? sheet.view.state : "loading";
}

const SCREENS = { loading: loadingScreen, task: taskScreen, done: doneScreen };

function loadingScreen(sheet) {
  return [el("p", { class: "loading", text: say(sheet, "loading") })];
}

function taskScreen(sheet) {
  return [header(sheet), ...notices(sheet), desk(sheet), ending(sheet)];
}

function doneScreen(sheet) {
  const { queue } = sheet.view;
  const word = !queue.has_blind_round ? "no_blind_round" : queue.decided && queue.show === "waiting" ? "all_decided" : queue.search ? "nothing_found" : `nothing_${queue.show}`;
  return [header(sheet), el("div", { class: "desk" }, queueCard(sheet), el("div", { class: "calm" }, el("p", { text: say(sheet, word) })))];
}
