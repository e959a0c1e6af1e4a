// The sheet as a whole: opening, showing, redrawing. State stands on the element, because the
// default function is called again with the same element after every run of the page.

async function open(sheet, task, options = {}) {
  if (sheet.busy) return;
  const turn = (sheet.opening += 1);
  const body = { study: sheet.data.study, task: task ?? null, ...options };
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
  Object.assign(sheet, {
    view, sequence: view.sequence, panel: null, current: null, guided: null, selection: null, wasTried: false,
    isDirty: false, draftAttempt: 0, inputs: new Set(), targets: [], isPaused: false,
  });
  if (view.state === "task") takeTask(sheet);
  render(sheet);
  toTop(sheet);
  focusFirst(sheet);
}

function takeTask(sheet) {
  const isKept = restore(sheet);
  sheet.stage = sheet.view.instrument.steps?.when === "before" ? "steps" : "scores";
  restoreSeconds(sheet);
  if (isKept) {
    sheet.isDirty = true;
    sheet.status = { word: "draft_saving", values: {} };
    sheet.draftTimer = setTimeout(() => { sheet.draftTurn = sendDraft(sheet); }, REST);
  } else if (sheet.view.task.entries && !sheet.view.task.read_only && sheet.view.task.draft_sequence > 0) {
    sheet.status = { word: "draft_saved", values: {} };
  }
}

function render(sheet) {
  if (sheet.veil) unveil(sheet);
  sheet.screen = screenOf(sheet);
  const { main, page, view } = sheet;
  main.dataset.screen = sheet.screen;
  main.dataset.slots = view?.task?.slots.length ?? 0;
  if (view?.state === "task") sheet.targets = listTargets(sheet);
  sheet.current = sheet.targets.find((target) => target.id === sheet.current?.id) ?? null;
  page.replaceChildren(...SCREENS[sheet.screen](sheet).filter(Boolean));
  if (sheet.status.word) setStatus(sheet, sheet.status.word, sheet.status.values);
  if (sheet.screen !== "task") return;
  measure(sheet);
  enterStage(sheet, sheet.stage, false);
  drawPanel(sheet);
  paintTexts(sheet);
  offerFold(sheet);
  paint(sheet);
}

// What follows from the entries: marks, counts, the guide.
function paint(sheet) {
  if (sheet.screen !== "task") return;
  const missing = missingParts(sheet);
  for (const target of sheet.targets) {
    const box = boxOf(sheet, target);
    box.classList.toggle("filled", valueOf(sheet, target) !== null);
    for (const input of inputsOf(sheet, target)) input.parentElement.classList.toggle("on", input.checked);
    box.classList.toggle("missing", sheet.wasTried && missing.some((one) => one.target === target));
    paintAnchor(sheet, target);
  }
  part(sheet, ".reason")?.classList.toggle("missing", sheet.wasTried && missing.some((one) => one.scale === "reason"));
  paintCounts(sheet, missing);
  paintCurrent(sheet);
  if (missing.length === 0) clearBanner(sheet, "missing");
}

function paintCounts(sheet, missing) {
  const count = part(sheet, ".count");
  if (!count) return;
  count.textContent = missing.length ? say(sheet, "left", { count: missing.length }) : say(sheet, "complete");
  count.dataset.done = String(missing.length === 0);
  part(sheet, ".actions .primary").setAttribute("aria-busy", String(sheet.busy));
  sheet.main.setAttribute("aria-busy", String(sheet.busy));
  part(sheet, ".to-comment")?.classList.toggle("used", sheet.entries.comment.trim() !== "");
  const flag = part(sheet, ".to-flags");
  flag?.classList.toggle("used", sheet.entries.flags.length > 0);
  for (const stage of sheet.page.querySelectorAll(".stage")) {
    const own = sheet.targets.filter((target) => target.slot && stageOf(target) === stage.dataset.stage);
    stage.querySelector("i").textContent = `${own.filter((target) => valueOf(sheet, target) !== null).length}/${own.length}`;
  }
  paintSelection(sheet);
}

function paintSelection(sheet) {
  const flag = part(sheet, ".to-flags");
  if (!flag) return;
  const { length } = sheet.entries.flags;
  const word = sheet.selection && !sheet.panel ? "flag_selected" : length ? "flag_count" : "flag";
  flag.firstChild.textContent = say(sheet, word, { count: length });
  flag.classList.toggle("ready", word === "flag_selected");
}

// The sheet fills what the page leaves below its own head; side by side where each answer has room.
function measure(sheet) {
  const { main } = sheet;
  const slots = Number(main.dataset.slots) || 1;
  const width = main.clientWidth;
  let scrolled = 0;
  for (let node = main; node; node = node.parentNode ?? node.host) scrolled += node.scrollTop ?? 0;
  main.style.setProperty("--top", `${Math.max(0, Math.min(200, main.getBoundingClientRect().top + scrolled))}px`);
  const isTall = window.innerHeight >= 560;
  main.dataset.layout = width >= Math.max(860, 250 * slots) && isTall ? "side-by-side" : "stacked";
  main.dataset.room = width / slots >= 560 ? "wide" : width / slots >= 470 ? "middle" : width / slots >= 400 ? "tight" : "narrow";
  main.dataset.size = width < 1100 || matchMedia("(pointer: coarse)").matches ? "touch" : "mouse";
  if (sheet.screen !== "task") return;
  offerFold(sheet);
  paintGuideState(sheet);
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
    entries: emptyEntries(), targets: [], naps: new Set(), inputs: new Set(), revealed: new Set(), guides: {},
    status: { word: "", values: {} }, seconds: 0, lastTick: Date.now(), lastActivity: Date.now(), lastInput: "keyboard",
    draftSequence: 0, draftAttempt: 0, draftTurn: null, busy: false,
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
  on(sheet.main, "change", (event) => onChange(sheet, event));
  on(sheet.main, "click", (event) => { if (sheet.busy && event.target.closest(".scale")) event.preventDefault(); }, true);
  on(sheet.main, "focusin", (event) => followFocus(sheet, event.target));
  const watcher = new ResizeObserver(() => measure(sheet));
  watcher.observe(sheet.main);
  on(window, "resize", () => measure(sheet));
  const ticking = setInterval(() => tick(sheet), 1000);
  return () => {
    flushDraft(sheet);
    off.abort();
    watcher.disconnect();
    clearInterval(ticking);
    delete parentElement.concordSheet;
  };
}

function followFocus(sheet, element) {
  const target = targetOf(sheet, element);
  if (target) setCurrent(sheet, target);
  else if (element.closest(".actions .primary")) setCurrent(sheet, null);
  if (sheet.screen === "task") for (const one of sheet.targets) paintAnchor(sheet, one);
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
  if (!before) Object.assign(sheet, { revealed: new Set(readStored("shown") ?? []), guides: readStored("guides") ?? {} });
  // A page names a task once; that it names none in its next run is no wish for another task.
  if (!before || before.study !== data.study || (data.task && before.task !== data.task)) {
    render(sheet);
    open(sheet, data.task);
  } else if (JSON.stringify(before.words) !== JSON.stringify(data.words)) {
    const focused = sheet.current;
    render(sheet);
    if (focused) focusTarget(sheet, sheet.current);
  }
}

export default function ({ data, parentElement }) {
  const sheet = (parentElement.concordSheet ??= build(parentElement));
  receive(sheet, data);
  return sheet.leave;
}
