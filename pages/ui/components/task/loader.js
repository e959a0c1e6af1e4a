// What Streamlit runs. It fetches the face's modules from this server and hands the page's data on.
// Streamlit runs it from a blob, where a path has no base, so every address is made whole here.
// FACE and MODULES stand above, written by Python.

const WAITS = [1, 2, 4, 8, 15]; // seconds between attempts; the last one stays

export default function (component) {
  const place = component.parentElement;
  const desk = (place.concordDesk ??= begin(component));
  desk.component = component;
  if (desk.face) desk.leave = desk.face(component);
  return () => {
    desk.isLeft = true;
    delete place.concordDesk;
    desk.leave?.();
  };
}

// The face that came first stays: a page that lives through an upgrade keeps its old modules whole.
function begin(component) {
  const desk = { face: null, leave: null, isLeft: false, component };
  write(component, "loading");
  fetchFace(desk).then((face) => {
    if (desk.isLeft) return;
    desk.face = face;
    desk.leave = face(desk.component);
  });
  return desk;
}

// A browser remembers for a page that a module could not be fetched: each attempt has its own address.
async function fetchFace(desk) {
  for (let attempt = 0; ; attempt += 1) {
    const root = `${location.origin}${desk.component.data.api}${KIT}${attempt ? `-${attempt}` : ""}/`;
    for (const name of MODULES) preload(root + name);
    try {
      return (await import(root + FACE)).default;
    } catch {
      write(desk.component, "open_waiting");
      await new Promise((resolve) => { setTimeout(resolve, 1000 * WAITS[Math.min(attempt, WAITS.length - 1)]); });
    }
  }
}

// All at once, instead of one after the other as each module names what it imports.
function preload(address) {
  if (document.head.querySelector(`link[href="${address}"]`)) return;
  document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href: address }));
}

function write({ data, parentElement }, word) {
  const line = Object.assign(document.createElement("p"), { className: "loading", textContent: data.words[word] });
  parentElement.querySelector("main").replaceChildren(line);
}
