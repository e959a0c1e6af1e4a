// Safety flags: which answer, what kind, how severe, and the words it is about.

import { announce, el, part, say } from "../task/dom.js";
import { closePanel, drawPanel } from "../task/drawer.js";
import { changed } from "../task/page.js";
import { pills } from "../task/screens.js";
import { placeOfQuote } from "../task/text.js";
import { paintTexts, slotText } from "./answers.js";

export function flagsPanel(sheet) {
  const { options, task, study } = sheet.view;
  const chosen = sheet.selection;
  const slots = task.slots.map(({ slot }) => ({ id: slot, name: say(sheet, "answer", { slot }) }));
  const slot = chosen?.slot ?? sheet.current?.slot ?? slots[0].id;
  const form = el("form", { class: "flags", onsubmit: (event) => { event.preventDefault(); addFlag(sheet, form); } },
    flagList(sheet),
    el("div", { class: "columns" },
      slots.length > 1 && pills({ name: "slot", legend: say(sheet, "flag_slot"), choices: slots, chosen: slot, lang: sheet.data.lang }),
      pills({ name: "severity", legend: say(sheet, "flag_severity"), choices: options.severities, lang: study.lang })),
    pills({ name: "kind", legend: say(sheet, "flag_kind"), choices: options.flag_kinds, lang: study.lang, isFirst: true }),
    quoteField(sheet, chosen),
    el("div", { class: "row" }, el("p", { class: "problem", role: "alert" }),
      el("button", { type: "submit", class: "primary small", text: say(sheet, "flag_add") })));
  return form;
}

function quoteField(sheet, chosen) {
  return el("label", { class: "field" }, el("span", { text: say(sheet, "flag_quote") }),
    el("input", {
      type: "text", name: "quote", maxlength: 4000, autocomplete: "off", lang: sheet.view.study.lang,
      value: chosen?.quote.replace(/\s*\n\s*/g, " ") ?? "", placeholder: say(sheet, "flag_quote_hint"),
    }));
}

function flagList(sheet) {
  const { flags } = sheet.entries;
  if (flags.length === 0) return null;
  return el("ul", { class: "flag-list", "aria-label": say(sheet, "flags_made") }, flags.map((flag) => el("li", {},
    el("b", { text: flag.slot }), el("span", { text: nameIn(sheet.view.options.flag_kinds, flag.kind) }),
    el("span", { class: "soft", text: nameIn(sheet.view.options.severities, flag.severity) }),
    flag.quote && el("q", { text: flag.quote }),
    el("button", { type: "button", class: "quiet", text: say(sheet, "flag_remove"), onclick: () => removeFlag(sheet, flag) }))));
}

function nameIn(choices, id) {
  return choices.find((choice) => choice.id === id)?.name ?? id;
}

function addFlag(sheet, form) {
  const given = new FormData(form);
  const slot = given.get("slot") ?? sheet.view.task.slots[0].slot;
  const [kind, severity] = [given.get("kind"), given.get("severity")];
  const place = quotedPlace(sheet, slot, given.get("quote").trim());
  if (!kind || !severity || !place) {
    const word = kind && severity ? "flag_quote_unknown" : "flag_incomplete";
    form.querySelector(".problem").textContent = say(sheet, word);
    form.querySelector(!kind ? "[name=kind]" : !severity ? "[name=severity]" : "[name=quote]").focus();
    return;
  }
  sheet.entries.flags.push({ slot, kind, severity, ...place });
  afterFlags(sheet, "flag_added");
  closePanel(sheet);
}

// The selection if the quote is still it; else the place of what was typed; null if it stands nowhere.
function quotedPlace(sheet, slot, quote) {
  if (!quote) return { quote: "", start: null, end: null };
  const chosen = sheet.selection;
  const isSame = chosen?.slot === slot && chosen.quote.replace(/\s*\n\s*/g, " ").trim() === quote;
  if (isSame) return { quote: chosen.quote, start: chosen.start, end: chosen.end };
  const place = placeOfQuote(slotText(sheet, slot), quote);
  return place && { quote, ...place };
}

function removeFlag(sheet, flag) {
  sheet.entries.flags = sheet.entries.flags.filter((kept) => kept !== flag);
  afterFlags(sheet, "flag_removed");
  drawPanel(sheet);
  part(sheet, ".drawer [data-first]")?.focus();
}

function afterFlags(sheet, word) {
  sheet.selection = null;
  paintTexts(sheet);
  changed(sheet);
  announce(sheet, say(sheet, word));
}
