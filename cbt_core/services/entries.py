"""What a sheet sent, checked field by field: nothing from a browser is believed.

Types are checked before ranges: JSON `true`, `2.0` and `"2"` are not the score 2.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cbt_core.domain.instrument import CANNOT_RATE, Instrument, Scale
from cbt_core.domain.protocol import Sheet
from cbt_core.errors import Invalid
from db.submissions import SlotFlag, SlotScore, SlotStep
from db.tasks import SlotRow

MAX_TEXT: Final = 4000
"""Characters a comment, note or quote may have."""

MAX_FLAGS: Final = 20
TIE: Final = "tie"

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What this task's sheet asks for: the instrument, its options and known ids."""

    instrument: Instrument
    sheet: Sheet
    slots: Sequence[SlotRow]
    steps_asked: bool
    flag_kinds: frozenset[str]
    severities: frozenset[str]

    def answer_id(self, slot: str) -> int | None:
        """Return the answer standing in a slot; None for an unknown slot."""
        return next((row.answer_id for row in self.slots if row.slot == slot), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Entries that may be stored."""

    scores: tuple[SlotScore, ...]
    steps: tuple[SlotStep, ...]
    flags: tuple[SlotFlag, ...]
    preference: tuple[str, int | None] | None
    comment: str
    confidence: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """How the entries were made: layout, input kind, seconds of attention, language, width."""

    layout: str = ""
    input: str = ""
    lang: str = ""
    active_seconds: float = 0.0
    width: int | None = None


def check(sent: object, rules: Rules, *, is_correction: bool) -> Checked:
    """Return the entries as they may be stored.

    Raises:
        Invalid: something is missing (`missing` names slot and scale) or out of range.
    """
    entries = _object(sent)
    missing: list[tuple[str | None, str]] = []
    scores = [*_answer_scores(entries, rules, missing), *_task_scores(entries, rules, missing)]
    steps = _steps(entries, rules, missing)
    preference = _preference(entries, rules, missing)
    reason = _text(entries, "reason")
    if is_correction and not reason.strip():
        missing.append((None, "reason"))
    if missing:
        raise Invalid("rating.missing", missing=tuple(missing), count=len(missing))
    return Checked(
        scores=tuple(scores),
        steps=tuple(steps),
        flags=tuple(_flags(entries, rules)),
        preference=preference,
        comment=_text(entries, "comment") if rules.sheet.comment else "",
        confidence=_confidence(entries, rules),
        reason=reason,
    )


def check_meta(sent: object) -> Meta:
    """Return how the entries were made; unknown values are left out, never trusted."""
    meta = _object(sent)
    seconds = meta.get("active_seconds")
    width = meta.get("width")
    return Meta(
        layout=_known(meta, "layout", {"side-by-side", "stacked"}),
        input=_known(meta, "input", {"keyboard", "pointer", "touch", "mixed"}),
        lang=_known(meta, "lang", {"zh", "en"}),
        active_seconds=_seconds(seconds),
        width=width if type(width) is int and 0 < width < 100_000 else None,
    )


def check_draft(sent: object) -> str:
    """Return a draft as JSON text: kept as it is, since it may be half done.

    Raises:
        Invalid: it is no object, or far larger than any sheet.
    """
    text = json.dumps(_object(sent), ensure_ascii=False, separators=(",", ":"))
    if len(text) > 10 * MAX_TEXT:
        raise Invalid("rating.too_long")
    return text


def digest(*parts: object) -> str:
    """Return the SHA-256 of what was sent, so that a repeated token can be compared."""
    body = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


def _answer_scores(
    entries: Json, rules: Rules, missing: list[tuple[str | None, str]]
) -> list[SlotScore]:
    sent = _object(entries.get("scores") or {})
    found = []
    for row in rules.slots:
        given = _object(sent.get(row.slot) or {})
        for scale in rules.instrument.scales:
            if scale.level != "answer":
                continue
            found += _score(scale, given.get(scale.id), missing, row)
    _refuse_unknown(sent, {row.slot for row in rules.slots})
    return found


def _task_scores(
    entries: Json, rules: Rules, missing: list[tuple[str | None, str]]
) -> list[SlotScore]:
    given = _object(entries.get("task_scores") or {})
    found = []
    for scale in rules.instrument.scales:
        if scale.level == "task":
            found += _score(scale, given.get(scale.id), missing, None)
    return found


def _score(
    scale: Scale,
    value: object,
    missing: list[tuple[str | None, str]],
    row: SlotRow | None,
) -> list[SlotScore]:
    slot, answer_id = (row.slot, row.answer_id) if row else ("", None)
    if value is None:
        if scale.required:
            missing.append((slot or None, scale.id))
        return []
    if value == CANNOT_RATE and scale.cannot_rate:
        return [SlotScore(slot, answer_id, scale.id, None, CANNOT_RATE)]
    if type(value) is not int or not scale.allows(value):
        raise Invalid("rating.out_of_range", missing=((slot or None, scale.id),))
    return [SlotScore(slot, answer_id, scale.id, value)]


def _steps(
    entries: Json, rules: Rules, missing: list[tuple[str | None, str]]
) -> list[SlotStep]:
    if not rules.steps_asked:
        return []
    sent = _object(entries.get("steps") or {})
    allowed = {choice.value for choice in rules.instrument.step_values}
    found = []
    for row in rules.slots:
        given = _object(sent.get(row.slot) or {})
        for step in rules.instrument.steps:
            value = given.get(step.id)
            if value is None:
                missing.append((row.slot, f"step:{step.id}"))
            elif type(value) is not int or value not in allowed:
                raise Invalid("rating.out_of_range", missing=((row.slot, f"step:{step.id}"),))
            else:
                found.append(SlotStep(row.slot, row.answer_id, step.id, value))
    return found


def _preference(
    entries: Json, rules: Rules, missing: list[tuple[str | None, str]]
) -> tuple[str, int | None] | None:
    choice = entries.get("preference")
    if rules.sheet.preference == "off" or len(rules.slots) < 2:
        return None
    if choice is None:
        if rules.sheet.preference == "required":
            missing.append((None, "preference"))
        return None
    if choice == TIE:
        return (TIE, None)
    answer_id = rules.answer_id(choice) if isinstance(choice, str) else None
    if answer_id is None:
        raise Invalid("rating.out_of_range", missing=((None, "preference"),))
    return (str(choice), answer_id)


def _flags(entries: Json, rules: Rules) -> list[SlotFlag]:
    sent = entries.get("flags") or []
    if not rules.sheet.flags:
        return []
    if not isinstance(sent, list) or len(sent) > MAX_FLAGS:
        raise Invalid("rating.too_long")
    return [_flag(_object(one), rules) for one in sent]


def _flag(sent: Json, rules: Rules) -> SlotFlag:
    slot, kind, severity = (sent.get(name) for name in ("slot", "kind", "severity"))
    row = next((row for row in rules.slots if row.slot == slot), None)
    if row is None or kind not in rules.flag_kinds or severity not in rules.severities:
        raise Invalid("rating.out_of_range", missing=((None, "flags"),))
    start, end = sent.get("start"), sent.get("end")
    if start is None and end is None:
        return SlotFlag(row.slot, row.answer_id, str(kind), str(severity), _text(sent, "quote"))
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(row.text):
        raise Invalid("rating.out_of_range", missing=((row.slot, "flags"),))
    quote = row.text[start:end]  # the stored text decides, not what the browser calls it
    return SlotFlag(row.slot, row.answer_id, str(kind), str(severity), quote, start, end)


def _confidence(entries: Json, rules: Rules) -> int | None:
    value = entries.get("confidence")
    if not rules.sheet.confidence or value is None:
        return None
    if type(value) is not int or value not in {1, 2, 3}:
        raise Invalid("rating.out_of_range", missing=((None, "confidence"),))
    return value


def _object(sent: object) -> Json:
    if not isinstance(sent, dict):
        raise Invalid("rating.malformed")
    return sent


def _text(sent: Json, name: str) -> str:
    value = sent.get(name) or ""
    if not isinstance(value, str):
        raise Invalid("rating.malformed")
    if len(value) > MAX_TEXT:
        raise Invalid("rating.too_long")
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Invalid("rating.malformed")
    return value


def _known(sent: Json, name: str, values: set[str]) -> str:
    value = sent.get(name)
    return value if isinstance(value, str) and value in values else ""


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return round(min(max(float(value), 0.0), 86_400.0), 1) if value == value else 0.0


def _refuse_unknown(sent: Json, known: set[str]) -> None:
    if not set(sent) <= known:
        raise Invalid("rating.malformed")
