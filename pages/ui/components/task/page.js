// What stands on the page: a view of the server, the entries in it, and what follows from them.

import { part } from "./dom.js";
import { drawPanel } from "./drawer.js";
import { toTop } from "./focus.js";
import { clearBanner, setStatus } from "./frame.js";
import { keepLocally, restore } from "./store.js";
import { unveil } from "./veil.js";

// Shows what the server sent, unless something newer stands already.
export function show(sheet, view) {
  if (view.sequence < sheet.sequence) return;
  sheet.draft.drop();
  sheet.clock.begin(0);
  Object.assign(sheet, { view, sequence: view.sequence, panel: null, wasTried: false, ...sheet.face.fresh() });
  if (view.state === "task") takeTask(sheet);
  render(sheet);
  toTop(sheet);
  sheet.face.focusFirst(sheet);
}

function takeTask(sheet) {
  const { task } = sheet.view;
  sheet.face.readTask(sheet);
  const isKept = restore(sheet);
  sheet.face.beginTask(sheet);
  const clock = sheet.store.read("seconds");
  sheet.clock.begin(clock?.task === task.task ? clock.seconds : 0);
  if (isKept) {
    sheet.status = { word: "draft_saving", values: {} };
    sheet.draft.sendSoon();
  } else if (task.entries && !task.read_only && task.draft_sequence > 0) {
    sheet.status = { word: "draft_saved", values: {} };
  }
}

export function render(sheet) {
  if (sheet.veil) unveil(sheet);
  const { face, main } = sheet;
  sheet.screen = face.screenOf(sheet);
  main.dataset.screen = sheet.screen;
  face.prepare(sheet);
  sheet.page.replaceChildren(...face.screens[sheet.screen](sheet).filter(Boolean));
  if (sheet.status.word) setStatus(sheet, sheet.status.word, sheet.status.values);
  measure(sheet);
  if (sheet.screen !== "task") return;
  drawPanel(sheet);
  face.draw(sheet);
  paint(sheet);
}

// What follows from the entries: marks, counts, what is missing.
export function paint(sheet) {
  if (sheet.screen !== "task") return;
  const missing = sheet.face.missing(sheet);
  sheet.face.paint(sheet, missing);
  part(sheet, ".reason")?.classList.toggle("missing", sheet.wasTried && missing.some(({ what }) => what === "reason"));
  if (missing.length === 0) clearBanner(sheet, "missing");
}

// The person changed the entries.
export function changed(sheet) {
  sheet.press.renew();
  sheet.clock.noteChange();
  if (sheet.face.hasServerDraft) setStatus(sheet, "draft_saving");
  sheet.draft.change();
  keepLocally(sheet);
  paint(sheet);
}

// The task fills what the page leaves below its own head.
export function measure(sheet) {
  const { main, face } = sheet;
  let scrolled = 0;
  for (let node = main; node; node = node.parentNode ?? node.host) scrolled += node.scrollTop ?? 0;
  main.style.setProperty("--top", `${Math.max(0, Math.min(200, main.getBoundingClientRect().top + scrolled))}px`);
  main.dataset.layout = face.isSideBySide(sheet, main.clientWidth) && window.innerHeight >= 560 ? "side-by-side" : "stacked";
  main.dataset.size = main.clientWidth < 1100 || matchMedia("(pointer: coarse)").matches ? "touch" : "mouse";
  face.measure(sheet, main.clientWidth);
}
