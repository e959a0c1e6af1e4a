// Active seconds: the tab is visible, the task is in view, and the person did something within a minute.

const IDLE_AFTER = 60_000; // ms

function noteActivity(sheet, event) {
  sheet.lastActivity = Date.now();
  if (event.type === "keydown") sheet.lastInput = "keyboard";
  if (event.type === "pointerdown") sheet.lastInput = event.pointerType === "touch" ? "touch" : "pointer";
}

function isActive(sheet) {
  return document.visibilityState === "visible" && sheet.screen === "task" && !sheet.isPaused
    && Date.now() - sheet.lastActivity < IDLE_AFTER;
}

function tick(sheet) {
  if (!sheet.main.isConnected) return sheet.leave();
  const now = Date.now();
  const passed = Math.min((now - sheet.lastTick) / 1000, 2); // a sleeping laptop is no reading time
  sheet.lastTick = now;
  if (!isActive(sheet)) return;
  sheet.seconds += passed;
  if (Math.floor(sheet.seconds) % 5 === 0) writeStored("seconds", { task: sheet.view.task.task, seconds: sheet.seconds });
}

function restoreSeconds(sheet) {
  const kept = readStored("seconds");
  sheet.seconds = kept && kept.task === sheet.view.task.task ? kept.seconds : 0;
  sheet.lastActivity = Date.now();
}
