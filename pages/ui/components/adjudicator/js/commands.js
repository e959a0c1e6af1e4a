// What the keys do here that they do not do in the span marker.

for (const name of ["v"]) delete COMMANDS[name];
Object.assign(COMMANDS, {
  n: (sheet) => step(sheet, 1),
  b: (sheet) => step(sheet, -1),
  c: (sheet) => part(sheet, ".reason input")?.focus(),
  y: (sheet) => takeRow(sheet),
  x: (sheet, event) => passOn(sheet, event.shiftKey ? -1 : 1),
  m: (sheet) => adjustRow(sheet),
});
FOR_READERS.add("n").add("x");
HELP.splice(0, HELP.length, "words", "clauses", "grow", "end", "start", "letters", "take", "pass", "adjust", "label", "more", "whole", "verdict", "undo", "delete", "jump", "reason", "guide", "on", "decide", "help");
