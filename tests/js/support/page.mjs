// As much of a page as help and pause need: elements with attributes, children and a click.

class Element {
  #listeners = new Map();
  attributes = {};
  children = [];

  setAttribute(name, value) { this.attributes[name] = value; }
  addEventListener(type, action) { this.#listeners.set(type, action); }
  append(...children) { this.children.push(...children); }
  replaceChildren(...children) { this.children = children; }
  focus() { Element.focused = this; }
  click() { this.#listeners.get("click")(); }

  querySelector() { // [data-first], the only one asked for
    for (const child of this.children) {
      const first = "data-first" in child.attributes ? child : child.querySelector();
      if (first) return first;
    }
    return null;
  }
}

export function makePage() {
  globalThis.document = { createElement: () => new Element() };
  return new Element();
}
