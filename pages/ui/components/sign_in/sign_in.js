const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

const field = (name, label, properties) => {
  const input = make("input", { name, id: `concord-${name}`, required: true, ...properties });
  return make("div", { className: "field" }, make("label", { htmlFor: input.id, textContent: label }), input);
};

function credentials({ base, words, language }) {
  const secret = field("secret", words.secret, { type: "password", autocomplete: "current-password", maxLength: 200 });
  const shown = make("input", { type: "checkbox" });
  shown.addEventListener("change", () => {
    secret.querySelector("input").type = shown.checked ? "text" : "password";
  });
  return make("form", { method: "post", action: `${base}/sign-in`, className: "credentials" },
    field("code", words.code, { autocomplete: "username", maxLength: 40, spellcheck: false, autocapitalize: "characters" }),
    secret,
    make("input", { type: "hidden", name: "language", value: language }),
    make("label", { className: "show" }, shown, make("span", { textContent: words.show })),
    make("button", { type: "submit", className: "primary", textContent: words.submit }));
}

function demonstration({ base, words, language }) {
  const buttons = ["rater", "annotator", "lead"].map((role) =>
    make("form", { method: "post", action: `${base}/sign-in/demonstration` },
      make("input", { type: "hidden", name: "role", value: role }),
      make("input", { type: "hidden", name: "language", value: language }),
      make("button", { type: "submit", className: "demo" },
        make("b", { textContent: words[`demo_${role}`] }),
        make("span", { textContent: words[`demo_${role}_does`] }))));
  return make("section", { className: "demonstration" },
    make("h2", { textContent: words.demo_title }),
    make("p", { textContent: words.demo_about }),
    make("div", { className: "buttons" }, ...buttons));
}

export default function ({ data, parentElement }) {
  const main = parentElement.querySelector("main");
  const state = JSON.stringify(data);
  if (main.dataset.state === state) return;
  main.dataset.state = state;
  document.documentElement.lang = data.language;
  if (data.ticket) {
    const form = make("form", { method: "post", action: `${data.base}/sign-in/verified` },
      make("input", { type: "hidden", name: "token", value: data.ticket }));
    main.replaceChildren(form);
    form.submit();
    return;
  }
  const message = make("p", { className: "message", role: "alert", textContent: data.message, hidden: !data.message });
  const parts = [
    make("header", {}, make("h1", { textContent: data.words.title }), make("p", { textContent: data.words.about })),
    message, credentials(data), make("p", { className: "help", textContent: data.words.lost })];
  if (data.demonstration) parts.push(demonstration(data));
  parts.push(make("p", { className: "notice", textContent: data.words.notice }));
  main.replaceChildren(...parts);
  main.querySelector("input[name=code]").focus();
}
