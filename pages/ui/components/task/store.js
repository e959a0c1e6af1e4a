// sessionStorage bridges what the server has not confirmed: entries and a token, never the texts.

import { readEntries } from "./entries.js";

export class Store {
  #prefix;
  #storage;

  constructor(prefix, storage) {
    this.#prefix = prefix;
    this.#storage = storage; // a function: a browser that forbids storage throws when it is asked for
  }

  read(name) {
    try {
      return JSON.parse(this.#storage().getItem(this.#prefix + name));
    } catch {
      return null; // storage is off or holds something else: the server's draft is enough
    }
  }

  write(name, value) {
    try {
      if (value === null) this.#storage().removeItem(this.#prefix + name);
      else this.#storage().setItem(this.#prefix + name, JSON.stringify(value));
    } catch {
      // full or forbidden: the page itself still holds the entries
    }
  }

  // Another person in the same tab finds nothing of the one before.
  claim(owner) {
    if (!owner || this.read("owner") === owner) return;
    for (const name of this.#names()) this.write(name, null);
    this.write("owner", owner);
  }

  #names() {
    try {
      const names = Object.keys(this.#storage()).filter((name) => name.startsWith(this.#prefix));
      return names.map((name) => name.slice(this.#prefix.length));
    } catch {
      return [];
    }
  }
}

export function keepLocally(sheet) {
  const { task } = sheet.view;
  sheet.store.write(`draft.${task.task}`, {
    entries: sheet.face.packed(sheet.entries), base_revision: task.revision, sequence: sheet.draft.sequence,
    token: sheet.press.token,
  });
}

export function forgetLocally(sheet, task) {
  sheet.store.write(`draft.${task}`, null);
}

// The newer of the server's draft and of what this tab could not send; true if it is this tab's.
export function restore(sheet) {
  const { task } = sheet.view;
  const kept = sheet.store.read(`draft.${task.task}`);
  const isUsable = Boolean(kept) && kept.base_revision === task.revision && kept.sequence >= task.draft_sequence && !task.read_only;
  sheet.press.token = isUsable ? kept.token : null;
  sheet.draft.sequence = isUsable ? kept.sequence : task.draft_sequence;
  sheet.entries = sheet.face.unpacked(sheet, readEntries(sheet.face.emptyEntries(), isUsable ? kept.entries : task.entries));
  if (!isUsable) forgetLocally(sheet, task.task);
  return isUsable;
}
