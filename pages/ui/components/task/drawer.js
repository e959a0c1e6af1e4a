// The drawer over the bottom bar: one of the face's panels at a time; Escape closes it.

import { el, key, part, say } from "./dom.js";
import { isFrozen } from "./entries.js";

export function togglePanel(sheet, name) {
  if (sheet.panel === name) closePanel(sheet);
  else openPanel(sheet, name);
}

export function openPanel(sheet, name) {
  if (isFrozen(sheet) || !part(sheet, `.to-${name}`)) return;
  sheet.panel = name;
  drawPanel(sheet);
  part(sheet, ".drawer [data-first]")?.focus();
}

export function drawPanel(sheet) {
  const drawer = part(sheet, ".drawer");
  if (!drawer) return;
  const { panels } = sheet.face;
  drawer.hidden = !sheet.panel;
  for (const name of Object.keys(panels)) part(sheet, `.to-${name}`)?.setAttribute("aria-expanded", String(sheet.panel === name));
  if (!sheet.panel) return drawer.replaceChildren();
  const { word, draw } = panels[sheet.panel];
  drawer.replaceChildren(
    el("div", { class: "panel", role: "group", "aria-label": say(sheet, word) },
      draw(sheet),
      el("button", { type: "button", class: "quiet close", "aria-label": say(sheet, "close"), onclick: () => closePanel(sheet) },
        el("span", { text: say(sheet, "close") }), key("Esc"))));
}

export function closePanel(sheet) {
  if (!sheet.panel) return;
  sheet.panel = null;
  drawPanel(sheet);
  sheet.face.focusBack(sheet);
}
