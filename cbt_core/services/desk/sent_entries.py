"""What a sheet or a marker sent, checked field by field: nothing from a browser is believed.

Types are checked before ranges: JSON `true`, `2.0` and `"2"` are not the score 2. Offsets are
Python string offsets into the stored text; the words at that place are cut out here.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cbt_core.domain.instrument import CANNOT_RATE, Instrument, Scale
from cbt_core.domain.labels import LabelMark, SpanMark
from cbt_core.domain.protocol import Sheet
from cbt_core.errors import Invalid
from db.labels import ProposalAnswer
from db.proposals import ProposalRow
from db.submissions import SlotFlag, SlotScore, SlotStep
from db.tasks import SlotRow

MAX_TEXT: Final = 4000
"""Characters a comment, note or quote may have."""

MAX_FLAGS: Final = 20
TIE: Final = "tie"

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingRules:
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
class CheckedRating:
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


def check_rating(sent: object, rules: RatingRules, *, is_correction: bool) -> CheckedRating:
    """Return the entries as they may be stored.

    Raises:
        Invalid: something is missing (`missing` names slot and scale) or out of range.
    """
    entries = _object(sent)
    missing: list[tuple[str | None, str]] = []
    scores = [*_answer_scores(entries, rules, missing), *_task_scores(entries, rules, missing)]
    steps = _steps(entries, rules, missing)
    preference = _preference(entries, rules, missing)
    reason = checked_text(entries, "reason")
    if is_correction and not reason.strip():
        missing.append((None, "reason"))
    if missing:
        raise Invalid("rating.missing", missing=tuple(missing), count=len(missing))
    return CheckedRating(
        scores=tuple(scores),
        steps=tuple(steps),
        flags=tuple(_flags(entries, rules)),
        preference=preference,
        comment=checked_text(entries, "comment") if rules.sheet.comment else "",
        confidence=_confidence(entries, rules),
        reason=reason,
    )


def check_meta(sent: object) -> Meta:
    """Return how the entries were made; unknown values are left out, never trusted."""
    meta = _object(sent)
    seconds = meta.get("active_seconds")
    width = meta.get("width")
    return Meta(
        layout=_known_choice(meta, "layout", {"side-by-side", "stacked"}),
        input=_known_choice(meta, "input", {"keyboard", "pointer", "touch", "mixed"}),
        lang=_known_choice(meta, "lang", {"zh", "en"}),
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


def _answer_scores(
    entries: Json, rules: RatingRules, missing: list[tuple[str | None, str]]
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
    entries: Json, rules: RatingRules, missing: list[tuple[str | None, str]]
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
    entries: Json, rules: RatingRules, missing: list[tuple[str | None, str]]
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
    entries: Json, rules: RatingRules, missing: list[tuple[str | None, str]]
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


def _flags(entries: Json, rules: RatingRules) -> list[SlotFlag]:
    sent = entries.get("flags") or []
    if not rules.sheet.flags:
        return []
    if not isinstance(sent, list) or len(sent) > MAX_FLAGS:
        raise Invalid("rating.too_long")
    return [_flag(_object(one), rules) for one in sent]


def _flag(sent: Json, rules: RatingRules) -> SlotFlag:
    slot, kind, severity = (sent.get(name) for name in ("slot", "kind", "severity"))
    row = next((row for row in rules.slots if row.slot == slot), None)
    if row is None or kind not in rules.flag_kinds or severity not in rules.severities:
        raise Invalid("rating.out_of_range", missing=((None, "flags"),))
    start, end = sent.get("start"), sent.get("end")
    if start is None and end is None:
        return SlotFlag(
            row.slot, row.answer_id, str(kind), str(severity), checked_text(sent, "quote")
        )
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(row.text):
        raise Invalid("rating.out_of_range", missing=((row.slot, "flags"),))
    quote = row.text[start:end]  # the stored text decides, not what the browser calls it
    return SlotFlag(row.slot, row.answer_id, str(kind), str(severity), quote, start, end)


def _confidence(entries: Json, rules: RatingRules) -> int | None:
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


def _known_choice(sent: Json, name: str, values: set[str]) -> str:
    value = sent.get(name)
    return value if isinstance(value, str) and value in values else ""


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return round(min(max(float(value), 0.0), 86_400.0), 1) if value == value else 0.0


def _refuse_unknown(sent: Json, known: set[str]) -> None:
    if not set(sent) <= known:
        raise Invalid("rating.malformed")


MAX_SPANS: Final = 200
FIELDS: Final = ("question", "description")
VERDICTS: Final = ("none", "unsure")
ANSWERS: Final = ("confirmed", "changed", "rejected")

Missing = list[tuple[str | None, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRules:
    """What this task's marker asks for: the scheme's labels, the texts, what a machine proposed."""

    labels: frozenset[str]
    texts: Mapping[str, str]
    proposals: Sequence[ProposalRow] = ()
    is_correction: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedLabels:
    """Labels that may be stored. `outcome` is labelled, none or unsure."""

    outcome: str
    labels: tuple[LabelMark, ...]
    spans: tuple[SpanMark, ...]
    answers: tuple[ProposalAnswer, ...]
    certainty: int | None
    note: str
    reason: str


def check_labels(sent: object, rules: LabelRules) -> CheckedLabels:
    """Return the labels as they may be stored: own ones and those adopted from proposals.

    Raises:
        Invalid: something is missing, unknown, out of range or contradicts itself.
    """
    entries = _object(sent)
    missing: Missing = []
    answers = _answers(entries, rules, missing)
    adopted = _adopted(answers, rules)
    own_whole = _whole(entries, rules)
    spans = _once((*_spans(entries, rules), *(one for one in adopted if isinstance(one, SpanMark))))
    labels = _labels(own_whole, [one for one in adopted if isinstance(one, LabelMark)], spans)
    verdict = _verdict(entries, bool(labels), missing)
    reason = checked_text(entries, "reason")
    if rules.is_correction and not reason.strip():
        missing.append((None, "reason"))
    if missing:
        raise Invalid("annotation.missing", missing=tuple(missing), count=len(missing))
    return CheckedLabels(
        outcome=verdict or "labelled", labels=labels, spans=spans, answers=tuple(answers),
        certainty=_certainty(entries), note=checked_text(entries, "note"), reason=reason,
    )


def _verdict(entries: Json, has_labels: bool, missing: Missing) -> str | None:
    verdict = entries.get("verdict")
    if verdict is None:
        if not has_labels:
            missing.append((None, "labels"))
        return None
    if not isinstance(verdict, str) or verdict not in VERDICTS:
        raise Invalid("annotation.out_of_range", missing=((None, "labels"),))
    if has_labels:
        raise Invalid("annotation.contradiction", missing=((None, "labels"),))
    return verdict


def _whole(entries: Json, rules: LabelRules) -> list[str]:
    sent = entries.get("labels") or []
    if not isinstance(sent, list):
        raise Invalid("rating.malformed")
    return list(dict.fromkeys(_known_label(one, rules) for one in sent))


def _spans(entries: Json, rules: LabelRules) -> list[SpanMark]:
    sent = entries.get("spans") or []
    if not isinstance(sent, list):
        raise Invalid("rating.malformed")
    if len(sent) > MAX_SPANS:
        raise Invalid("annotation.too_many", most=MAX_SPANS)
    return [_span(_object(one), rules) for one in sent]


def _span(sent: Json, rules: LabelRules, origin: str = "own") -> SpanMark:
    field, start, end = (sent.get(name) for name in ("field", "start", "end"))
    text = rules.texts.get(field) if isinstance(field, str) else None
    if text is None or type(start) is not int or type(end) is not int:
        raise Invalid("annotation.out_of_range", missing=((None, "spans"),))
    if not 0 <= start < end <= len(text) or not text[start:end].strip():
        raise Invalid("annotation.out_of_range", missing=((None, "spans"),))
    label = _known_label(sent.get("label"), rules)
    return SpanMark(str(field), start, end, label, text[start:end], origin)


def _answers(entries: Json, rules: LabelRules, missing: Missing) -> list[ProposalAnswer]:
    sent = _object(entries.get("answers") or {})
    known = {str(one.id) for one in rules.proposals}
    if not set(sent) <= known:
        raise Invalid("rating.malformed")
    found = []
    for one in rules.proposals:
        given = sent.get(str(one.id))
        if given is None:
            missing.append((None, f"proposal:{one.id}"))
        else:
            found.append(_answer(one, _object(given), rules))
    return found


def _answer(proposal: ProposalRow, sent: Json, rules: LabelRules) -> ProposalAnswer:
    answer = sent.get("answer")
    if not isinstance(answer, str) or answer not in ANSWERS:
        raise Invalid("annotation.out_of_range", missing=((None, f"proposal:{proposal.id}"),))
    if answer != "changed":
        return ProposalAnswer(proposal.id, answer)
    if sent.get("field"):
        place = _span(sent, rules)
        return ProposalAnswer(
            proposal.id, answer, place.label, place.field, place.start, place.end
        )
    return ProposalAnswer(proposal.id, answer, _known_label(sent.get("label"), rules))


def _adopted(
    answers: Sequence[ProposalAnswer], rules: LabelRules
) -> list[SpanMark | LabelMark]:
    """Return the marks that follow from confirmed and changed proposals."""
    by_id = {one.id: one for one in rules.proposals}
    found: list[SpanMark | LabelMark] = []
    for one in answers:
        if one.answer == "rejected":
            continue
        source = by_id[one.proposal_id] if one.answer == "confirmed" else one
        if source.field:
            place = {"field": source.field, "start": source.start, "end": source.end,
                     "label": source.label}
            found.append(_span(place, rules, "model"))
        else:
            found.append(LabelMark(_known_label(source.label, rules), whole=True, origin="model"))
    return found


def _once(spans: Iterable[SpanMark]) -> tuple[SpanMark, ...]:
    found: dict[tuple[str, int, int, str], SpanMark] = {}
    for one in spans:
        found.setdefault((one.field, one.start, one.end, one.label), one)
    return tuple(found.values())


def _labels(
    own_whole: Sequence[str], adopted: Sequence[LabelMark], spans: Sequence[SpanMark]
) -> tuple[LabelMark, ...]:
    """Return every label of the item once; it is adopted only where no own mark gives it."""
    whole = {*own_whole, *(one.label for one in adopted)}
    own = {*own_whole, *(one.label for one in spans if one.origin == "own")}
    every = sorted(whole | {one.label for one in spans})
    return tuple(
        LabelMark(name, name in whole, "own" if name in own else "model") for name in every
    )


def _known_label(label: object, rules: LabelRules) -> str:
    if not isinstance(label, str) or label not in rules.labels:
        raise Invalid("annotation.unknown_label", missing=((None, "labels"),))
    return label


def _certainty(entries: Json) -> int | None:
    value = entries.get("certainty")
    if value is None:
        return None
    if type(value) is not int or value not in {1, 2, 3}:
        raise Invalid("annotation.out_of_range", missing=((None, "certainty"),))
    return value


def checked_text(sent: Json, name: str) -> str:
    """Return a text a person wrote; empty when there is none.

    Raises:
        Invalid: it is no text, too long, or cannot be stored.
    """
    value = sent.get(name) or ""
    if not isinstance(value, str):
        raise Invalid("rating.malformed")
    if len(value) > MAX_TEXT:
        raise Invalid("rating.too_long")
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Invalid("rating.malformed")
    return value
