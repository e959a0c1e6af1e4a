"""From a reply to its parts: tolerant about the form, strict about what must be there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.generation.backend import Cause
from cbt_core.generation.loose_json import NotJson, loose_object
from cbt_core.generation.prompts import Form
from cbt_core.generation.schema import STEPS

THOUGHTS: Final = re.compile(r"^\s*<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL)
"""What reasoning models say to themselves before they answer: not part of the answer."""

SEVERAL: Final = re.compile(r"[|,，、;；/\n]+")
RISKS: Final = {
    "none": "none", "no": "none", "无": "none", "没有": "none", "无风险": "none",
    "possible": "possible", "low": "possible", "medium": "possible",
    "可能": "possible", "有可能": "possible", "低": "possible", "中": "possible",
    "high": "high", "高": "high",
}
NOTHING: Final = frozenset({"", "无", "没有", "暂无", "none", "null", "n/a", "no distortion"})
NAMES: Final = ("name", "label", "type", "distortion", "名称", "类型")
QUOTES: Final = ("evidence", "quote", "text", "证据", "原文")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The person's own words that a distortion was seen in; `label` is an id of the scheme."""

    label: str
    quote: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """The parts of a usable reply.

    `distortions` are ids of the scheme, each once; `unknown` are the names it does not hold, as
    written. `steps` maps each step of `schema.STEPS` to a sentence. `risk` is '' when not said.
    """

    answer: str
    steps: Mapping[str, str]
    distortions: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    unknown: tuple[str, ...] = ()
    risk: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a reply is of no use; `detail` never holds its words."""

    cause: Cause
    detail: str


def parse_reply(text: str, form: Form, scheme: Scheme | None = None) -> Parsed | Fault:
    """Return the parts of a reply that was asked for in this form.

    Without a scheme every distortion is kept as an unknown name.
    """
    said = THOUGHTS.sub("", text.lstrip("\ufeff")).strip()
    if not said:
        return Fault("empty", "no text")
    if form == "text":
        return Parsed(said, {})
    try:
        found = loose_object(said)
    except NotJson as error:
        return Fault("not_json", str(error))
    return _from_object(found, scheme)


def _from_object(found: Mapping[str, object], scheme: Scheme | None) -> Parsed | Fault:
    answer = found.get("answer")
    if not isinstance(answer, str):
        return Fault("wrong_schema", "answer is missing" if answer is None else "answer is no text")
    if not answer.strip():
        return Fault("empty", "answer is empty")
    if "distortions" not in found:
        return Fault("wrong_schema", "distortions is missing")
    entries = _entries(found["distortions"])
    if entries is None:
        return Fault("wrong_schema", "distortions is no list")
    known, evidence, unknown = _resolved(entries, scheme)
    risk = RISKS.get(_text(found.get("risk")).lower(), "")
    return Parsed(answer.strip(), _steps(found.get("steps")), known, evidence, unknown, risk)


def _entries(value: object) -> list[tuple[str, str]] | None:
    """Return (name, quote) of every distortion, or None if they cannot be told."""
    if value is None:
        return []
    if isinstance(value, str):
        return [(one, "") for one in SEVERAL.split(value) if not _is_nothing(one)]
    if isinstance(value, dict):
        return [(str(name), _text(quote)) for name, quote in value.items()]
    if not isinstance(value, list):
        return None
    found = [_entry(one) for one in value]
    if None in found:
        return None
    return [one for one in found if one and not _is_nothing(one[0])]


def _entry(value: object) -> tuple[str, str] | None:
    if isinstance(value, str):
        return value, ""
    if not isinstance(value, dict):
        return None
    name = next((value[key] for key in NAMES if key in value), None)
    quote = next((value[key] for key in QUOTES if key in value), "")
    return (name, _text(quote)) if isinstance(name, str) else None


def _text(value: object) -> str:
    if isinstance(value, list):
        return "；".join(_text(one) for one in value)
    return value.strip() if isinstance(value, str) else ""


def _is_nothing(name: str) -> bool:
    return name.strip().lower() in NOTHING


def _resolved(
    entries: list[tuple[str, str]], scheme: Scheme | None
) -> tuple[tuple[str, ...], tuple[Evidence, ...], tuple[str, ...]]:
    """Return ids of the scheme, the evidence for them, and names the scheme does not hold."""
    known: dict[str, None] = {}
    unknown: dict[str, None] = {}
    evidence: list[Evidence] = []
    for name, quote in entries:
        label = scheme.find(name) if scheme else None
        if label is None:
            unknown[name.strip()] = None
            continue
        known[label.id] = None
        if quote:
            evidence.append(Evidence(label.id, quote))
    return tuple(known), tuple(evidence), tuple(unknown)


def _steps(value: object) -> dict[str, str]:
    """Return the steps a reply marks, by name, by number, or in their order."""
    if isinstance(value, list):
        value = dict(zip(STEPS, value, strict=False))
    if not isinstance(value, dict):
        return {}
    found = {
        step: _text(value.get(step, value.get(str(number))))
        for number, step in enumerate(STEPS, start=1)
    }
    return {step: said for step, said in found.items() if said}
