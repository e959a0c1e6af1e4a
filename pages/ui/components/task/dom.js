// Building blocks: elements made from data by textContent and attributes only, never by markup.

export function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) put(node, name, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function put(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "text") node.textContent = value;
  else if (name === "checked" || name === "value") node[name] = value;
  else node.setAttribute(name, value === true ? "" : value);
}

export function key(name) {
  return el("kbd", { text: name, "aria-hidden": "true" });
}

export function button(label, shortcut, properties) {
  const ways = shortcut ? { "aria-keyshortcuts": shortcut } : {};
  return el("button", { type: "button", ...ways, ...properties },
    el("span", { text: label }), shortcut ? key(shortcut) : null);
}

export function part(sheet, selector) {
  return sheet.page.querySelector(selector);
}

// The sentence of a key with its {values} put in; the key itself shows a missing one.
export function say(sheet, name, values = {}) {
  const words = sheet.data.words[name] ?? name;
  return words.replace(/\{(\w+)\}/g, (whole, slot) => (slot in values ? String(values[slot]) : whole));
}

export function clockTime(sheet, iso) {
  const moment = iso ? new Date(iso) : new Date();
  return moment.toLocaleTimeString(sheet.data.lang === "zh" ? "zh-CN" : "en-GB", { hour: "2-digit", minute: "2-digit" });
}

// One polite region that outlives every redraw, so that a screen reader hears each change.
export function announce(sheet, text) {
  sheet.live.textContent = "";
  clearTimeout(sheet.liveTimer);
  sheet.liveTimer = setTimeout(() => { sheet.live.textContent = text; }, 60);
}
