"""The span marker: what it asks for, what may be stored of it, what an annotator's browser gets.

A task has one or two rounds (`standing`): alone first, then with the machine's labels. Proposals
are in a view only in the round that shows them, and never with their provenance. Offsets are
Python string offsets into the stored text; the words at that place are cut out here.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cbt_core.domain.instrument import Label, Scheme
from cbt_core.domain.labels import (
    ItemLabels,
    LabelMark,
    LabelSubmission,
    Proposal,
    ProposalAnswer,
    SpanMark,
)
from cbt_core.domain.people import Person
from cbt_core.domain.study import Stage
from cbt_core.domain.study_setup import StudySetup
from cbt_core.domain.submission import TaskState, Work
from cbt_core.errors import Invalid
from cbt_core.instruments.shipped import defaults
from cbt_core.services.desk.frame import Progress, View, choices_view, frame, study_view
from cbt_core.services.desk.requests import (
    MAX_SPANS,
    Json,
    LabelEntries,
    Place,
    SentAnswer,
    SentSpan,
    read,
)
from db import labels, proposals, tasks
from db.audit import Payload
from db.engine import Connection
from db.tasks import TaskRow

FIELDS: Final = ("question", "description")
VERDICTS: Final = ("none", "unsure")
ANSWERS: Final = ("confirmed", "changed", "rejected")
AT_THE_END: Final = 2**31 - 1
"""A position behind every task."""

Missing = list[tuple[str | None, str]]

known = labels.by_token


# --- rounds -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Standing:
    """Where a label task stands.

    `round` is the one on the screen; `blind` and `model` the newest revision of each;
    `proposals` is empty unless the round shows them.
    """

    round: str
    blind: LabelSubmission | None
    model: LabelSubmission | None
    proposals: tuple[Proposal, ...]

    @property
    def stored(self) -> LabelSubmission | None:
        """Return the newest revision of the round on the screen."""
        return self.model if self.round == "model" else self.blind

    @property
    def is_correction(self) -> bool:
        """Tell whether a save now would replace labels of the same round."""
        return self.stored is not None and not self.stored.is_skip


def standing(connection: Connection, row: TaskRow, setup: StudySetup) -> Standing:
    """Return which round a task is in and what was stored of each.

    Once the proposals were shown, the blind round is never changed: a later correction belongs
    to the second round. A task that may only be read shows no proposals it has not shown before.
    """
    blind = labels.newest(connection, row.id, "blind")
    model = labels.newest(connection, row.id, "model")
    if model is None and not _turns_to_model(connection, row, setup.protocol.label_mode, blind):
        return Standing("blind", blind, None, ())
    return Standing("model", blind, model, tuple(proposals.of_item(connection, row.item_id)))


def _turns_to_model(
    connection: Connection, row: TaskRow, mode: str, blind: LabelSubmission | None
) -> bool:
    if row.stage != Stage.OPEN or mode == "blind":
        return False
    if mode == "correct":
        return blind is None
    was_labelled = blind is not None and not blind.is_skip
    return was_labelled and proposals.exist(connection, row.item_id)


# --- what may be stored -----------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRules:
    """What this task's marker asks for: the scheme's labels, the texts, what a machine proposed."""

    labels: frozenset[str]
    texts: Mapping[str, str]
    proposals: Sequence[Proposal] = ()
    is_correction: bool = False


def check(connection: Connection, row: TaskRow, setup: StudySetup, entries: Json) -> ItemLabels:
    """Return the entries of a task as they may be stored.

    Raises:
        Invalid: labels are missing, unknown or out of range.
    """
    here = standing(connection, row, setup)
    return check_labels(read_entries(entries), LabelRules(
        labels=frozenset(label.id for label in setup.scheme.labels),
        texts=dict(zip(FIELDS, (row.question, row.description), strict=True)),
        proposals=here.proposals,
        is_correction=here.is_correction,
    ))


def read_entries(sent: object) -> LabelEntries:
    """Return the entries of a marker, if they have its shape.

    Raises:
        Invalid: something is of another type, or too long.
    """
    return read(LabelEntries, sent, _misshapen)


def _misshapen(place: Place) -> Invalid | None:
    """Return what is said of a value of another type; None: no more than that it cannot be read."""
    match place:
        case ("spans", "too_long"):
            return Invalid("annotation.too_many", most=MAX_SPANS)
        case ("labels", int()) | (*_, "label"):
            return Invalid("annotation.unknown_label", missing=((None, "labels"),))
        case ("spans", int(), _):
            where = "spans"
        case ("answers", proposal, _):
            where = f"proposal:{proposal}"
        case ("certainty" as where,):
            pass
        case ("verdict",):
            where = "labels"
        case _:
            return None
    return Invalid("annotation.out_of_range", missing=((None, where),))


def check_labels(entries: LabelEntries, rules: LabelRules) -> ItemLabels:
    """Return the labels as they may be stored: own ones and those adopted from proposals.

    Raises:
        Invalid: something is missing, unknown, out of range or contradicts itself.
    """
    missing: Missing = []
    answers = _answers(entries, rules, missing)
    adopted = _adopted(answers, rules)
    own_whole = [_known_label(name, rules) for name in dict.fromkeys(entries.labels or ())]
    own_spans = [_span(span, rules) for span in entries.spans or ()]
    spans = _once((*own_spans, *(mark for mark in adopted if isinstance(mark, SpanMark))))
    marks = _labels(own_whole, [mark for mark in adopted if isinstance(mark, LabelMark)], spans)
    verdict = _verdict(entries, bool(marks), missing)
    reason = entries.reason or ""
    if rules.is_correction and not reason.strip():
        missing.append((None, "reason"))
    if missing:
        raise Invalid("annotation.missing", missing=tuple(missing), count=len(missing))
    if entries.certainty not in {None, 1, 2, 3}:
        raise Invalid("annotation.out_of_range", missing=((None, "certainty"),))
    return ItemLabels(
        outcome=verdict or "labelled", labels=marks, spans=spans, answers=tuple(answers),
        certainty=entries.certainty, note=entries.note or "", reason=reason,
    )


def _verdict(entries: LabelEntries, has_labels: bool, missing: Missing) -> str | None:
    verdict = entries.verdict
    if verdict is None:
        if not has_labels:
            missing.append((None, "labels"))
        return None
    if verdict not in VERDICTS:
        raise Invalid("annotation.out_of_range", missing=((None, "labels"),))
    if has_labels:
        raise Invalid("annotation.contradiction", missing=((None, "labels"),))
    return verdict


def _span(sent: SentSpan, rules: LabelRules, origin: str = "own") -> SpanMark:
    text, start, end = rules.texts.get(sent.field, ""), sent.start, sent.end
    if not 0 <= start < end <= len(text) or not text[start:end].strip():
        raise Invalid("annotation.out_of_range", missing=((None, "spans"),))
    label = _known_label(sent.label, rules)
    return SpanMark(sent.field, start, end, label, text[start:end], origin)


def _answers(
    entries: LabelEntries, rules: LabelRules, missing: Missing
) -> list[ProposalAnswer]:
    sent = entries.answers or {}
    if not set(sent) <= {str(proposal.id) for proposal in rules.proposals}:
        raise Invalid("rating.malformed")
    answers = []
    for proposal in rules.proposals:
        given = sent.get(str(proposal.id))
        if given is None:
            missing.append((None, f"proposal:{proposal.id}"))
        else:
            answers.append(_answer(proposal, given, rules))
    return answers


def _answer(proposal: Proposal, sent: SentAnswer, rules: LabelRules) -> ProposalAnswer:
    if sent.answer not in ANSWERS:
        raise Invalid("annotation.out_of_range", missing=((None, f"proposal:{proposal.id}"),))
    if sent.answer != "changed":
        return ProposalAnswer(proposal.id, sent.answer)
    if sent.field:
        place = _span(_place(sent), rules)
        return ProposalAnswer(
            proposal.id, sent.answer, place.label, place.field, place.start, place.end
        )
    return ProposalAnswer(proposal.id, sent.answer, _known_label(sent.label, rules))


def _place(source: SentAnswer | Proposal | ProposalAnswer) -> SentSpan:
    """Return the span an answer or a proposal names.

    Raises:
        Invalid: it names none.
    """
    return read(SentSpan, {
        "field": source.field, "start": source.start, "end": source.end,
        "label": source.label or "",
    }, lambda _: Invalid("annotation.out_of_range", missing=((None, "spans"),)))


def _adopted(
    answers: Sequence[ProposalAnswer], rules: LabelRules
) -> list[SpanMark | LabelMark]:
    """Return the marks that follow from confirmed and changed proposals."""
    by_id = {proposal.id: proposal for proposal in rules.proposals}
    marks: list[SpanMark | LabelMark] = []
    for answer in answers:
        if answer.answer == "rejected":
            continue
        source = by_id[answer.proposal_id] if answer.answer == "confirmed" else answer
        if source.field:
            marks.append(_span(_place(source), rules, "model"))
        else:
            marks.append(LabelMark(_known_label(source.label, rules), whole=True, origin="model"))
    return marks


def _once(spans: Iterable[SpanMark]) -> tuple[SpanMark, ...]:
    unique_spans: dict[tuple[str, int, int, str], SpanMark] = {}
    for span in spans:
        unique_spans.setdefault((span.field, span.start, span.end, span.label), span)
    return tuple(unique_spans.values())


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


def _known_label(label: str | None, rules: LabelRules) -> str:
    if label is None or label not in rules.labels:
        raise Invalid("annotation.unknown_label", missing=((None, "labels"),))
    return label


# --- storing ----------------------------------------------------------------------------------
def round_of(connection: Connection, row: TaskRow, setup: StudySetup) -> str:
    """Return the round a task is in."""
    return standing(connection, row, setup).round


def store(
    connection: Connection, row: TaskRow, new: LabelSubmission, setup: StudySetup, now: datetime
) -> TaskState:
    """Store a submission; return the task's state: `opened` while a round is still to come."""
    labels.add(connection, new, now)
    if not new.is_skip:
        is_last = standing(connection, row, setup).round == new.round
        return TaskState.DONE if is_last else TaskState.OPENED
    blind = labels.newest(connection, row.id, "blind")
    was_labelled = blind is not None and not blind.is_skip
    return TaskState.DONE if was_labelled else TaskState.SKIPPED


