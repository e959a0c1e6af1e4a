// The way to the server: one POST, and the patience to repeat it until it was answered.

const WAITS = [1, 2, 4, 8, 15]; // seconds between attempts; the last one stays
const PATIENCE = 20_000; // ms before a request that hangs counts as lost

// Returns {kind: "ok" | "offline" | "unsaved" | "refused", …}; never throws.
async function post(sheet, path, body, options = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE);
  try {
    const response = await fetch(`${sheet.data.api}${ROUTES}${path}`, {
      method: "POST", credentials: "same-origin", cache: "no-store", signal: stop.signal,
      headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), ...options,
    });
    return judge(response, await payloadOf(response));
  } catch {
    return { kind: "offline" };
  } finally {
    clearTimeout(timer);
  }
}

// A mistyped path is answered by the page itself (200, HTML): only JSON counts as an answer of ours.
async function payloadOf(response) {
  const type = response.headers.get("content-type") ?? "";
  return type.startsWith("application/json") ? response.json().catch(() => null) : null;
}

function judge(response, payload) {
  if (response.ok && payload) return { kind: "ok", payload };
  const error = payload?.error;
  if (response.status === 503 && error) return { kind: "unsaved", error };
  if (!error || response.status >= 500 || response.status === 429) return { kind: "offline" };
  return { kind: "refused", status: response.status, error };
}

// Repeats the same body until the server has answered; `onWait` tells the person why it takes long.
async function postUntilAnswered(sheet, path, body, { isWanted, onWait }) {
  for (let attempt = 0; isWanted(); attempt += 1) {
    const answer = await post(sheet, path, body);
    if (!isWanted()) break;
    if (answer.kind === "ok" || answer.kind === "refused") return answer;
    if (answer.kind === "offline") sheet.sequence = -1; // a server that came back may count anew
    onWait(answer);
    await nap(sheet, WAITS[Math.min(attempt, WAITS.length - 1)]);
  }
  return null;
}

// Sleeps; woken by the browser's "online", by a press of "retry now", or by giving up.
function nap(sheet, seconds) {
  return new Promise((wake) => {
    const timer = setTimeout(wake, seconds * 1000);
    sheet.naps.add(() => { clearTimeout(timer); wake(); });
  });
}

function wakeUp(sheet) {
  const naps = [...sheet.naps];
  sheet.naps.clear();
  for (const wake of naps) wake();
}
