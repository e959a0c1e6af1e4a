// The marker as a whole: opening, showing, redrawing. State stands on the element, because the
// default function is called again with the same element after every run of the page.

async function open(sheet, task, options = {}) {
  if (sheet.busy) return;
  const turn = (sheet.opening += 1);
  const body = { study: sheet.data.study, task: task ?? null, ...options };
  await sheet.draftTurn; // what is written down here must arrive before another text is asked for
  const answer = await postUntilAnswered(sheet, "open", body, {
    isWanted: () => turn === sheet.opening && sheet.main.isConnected,
    onWait: () => banner(sheet, say(sheet, "open_waiting"), [[say(sheet, "retry_now"), () => wakeUp(sheet)]]),
  });
  if (!answer) return;
  if (answer.kind === "ok") show(sheet, answer.payload.view);
  else refuse(sheet, answer);
}

// Shows what the server sent, unless something newer stands already.
function show(sheet, view) {
  if (view.sequence < sheet.sequence) return;
  clearTimeout(sheet.draftTimer);
  Object.assign(sheet, {
    view, sequence: view.sequence, panel: null, selection: null, cursor: null, meant: null, held: null, changing: null, proposal: null, chord: null,
    wasTried: false, isDirty: false, draftAttempt: 0, inputs: new Set(), isPaused: false, units: {}, done: [], undone: [],
  });
  if (view.state === "task") takeTask(sheet);
  render(sheet);
  toTop(sheet);
  focusFirst(sheet);
}

function takeTask(sheet) {
  const { task } = sheet.view;
  sheet.texts = Object.fromEntries(FIELDS.map((field) => [field, points(task[field])]));
  sheet.labels = readLabels(sheet);
  const isKept = restore(sheet);
  sheet.proposal = isReadOnly(sheet) ? null : firstOpen(sheet)?.id ?? null;
  restoreSeconds(sheet);
  if (isKept) {
    sheet.isDirty = true;
    sheet.status = { word: "draft_saving", values: {} };
    sheet.draftTimer = setTimeout(() => { sheet.draftTurn = sendDraft(sheet); }, REST);
  } else if (!task.read_only && task.draft_sequence > 0) {
    sheet.status = { word: "draft_saved", values: {} };
  }
}

function render(sheet) {
  if (sheet.veil) unveil(sheet);
  sheet.screen = screenOf(sheet);
  const { main, page } = sheet;
  main.dataset.screen = sheet.screen;
  main.dataset.round = sheet.view?.task?.round ?? "";
  page.replaceChildren(...SCREENS[sheet.screen](sheet).filter(Boolean));
  if (sheet.status.word) setStatus(sheet, sheet.status.word, sheet.status.values);
  measure(sheet);
  if (sheet.screen !== "task") return;
  paintGuide(sheet);
  drawPanel(sheet);
  paint(sheet);
}

// What follows from the entries: the marks in the text and in the list, the labels, the counts.
function paint(sheet) {
  if (sheet.screen !== "task") return;
  paintTexts(sheet);
  paintTarget(sheet);
  paintMeaning(sheet);
  paintProposals(sheet);
  paintMarks(sheet);
  paintCertainty(sheet);
  paintActions(sheet);
  if (sheet.wasTried && !sheet.busy && missingParts(sheet).length === 0 && !part(sheet, ".banner .way")) clearBanner(sheet);
}

// The marker fills what the page leaves below its own head; text and labels side by side where there is room.
function measure(sheet) {
  const { main } = sheet;
  const width = main.clientWidth;
  let scrolled = 0;
  for (let node = main; node; node = node.parentNode ?? node.host) scrolled += node.scrollTop ?? 0;
  main.style.setProperty("--top", `${Math.max(0, Math.min(200, main.getBoundingClientRect().top + scrolled))}px`);
  main.dataset.layout = width >= 880 && window.innerHeight >= 560 ? "side-by-side" : "stacked";
  main.dataset.size = width < 1100 || matchMedia("(pointer: coarse)").matches ? "touch" : "mouse";
  if (sheet.screen === "task") fitTags(sheet);
}

