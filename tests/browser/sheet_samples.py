"""Texts and instruments the sheet is tried with: written for these tests, nobody's real words."""

import tomllib
from pathlib import Path
from typing import Final

INSTRUMENTS: Final = Path(__file__).parents[2] / "cbt_core" / "instruments"

Json = dict[str, object]

_TEXTS: Final = tomllib.loads(
    (Path(__file__).parent / "sheet_samples.toml").read_text("utf-8"))

QUESTION: Final[dict[str, str]] = _TEXTS["question"]
DESCRIPTION: Final[dict[str, str]] = _TEXTS["description"]
STRUCTURED: Final[dict[str, str]] = _TEXTS["structured"]
PLAIN: Final[dict[str, str]] = _TEXTS["plain"]
LONGER: Final[dict[str, str]] = _TEXTS["longer"]


def answer(lang: str, *, structured: bool, characters: int) -> str:
    """Return an answer of about the given length."""
    text = (STRUCTURED if structured else PLAIN)[lang]
    while len(text) < characters:
        text += LONGER[lang]
    return text[:characters] if len(text) > characters + 60 else text


def scales(name: str, lang: str, *, level: str = "answer") -> list[Json]:
    """Return the scales of a shipped instrument as the sheet receives them."""
    read = tomllib.loads((INSTRUMENTS / f"{name}.toml").read_text("utf-8"))
    return [_scale(one, lang, level) for one in read["scales"]]


def nominal(lang: str, *, level: str = "answer") -> Json:
    """Return a yes / no / unsure question: values are names, not numbers."""
    words = {"zh": ("是", "否", "不确定"), "en": ("Yes", "No", "Unsure")}[lang]
    values = [{"value": n, "label": word, "anchor": ""} for n, word in enumerate(words, 1)]
    name = {"zh": "适合直接发送", "en": "Fit to send"}[lang]
    question = {"zh": "这个回答可以原样发给提问者吗？", "en": "Could it be sent as it is?"}[lang]
    return {"id": "fit", "level": level, "required": True, "cannot_rate": False, "name": name,
            "question": question, "values": values}


def steps(lang: str, when: str) -> Json:
    """Return the checklist of the shipped instrument."""
    read = tomllib.loads((INSTRUMENTS / "cbt-3.toml").read_text("utf-8"))
    return {
        "when": when, "name": "",
        "steps": [
            {"id": one["id"], "name": one["name"][lang], "definition": one["definition"][lang]}
            for one in read["steps"]
        ],
        "values": [
            {"value": one["value"], "label": one["label"][lang], "anchor": one["anchor"][lang]}
            for one in read["step_values"]
        ],
    }


def lists(lang: str) -> Json:
    """Return the lists of flag kinds, severities and reasons to skip."""
    read = tomllib.loads((INSTRUMENTS / "defaults.toml").read_text("utf-8"))
    return {
        name: [{"id": one["id"], "name": one["name"][lang]} for one in read[name]]
        for name in ("flag_kinds", "severities", "skip_reasons")
    }


def default_text(name: str, lang: str) -> str:
    """Return a default text of a study, such as its support text."""
    read = tomllib.loads((INSTRUMENTS / "defaults.toml").read_text("utf-8"))
    return str(read[name][lang])


def _scale(read: dict[str, object], lang: str, level: str) -> Json:
    def word(text: object) -> str:
        return str(text[lang]) if isinstance(text, dict) else str(text)

    values = read["values"]
    if not isinstance(values, list):
        raise TypeError("values of a scale are a list")
    return {
        "id": read["id"], "level": level, "required": read["required"],
        "cannot_rate": read["cannot_rate"], "name": word(read["name"]),
        "question": word(read["question"]),
        "values": [
            {"value": one["value"], "label": word(one["label"]), "anchor": word(one["anchor"])}
            for one in values
        ],
    }
