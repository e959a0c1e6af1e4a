const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

async function post(url, body) {
  try {
    const answer = await fetch(url, {
      method: "POST", credentials: "same-origin",
      headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    const told = await answer.json();
    return answer.ok ? {} : { error: told.error?.message ?? "" };
  } catch {
    return { error: "" };
  }
}

function say(output, text, refused) {
  output.textContent = text;
  output.className = refused ? "refused" : "";
}

function languages({ base, words, language }) {
  const output = make("output", { role: "status" });
  const choice = (code, name) => {
    const input = make("input", { type: "radio", name: "language", value: code, checked: code === language });
    input.addEventListener("change", async () => {
      const { error } = await post(`${base}/api/language`, { language: code });
      if (error === undefined) window.location.reload();
      else say(output, error || words.failed, true);
    });
    return make("label", { lang: code }, input, make("span", { textContent: name }));
  };
  return make("fieldset", {}, make("legend", { textContent: words.language }),
    make("div", { className: "choices" }, choice("zh", "中文"), choice("en", "English")), output);
}

function field(name, label, autocomplete) {
  const input = make("input", { name, id: `concord-${name}`, type: "password", required: true, autocomplete, maxLength: 128 });
  return make("div", { className: "field" }, make("label", { htmlFor: input.id, textContent: label }), input);
}

function passphrase({ base, words, code }) {
  const fields = [field("old", words.old, "current-password"), field("new", words.new, "new-password"),
    field("again", words.again, "new-password")];
  const [old, fresh, again] = fields.map((one) => one.querySelector("input"));
  const shown = make("input", { type: "checkbox" });
  shown.addEventListener("change", () => {
    for (const input of [old, fresh, again]) input.type = shown.checked ? "text" : "password";
  });
  const button = make("button", { type: "submit", className: "primary", textContent: words.change });
  const output = make("output", { role: "status" });
  const form = make("form", {},
    make("h2", { textContent: words.passphrase }), make("p", { textContent: words.passphrase_about }),
    make("input", { type: "text", name: "username", value: code, autocomplete: "username", hidden: true, readOnly: true }),
    ...fields, make("label", { className: "show" }, shown, make("span", { textContent: words.show })), button, output);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (fresh.value !== again.value) {
      say(output, words.differs, true);
      again.focus();
      return;
    }
    button.disabled = true;
    const { error } = await post(`${base}/api/passphrase`, { old: old.value, new: fresh.value });
    button.disabled = false;
    if (error === undefined) form.reset();
    say(output, error === undefined ? words.changed : error || words.failed, error !== undefined);
  });
  return form;
}

function signOut({ base, words }) {
  const way = (path, text) => {
    const form = make("form", { method: "post", action: `${base}${path}` },
      make("button", { type: "submit", textContent: text }));
    form.addEventListener("submit", () => window.sessionStorage.clear());
    return form;
  };
  return make("section", {}, make("h2", { textContent: words.out }), make("p", { textContent: words.out_about }),
    make("div", { className: "out" }, way("/sign-out", words.sign_out), way("/sign-out-everywhere", words.sign_out_everywhere)));
}

export default function ({ data, parentElement }) {
  const main = parentElement.querySelector("main");
  const state = JSON.stringify(data);
  if (main.dataset.state === state) return;
  main.dataset.state = state;
  document.documentElement.lang = data.language;
  const parts = [languages(data)];
  if (data.secret) parts.push(passphrase(data));
  parts.push(signOut(data));
  main.replaceChildren(...parts);
}
