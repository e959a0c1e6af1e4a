"""What the span marker sent, checked field by field: nothing from a browser is believed.

Offsets are Python string offsets into the stored text; the words at that place are cut out here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cbt_core.errors import Invalid
from cbt_core.services.entries import MAX_TEXT
from db.labels import LabelMark, ProposalAnswer, SpanMark
from db.proposals import ProposalRow

MAX_SPANS: Final = 200
FIELDS: Final = ("question", "description")
VERDICTS: Final = ("none", "unsure")
ANSWERS: Final = ("confirmed", "changed", "rejected")

Json = Mapping[str, object]
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


def check(sent: object, rules: LabelRules) -> CheckedLabels:
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
        raise Invalid("labelling.missing", missing=tuple(missing), count=len(missing))
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
        raise Invalid("labelling.out_of_range", missing=((None, "labels"),))
    if has_labels:
        raise Invalid("labelling.contradiction", missing=((None, "labels"),))
    return verdict


def _whole(entries: Json, rules: LabelRules) -> list[str]:
    sent = entries.get("labels") or []
    if not isinstance(sent, list):
        raise Invalid("rating.malformed")
    return list(dict.fromkeys(_known(one, rules) for one in sent))


def _spans(entries: Json, rules: LabelRules) -> list[SpanMark]:
    sent = entries.get("spans") or []
    if not isinstance(sent, list):
        raise Invalid("rating.malformed")
    if len(sent) > MAX_SPANS:
        raise Invalid("labelling.too_many", most=MAX_SPANS)
    return [_span(_object(one), rules) for one in sent]


def _span(sent: Json, rules: LabelRules, origin: str = "own") -> SpanMark:
    field, start, end = (sent.get(name) for name in ("field", "start", "end"))
    text = rules.texts.get(field) if isinstance(field, str) else None
    if text is None or type(start) is not int or type(end) is not int:
        raise Invalid("labelling.out_of_range", missing=((None, "spans"),))
    if not 0 <= start < end <= len(text) or not text[start:end].strip():
        raise Invalid("labelling.out_of_range", missing=((None, "spans"),))
    label = _known(sent.get("label"), rules)
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
        raise Invalid("labelling.out_of_range", missing=((None, f"proposal:{proposal.id}"),))
    if answer != "changed":
        return ProposalAnswer(proposal.id, answer)
    if sent.get("field"):
        place = _span(sent, rules)
        return ProposalAnswer(
            proposal.id, answer, place.label, place.field, place.start, place.end
        )
    return ProposalAnswer(proposal.id, answer, _known(sent.get("label"), rules))


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
            found.append(LabelMark(_known(source.label, rules), whole=True, origin="model"))
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


def _known(label: object, rules: LabelRules) -> str:
    if not isinstance(label, str) or label not in rules.labels:
        raise Invalid("labelling.unknown_label", missing=((None, "labels"),))
    return label


def _certainty(entries: Json) -> int | None:
    value = entries.get("certainty")
    if value is None:
        return None
    if type(value) is not int or value not in {1, 2, 3}:
        raise Invalid("labelling.out_of_range", missing=((None, "certainty"),))
    return value


def _object(sent: object) -> Json:
    if not isinstance(sent, dict):
        raise Invalid("rating.malformed")
    return sent


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
