"""From a reply to its parts: tolerant about the form, strict about what must be there.

JSON is taken as models write it: in fences, with prose around, trailing commas, full-width marks.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.generation.backend.exchange import STEPS, Cause
from cbt_core.generation.tasks.prompts import ReplyForm

TOKEN: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"|“(?:[^”\\]|\\.)*”|＂(?:[^＂\\]|\\.)*＂|[{}\[\]｛｝［］【】,，、:：]|[^"“＂{}\[\]｛｝［］【】,，、:：]+|.',
    re.DOTALL,
)
PLAIN: Final = {
    "｛": "{", "｝": "}", "［": "[", "］": "]", "【": "[", "】": "]", "，": ",", "、": ",",
    "：": ":",
}
OPENING: Final = frozenset("{[｛［【")
CLOSING: Final = frozenset("}]｝］】")
LONGEST: Final = 200_000
"""Characters; a reply beyond this is not one object of ours."""


class NotJson(ValueError):  # noqa: N818 - a finding about a reply, not a fault of ours
    """There is no object to be read; `args[0]` says why, without the reply's words."""


def loose_object(text: str) -> dict[str, object]:
    """Return the first JSON object of a text.

    Raises:
        NotJson: there is none, it is cut off, or none can be read.
    """
    if len(text) > LONGEST:
        raise NotJson("too long")
    fields = _read(text)
    start = _next_brace(text, 0)
    if fields is None and start < 0:
        raise NotJson("no JSON object")
    while fields is None and start >= 0:
        candidate, end = mended(text, start)
        fields = _read(candidate)
        start = _next_brace(text, end)
    if fields is None:
        raise NotJson("not readable as JSON")
    return fields


def mended(text: str, start: int = 0) -> tuple[str, int]:
    """Return the object that begins at `start` in plain JSON, and where it ends.

    Raises:
        NotJson: it does not end.
    """
    kept: list[str] = []
    depth = 0
    for match in TOKEN.finditer(text, start):
        token = match[0]
        _take(token, kept)
        depth += (token in OPENING) - (token in CLOSING)
        if depth == 0:
            return "".join(kept), match.end()
    raise NotJson("cut off before its end")


def _next_brace(text: str, after: int) -> int:
    places = (text.find(brace, after) for brace in "{｛")
    return min((at for at in places if at >= 0), default=-1)


def _take(token: str, kept: list[str]) -> None:
    """Keep a token in plain JSON; a comma before a closing mark is dropped."""
    if len(token) > 1 and token[0] in '“＂':
        token = json.dumps(_unquoted(token), ensure_ascii=False)
    if token in CLOSING:
        while kept and (kept[-1] == "," or kept[-1].isspace()):
            kept.pop()
    kept.append(PLAIN.get(token, token))


def _unquoted(token: str) -> str:
    return token[1:-1].replace('\\"', '"').replace("\\n", "\n")


def _read(text: str) -> dict[str, object] | None:
    try:
        content = json.loads(text, strict=False)  # line ends inside a text are no reason to refuse
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


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


def parse_reply(text: str, form: ReplyForm, scheme: Scheme | None = None) -> Parsed | Fault:
    """Return the parts of a reply that was asked for in this form.

    Without a scheme every distortion is kept as an unknown name.
    """
    reply = THOUGHTS.sub("", text.lstrip("\ufeff")).strip()
    if not reply:
        return Fault("empty", "no text")
    if form == "text":
        return Parsed(reply, {})
    try:
        fields = loose_object(reply)
    except NotJson as error:
        return Fault("not_json", str(error))
    return _from_object(fields, scheme)


def _from_object(fields: Mapping[str, object], scheme: Scheme | None) -> Parsed | Fault:
    answer = fields.get("answer")
    if not isinstance(answer, str):
        return Fault("wrong_schema", "answer is missing" if answer is None else "answer is no text")
    if not answer.strip():
        return Fault("empty", "answer is empty")
    if "distortions" not in fields:
        return Fault("wrong_schema", "distortions is missing")
    entries = _entries(fields["distortions"])
    if entries is None:
        return Fault("wrong_schema", "distortions is no list")
    known, evidence, unknown = _resolved(entries, scheme)
    risk = RISKS.get(_text(fields.get("risk")).lower(), "")
    return Parsed(answer.strip(), _steps(fields.get("steps")), known, evidence, unknown, risk)


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
    pairs = [_entry(one) for one in value]
    if None in pairs:
        return None
    return [one for one in pairs if one and not _is_nothing(one[0])]


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
    sentences = {
        step: _text(value.get(step, value.get(str(number))))
        for number, step in enumerate(STEPS, start=1)
    }
    return {step: said for step, said in sentences.items() if said}
