// sessionStorage bridges what the server has not confirmed: marks and a token, never the texts.

const PREFIX = "concord.marker.";

function readStored(name) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name));
  } catch {
    return null; // storage is off or holds something else: the server's draft is enough
  }
}

function writeStored(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(PREFIX + name);
    else sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // full or forbidden: the page itself still holds the marks
  }
}

function keepLocally(sheet) {
  const { task } = sheet.view;
  writeStored(`draft.${task.task}`, {
    entries: sheet.entries, base_revision: task.revision, sequence: sheet.draftSequence, token: sheet.token,
  });
}

function forgetLocally(task) {
  writeStored(`draft.${task}`, null);
}

// Another person in the same tab finds nothing of the one before.
function claimStorage(owner) {
  if (!owner || readStored("owner") === owner) return;
  for (const name of storedNames()) writeStored(name, null);
  writeStored("owner", owner);
}

function storedNames() {
  try {
    return Object.keys(sessionStorage).filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
  } catch {
    return [];
  }
}

// The newer of the server's draft and of what this tab could not send.
function restore(sheet) {
  const { task } = sheet.view;
  const kept = readStored(`draft.${task.task}`);
  const isUsable = kept && kept.base_revision === task.revision && kept.sequence >= task.draft_sequence && !task.read_only;
  sheet.token = isUsable ? kept.token : null;
  sheet.draftSequence = isUsable ? kept.sequence : task.draft_sequence;
  sheet.entries = readEntries(isUsable ? kept.entries : task.entries);
  if (!isUsable) forgetLocally(task.task);
  return Boolean(isUsable);
}