def trail(new: LabelSubmission) -> tuple[str, Payload]:
    """Return what the chain keeps: enough to rebuild the labels, but no word of a person."""
    skip = None if isinstance(new.content, ItemLabels) else new.content.reason
    given = new.content if isinstance(new.content, ItemLabels) else ItemLabels(outcome="skipped")
    return "labels", {
        "task": new.task_id, "round": new.round, "revision": new.revision,
        "outcome": given.outcome, "digest": new.digest, "certainty": given.certainty,
        "skip": skip,
        "labels": [[mark.label, mark.whole, mark.origin] for mark in given.labels],
        "spans": [[s.field, s.start, s.end, s.label, s.origin] for s in given.spans],
        "answers": [[a.proposal_id, a.answer, a.label] for a in given.answers],
    }


# --- what the browser gets --------------------------------------------------------------------
def task_view(connection: Connection, row: TaskRow, setup: StudySetup, person: Person) -> View:
    """Return a task as its annotator sees it."""
    return {
        **around(connection, row, setup, person),
        "state": "task",
        "task": _task(connection, row, setup),
        "scheme": scheme_view(setup.scheme, setup.protocol.language),
        "options": {
            "skip_reasons": choices_view(defaults().skip_reasons, setup.protocol.language)
        },
    }


def around(connection: Connection, row: TaskRow, setup: StudySetup, person: Person) -> View:
    """Return the view of a task without the task, but with the way back to the one before."""
    return {
        **frame(study_view(setup, person), Progress.of_task(row), "scheme"),
        "previous": labels.previous_token(
            connection, study_id=row.study_id, person_id=row.person_id, before=row.position
        ),
    }


