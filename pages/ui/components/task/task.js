// One task in the browser: what is built once, listened to once, and told by the page at each run.
//
// All three faces (rating sheet, span marker, adjudicator) run on it. A face is an object:
//   routes, store        where it asks ("/api/sheet/"), and the prefix of what the tab keeps
//   hasServerDraft       whether each change goes to the server's draft; else it stays in the tab
//   emptyEntries()       what a task begins with
//   packed, unpacked     entries as the tab keeps them, and back
//   state(), fresh()     its own fields of the sheet: once, and anew for each view
//   recall(sheet)        what it kept in the tab about the screen itself
//   readTask, beginTask  before and after the entries of a task are there
//   screens, screenOf    a function for each screen, and which one stands
//   ways(sheet)          its own ways on in the header
//   prepare, draw        before a screen is drawn, and after a task is
//   paint(sheet, missing)  what follows from the entries
//   isSideBySide, measure  how the page is laid out at a width
//   missing, showMissing, readMissing  what a save lacks ({what, …}); shown; from the server's names
//   focusFirst, focusBack  into a new screen, and back from a drawer
//   refocus(sheet)       after the words changed
//   panels, wordsPanel   the drawer's panels {word, draw}, and the one of free words
//   help(sheet)          rows of the help
//   onKey, onControlKey, usesAlt, shiftKeepsDigits   its own keys
//   listen(sheet, on)    its own events
//   unveiled(sheet)      after help or pause

import { Clock } from "./clock.js";
import { el } from "./dom.js";
import { comeBack, draftOf, open } from "./exchange.js";
import { isWarning } from "./frame.js";
import { onKey } from "./keys.js";
import { Net } from "./net.js";
import { measure, render } from "./page.js";
import { Press } from "./press.js";
import { Store } from "./store.js";

// What the component exports. State stands on the element: the function is called again with the
// same element after every run of the page.
export function mount(face) {
  return ({ data, parentElement }) => {
    const sheet = (parentElement.concordTask ??= build(parentElement, face));
    receive(sheet, data);
    return sheet.leave;
  };
}

function build(parentElement, face) {
  const main = parentElement.querySelector("main");
  const live = el("div", { class: "hidden", "aria-live": "polite", role: "status" });
  const page = el("div", { class: "page" });
  const cover = el("div", { class: "cover" });
  main.replaceChildren(live, page, cover);
  const sheet = {
    face, main, live, page, cover, root: main.getRootNode(), data: null, view: null, sequence: -1, opening: 0,
    screen: "loading", status: { word: "", values: {} }, busy: false, panel: null, veil: null, revealed: new Set(),
    entries: face.emptyEntries(), ...face.state(), ...face.fresh(),
  };
  Object.assign(sheet, organs(sheet));
  sheet.leave = listen(sheet, parentElement);
  return sheet;
}

// The parts that know no page; they are given the browser's clock, network and storage here.
function organs(sheet) {
  const timers = { setTimeout: (...wish) => setTimeout(...wish), clearTimeout: (timer) => clearTimeout(timer) };
  const net = new Net({ fetch: (...request) => fetch(...request), timers });
  return {
    net,
    store: new Store(sheet.face.store, () => sessionStorage),
    press: new Press({ net, random: (bytes) => crypto.getRandomValues(bytes) }),
    draft: draftOf(sheet, timers),
    clock: new Clock({
      now: () => Date.now(),
      isInView: () => document.visibilityState === "visible" && sheet.screen === "task",
    }),
  };
}

// Bound once; the function returned takes everything off again when the element goes.
function listen(sheet, parentElement) {
  const off = new AbortController();
  const on = (place, type, action, capture = false) => place.addEventListener(type, action, { signal: off.signal, capture });
  on(window, "keydown", (event) => { sheet.clock.note(event); onKey(sheet, event); }, true);
  for (const type of ["pointerdown", "pointermove", "wheel", "touchstart"]) on(window, type, (event) => sheet.clock.note(event), true);
  on(document, "visibilitychange", () => (document.visibilityState === "hidden" ? sheet.draft.flush() : comeBack(sheet)));
  on(window, "pagehide", () => sheet.draft.flush());
  on(window, "online", () => comeBack(sheet));
  on(window, "beforeunload", (event) => { if (sheet.busy || isWarning(sheet.status.word)) event.preventDefault(); });
  on(window, "resize", () => measure(sheet));
  sheet.face.listen(sheet, on);
  const watcher = new ResizeObserver(() => measure(sheet));
  watcher.observe(sheet.main);
  const ticking = setInterval(() => tick(sheet), 1000);
  return () => {
    sheet.draft.flush();
    off.abort();
    watcher.disconnect();
    clearInterval(ticking);
    delete parentElement.concordTask;
  };
}

function tick(sheet) {
  if (!sheet.main.isConnected) return sheet.leave();
  if (!sheet.clock.tick()) return;
  const { seconds } = sheet.clock;
  if (Math.floor(seconds) % 5 === 0) sheet.store.write("seconds", { task: sheet.view.task.task, seconds });
}

function receive(sheet, data) {
  const before = sheet.data;
  sheet.data = data;
  sheet.main.dataset.theme = data.theme === "dark" ? "dark" : "light";
  sheet.main.lang = data.lang;
  document.documentElement.lang = data.lang;
  sheet.store.claim(data.owner);
  if (!before) recall(sheet);
  // A page names a task once; that it names none in its next run is no wish for another task.
  if (!before || before.study !== data.study || (data.task && before.task !== data.task)) {
    render(sheet);
    open(sheet, data.task);
  } else if (JSON.stringify(before.words) !== JSON.stringify(data.words)) {
    sheet.face.refocus(sheet, () => render(sheet));
  }
}

function recall(sheet) {
  sheet.revealed = new Set(sheet.store.read("shown") ?? []);
  sheet.face.recall(sheet);
}
