// What the person entered for one task, in the shape the server keeps, and whether it may change.

// Our own copy of what was sent, so that the view stays as it came; what was not sent is empty.
export function readEntries(empty, sent) {
  return structuredClone({ ...empty, ...(sent ?? {}) });
}

// Equal in content; the order of an object's names says nothing, the order of a list does.
export function sameEntries(one, other) {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length
    && names.every((name) => sameEntries(one[name], other[name]));
}

export function isReadOnly(sheet) {
  return Boolean(sheet.view?.task?.read_only);
}

export function isFrozen(sheet) {
  return sheet.busy || isReadOnly(sheet);
}