function toTop(sheet) {
  sheet.main.scrollIntoView({ block: "start" });
  for (let node = sheet.main.parentNode; node; node = node.parentNode ?? node.host) {
    if (node.scrollTop && node.scrollTop < 400) node.scrollTop = 0; // the page's own head, back in view
  }
}

function build(parentElement) {
  const main = parentElement.querySelector("main");
  const live = el("div", { class: "hidden", "aria-live": "polite", role: "status" });
  const page = el("div", { class: "page" });
  const cover = el("div", { class: "cover" });
  main.replaceChildren(live, page, cover);
  const sheet = {
    main, live, page, cover, root: main.getRootNode(), data: null, view: null, sequence: -1, opening: 0, screen: "loading",
    entries: emptyEntries(), labels: [], texts: {}, units: {}, done: [], undone: [], naps: new Set(), inputs: new Set(), revealed: new Set(),
    status: { word: "", values: {} }, seconds: 0, lastTick: Date.now(), lastActivity: Date.now(), lastInput: "keyboard",
    draftSequence: 0, draftAttempt: 0, draftTurn: null, busy: false, selection: null, cursor: null, isGuided: false,
  };
  sheet.leave = listen(sheet, parentElement);
  return sheet;
}

// Bound once; the function returned takes everything off again when the element goes.
function listen(sheet, parentElement) {
  const off = new AbortController();
  const on = (place, type, action, capture = false) => place.addEventListener(type, action, { signal: off.signal, capture });
  on(window, "keydown", (event) => { noteActivity(sheet, event); onKey(sheet, event); }, true);
  for (const type of ["pointerdown", "pointermove", "wheel", "touchstart"]) on(window, type, (event) => noteActivity(sheet, event), true);
  on(document, "selectionchange", () => noteSelection(sheet));
  on(document, "visibilitychange", () => (document.visibilityState === "hidden" ? flushDraft(sheet) : comeBack(sheet)));
  on(window, "pagehide", () => flushDraft(sheet));
  on(window, "online", () => comeBack(sheet));
  on(window, "beforeunload", (event) => { if (sheet.busy || /offline|unsaved/.test(sheet.status.word)) event.preventDefault(); });
  on(sheet.main, "click", (event) => { if (sheet.busy && event.target.closest(".desk, .closing")) event.preventDefault(); }, true);
  const watcher = new ResizeObserver(() => measure(sheet));
  watcher.observe(sheet.main);
  on(window, "resize", () => measure(sheet));
  const ticking = setInterval(() => tick(sheet), 1000);
  return () => {
    flushDraft(sheet);
    off.abort();
    watcher.disconnect();
    clearInterval(ticking);
    delete parentElement.concordMarker;
  };
}

// Back in the tab, or on the net again: what waits is tried at once.
function comeBack(sheet) {
  sheet.lastActivity = Date.now();
  wakeUp(sheet);
  if (sheet.isDirty && sheet.view?.task) sheet.draftTurn = sendDraft(sheet);
}

function receive(sheet, data) {
  const before = sheet.data;
  sheet.data = data;
  sheet.main.dataset.theme = data.theme === "dark" ? "dark" : "light";
  sheet.main.lang = data.lang;
  document.documentElement.lang = data.lang;
  claimStorage(data.owner);
  if (!before) Object.assign(sheet, { revealed: new Set(readStored("shown") ?? []), isGuided: readStored("guided") === true });
  if (!before || before.study !== data.study || (data.task && before.task !== data.task)) { // asked once: without a task what is open stays open
    render(sheet);
    open(sheet, data.task);
  } else if (JSON.stringify(before.words) !== JSON.stringify(data.words)) {
    render(sheet);
    focusFirst(sheet);
  }
}

export default function ({ data, parentElement }) {
  const sheet = (parentElement.concordMarker ??= build(parentElement));
  receive(sheet, data);
  return sheet.leave;
}