def after(
    connection: Connection, row: TaskRow, setup: StudySetup, person: Person
) -> View | None:
    """Return the second round of a task just saved, where it has one; None where it is done."""
    saved = tasks.find(connection, row.token)
    if saved is None or saved.state != TaskState.OPENED or not saved.revision:
        return None
    return task_view(connection, saved, setup, person)


def finished(connection: Connection, setup: StudySetup, person: Person) -> View:
    """Return what is left when no task waits: thanks, and the way back to own work."""
    progress = Progress.at_the_end(connection, setup, person, Work.LABEL)
    return {
        **frame(study_view(setup, person), progress, "scheme"),
        "state": "done" if setup.study.stage == Stage.OPEN else "closed",
        "previous": labels.previous_token(
            connection, study_id=setup.study.id, person_id=person.id, before=AT_THE_END
        ),
    }


def _task(connection: Connection, row: TaskRow, setup: StudySetup) -> View:
    now = standing(connection, row, setup)
    draft = None if row.is_read_only else tasks.draft_of(connection, row.id)
    entries = json.loads(draft.entries) if draft else _entries(now)
    return {
        "task": row.token,
        "revision": row.revision,
        "round": now.round,
        "corrects": now.is_correction,
        "read_only": row.is_read_only,
        "risk": row.risk,
        "question": row.question,
        "description": row.description,
        "proposals": [
            {"id": str(one.id), "label": one.label, "field": one.field, "start": one.start,
             "end": one.end}
            for one in now.proposals
        ],
        "entries": entries,
        "draft_sequence": draft.sequence if draft else 0,
        "saved_at": now.stored.at if now.stored else None,
    }


def _entries(now: Standing) -> View | None:
    """Return what to begin with: the round's own labels, else those of the blind round."""
    stored = now.stored or now.blind
    if stored is None or not isinstance(stored.content, ItemLabels):
        return None
    given = stored.content
    return {
        "labels": [one.label for one in given.labels if one.whole and one.origin == "own"],
        "spans": [
            {"field": one.field, "start": one.start, "end": one.end, "label": one.label}
            for one in given.spans
            if one.origin == "own"
        ],
        "verdict": given.outcome if given.outcome in {"none", "unsure"} else None,
        "certainty": given.certainty,
        "note": given.note if stored is now.stored else "",
        "reason": "",
        "answers": {
            str(one.proposal_id): {
                "answer": one.answer, "label": one.label or None, "field": one.field or None,
                "start": one.start, "end": one.end,
            }
            for one in given.answers
        },
    }


def scheme_view(scheme: Scheme, language: str) -> View:
    """Return a label scheme in the study's language."""
    return {
        "name": scheme.name(language),
        "source": scheme.source(language),
        "labels": [_label(one, language) for one in scheme.labels],
    }


def _label(label: Label, language: str) -> View:
    return {
        "id": label.id,
        "name": label.name(language),
        "definition": label.definition(language),
        "examples": [example(language) for example in label.examples],
        "near_miss": label.near_miss(language),
    }
