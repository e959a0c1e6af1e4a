import assert from "node:assert/strict";
import { test } from "node:test";

import { keyOf, onKey } from "../../pages/ui/components/task/keys.js";

const BODY = { tagName: "BODY", nodeType: 1 };

// A task on the screen; `desk.pressed` is what reached its face.
function setUp(more = {}) {
  const pressed = [];
  const face = { onKey: (_sheet, _event, key) => pressed.push(key), wordsPanel: "note", missing: () => [{}], showMissing: () => pressed.push("save") };
  const main = { isConnected: true, contains: (node) => Boolean(node.isOurs) };
  const sheet = { main, face, screen: "task", busy: false, view: { task: {} }, panel: null, veil: null, root: {}, leave: () => pressed.push("leave"), ...more };
  return { sheet, pressed };
}

function key(name, more = {}) {
  const event = { key: name, code: "", isTaken: false, focused: BODY, ...more };
  event.composedPath = () => [event.focused];
  event.preventDefault = () => {};
  event.stopImmediatePropagation = () => { event.isTaken = true; };
  return event;
}

test("a key reaches the face", () => {
  const { sheet, pressed } = setUp();
  onKey(sheet, key("S"));
  assert.deepEqual(pressed, ["s"]);
});

for (const [name, more] of [
  ["composing", { isComposing: true }], ["the older sign of it, 229", { keyCode: 229 }],
]) {
  for (const [what, event] of [["a digit", key("2", more)], ["Ctrl+S", key("s", { ...more, ctrlKey: true })], ["Escape", key("Escape", more)]]) {
    test(`${what} does nothing while an input method composes (${name})`, () => {
      const { sheet, pressed } = setUp({ veil: "help", panel: "note" });
      onKey(sheet, event);
      assert.deepEqual(pressed, []);
      assert.equal(event.isTaken, false);
      assert.deepEqual([sheet.veil, sheet.panel], ["help", "note"]);
    });
  }
}

for (const [name, focused] of [
  ["a text field", { tagName: "INPUT", type: "text", isOurs: true, nodeType: 1 }],
  ["a text area", { tagName: "TEXTAREA", isOurs: true, nodeType: 1 }],
  ["another widget of the page", { tagName: "BUTTON", isOurs: false, nodeType: 1, getRootNode: () => null }],
  ["the drawer", { tagName: "INPUT", type: "radio", isOurs: true, nodeType: 1, closest: (selector) => selector === ".panel" }],
]) {
  test(`in ${name} a key is not the face's`, () => {
    const { sheet, pressed } = setUp();
    onKey(sheet, key("2", { focused }));
    assert.deepEqual(pressed, []);
  });
}

test("Ctrl+S and Cmd+S save from a text field too, but not behind help or pause", () => {
  const { sheet, pressed } = setUp();
  const focused = { tagName: "TEXTAREA", isOurs: true, nodeType: 1 };
  onKey(sheet, key("s", { ctrlKey: true, focused }));
  onKey(sheet, key("s", { metaKey: true, focused }));
  assert.deepEqual(pressed, ["save", "save"]);
  onKey({ ...sheet, veil: "pausing" }, key("s", { ctrlKey: true }));
  assert.equal(pressed.length, 2);
});

test("Alt belongs to the browser unless the face travels with it", () => {
  const { sheet, pressed } = setUp();
  onKey(sheet, key("ArrowLeft", { altKey: true }));
  assert.deepEqual(pressed, []);
  sheet.face.usesAlt = true;
  onKey(sheet, key("ArrowLeft", { altKey: true }));
  assert.deepEqual(pressed, ["arrowleft"]);
});

test("a task that left the page takes its ear off", () => {
  const { sheet, pressed } = setUp();
  sheet.main.isConnected = false;
  onKey(sheet, key("2"));
  assert.deepEqual(pressed, ["leave"]);
});

for (const [name, event, plain, shifted] of [
  ["a digit on a French keyboard", { key: "&", code: "Digit1" }, "1", "1"],
  ["a digit with Shift", { key: "!", code: "Digit1", shiftKey: true }, "!", "1"],
  ["? on a layout that has it on a digit", { key: "?", code: "Digit7", shiftKey: true }, "?", "7"],
  ["the numeric pad", { key: "2", code: "Numpad2" }, "2", "2"],
  ["the numeric pad without its lock", { key: "ArrowDown", code: "Numpad2" }, "2", "arrowdown"],
  ["a letter on a Greek keyboard", { key: "σ", code: "KeyS" }, "s", "s"],
  ["a letter where it is written, not where it lies", { key: "a", code: "KeyQ" }, "a", "a"],
  ["the Chinese question mark", { key: "？", code: "Slash", shiftKey: true }, "？", "？"],
]) {
  test(`${name} is ${plain}, where Shift keeps digits ${shifted}`, () => {
    assert.equal(keyOf(event), plain);
    assert.equal(keyOf(event, true), shifted);
  });
}
