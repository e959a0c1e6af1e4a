"""What a rater's or annotator's browser receives: blinded, in the study's language, as JSON.

Built from rows that hold no system name: it cannot leak what it was never given. A machine's
proposals are in it only in the round that shows them, and never with their provenance.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from time import time_ns
from typing import Final

from cbt_core.domain.instrument import (
    CANNOT_RATE,
    Choice,
    Instrument,
    Label,
    Scale,
    ScaleValue,
    Scheme,
)
from cbt_core.domain.people import Person
from cbt_core.domain.protocol import Practice, Protocol, Raters
from cbt_core.domain.study import Stage
from cbt_core.domain.study_setup import StudySetup
from cbt_core.domain.submission import PENDING, Work
from cbt_core.instruments.defaults import defaults
from db import labels, proposals, seats, submissions, tasks
from db.engine import Connection
from db.labels import StoredLabels
from db.proposals import ProposalRow
from db.submissions import Stored
from db.tasks import TaskRow

View = dict[str, object]

SECONDS_PER_RATING: Final = 270.0
"""Time left before a rater's own pace is known: a pair takes 4-5 minutes to read and judge."""

OWN_PACE_AFTER: Final = 3


def sheet_of(
    connection: Connection, row: TaskRow, setup: StudySetup, person: Person
) -> View:
    """Return a task as its rater sees it."""
    return {
        **_sheet_frame(row, setup, person),
        "state": "task",
        "task": _rating_task(connection, row),
        "instrument": _instrument(setup.instrument, setup.protocol, row.token),
        "options": _options(setup.protocol),
    }


def sheet_pause(row: TaskRow, setup: StudySetup, person: Person) -> View:
    """Return the break screen: minutes worked and risk-marked items since the last break."""
    return {
        **_sheet_frame(row, setup, person),
        "state": "break",
        "break": {
            "minutes": round((row.seconds - row.seconds_at_break) / 60),
            "risk_items": row.risk_items,
        },
    }


def sheet_feedback(
    connection: Connection, row: TaskRow, practice: Practice, setup: StudySetup, person: Person
) -> View:
    """Return what the key of a calibration item says beside the scores just given."""
    stored = submissions.newest(connection, row.id)
    given = {(s.slot, s.scale): s.value for s in stored.scores} if stored else {}
    language = setup.protocol.language
    marks = [
        {"slot": slot, "scale": setup.instrument.scale(scale).name(language),
         "given": given.get((slot, scale)), "expected": expected,
         "reason": practice.reasons.get(slot, {}).get(scale, "")}
        for slot, scales in practice.key.items()
        for scale, expected in scales.items()
    ]
    return {
        **_sheet_frame(row, setup, person),
        "state": "feedback",
        "feedback": {"author": practice.author, "question": row.question, "marks": marks},
    }


def sheet_finished(connection: Connection, person: Person, setup: StudySetup) -> View:
    """Return what is left when no task waits: the closing questions, or thanks."""
    seat = seats.find(connection, study_id=setup.study.id, person_id=person.id)
    done, total = (seat.done, seat.total) if seat else (0, 0)
    has_final = seat is not None and seat.final_at is not None
    closing = setup.protocol.raters.arm_guess and total > 0 and not has_final
    is_open = setup.study.stage == Stage.OPEN
    return {
        "state": "guess" if closing and is_open else ("done" if is_open else "closed"),
        "sequence": time_ns() // 1000,
        "study": _sheet_study(setup, person),
        "progress": {"done": done, "total": total, "minutes_left": 0, "number": done},
        "task": None,
        "instrument": None,
        "options": None,
    }


def break_is_due(row: TaskRow, raters: Raters) -> bool:
    """Tell whether it is time to offer a break (0 in the protocol: never)."""
    minutes = (row.seconds - row.seconds_at_break) / 60
    by_time = 0 < raters.break_after_minutes <= minutes
    by_risk = 0 < raters.break_after_risk_items <= row.risk_items
    return by_time or by_risk


def steps_asked(setting: str, token: str) -> str | None:
    """Return when the checklist is asked for this task: before, after, or not at all.

    ``sample:0.3`` asks at a random 30 % of the tasks; the task's own token is the die, so
    re-opening a task asks the same.
    """
    if setting in {"before", "after"}:
        return setting
    if setting.startswith("sample:"):
        die = int.from_bytes(sha256(token.encode()).digest()[:4], "big") / 2**32
        return "after" if die < float(setting.removeprefix("sample:")) else None
    return None


def _sheet_frame(row: TaskRow, setup: StudySetup, person: Person) -> View:
    left = None if row.total <= row.done else _rating_minutes_left(row)
    is_new = row.state in PENDING
    return {
        "sequence": time_ns() // 1000,
        "study": _sheet_study(setup, person),
        "progress": {
            "done": row.done,
            "total": row.total,
            "minutes_left": left,
            "number": row.done + 1 if is_new else row.position,
        },
        "task": None,
        "instrument": None,
        "options": None,
    }


def _rating_minutes_left(row: TaskRow) -> int:
    pace = row.seconds / row.done if row.done >= OWN_PACE_AFTER else SECONDS_PER_RATING
    return max(1, round((row.total - row.done) * pace / 60))


def _sheet_study(setup: StudySetup, person: Person) -> View:
    support = setup.protocol.support_text or defaults().support_text
    language = person.language or setup.protocol.language
    return {
        "slug": setup.study.slug,
        "title": setup.study.title,
        "lang": setup.protocol.language,
        "support_text": support(language),
        "notice": defaults().ai_notice(language),
    }


def _rating_task(connection: Connection, row: TaskRow) -> View:
    slots = tasks.slots(connection, row.id)
    is_closed = row.stage != Stage.OPEN or row.final_at is not None
    draft = None if is_closed else tasks.draft_of(connection, row.id)
    stored = submissions.newest(connection, row.id) if row.revision else None
    entries: object = None
    if draft is not None:
        entries = json.loads(draft.entries)
    elif stored is not None:
        entries = _rating_entries(stored)
    return {
        "task": row.token,
        "kind": "main",  # repeats and quality checks look like every other task
        "revision": row.revision,
        "read_only": is_closed,
        "risk": row.risk,
        "question": row.question,
        "description": row.description,
        "slots": [{"slot": slot.slot, "text": slot.text} for slot in slots],
        "entries": entries,
        "draft_sequence": draft.sequence if draft else 0,
        "saved_at": stored.at if stored else None,
    }


def _rating_entries(stored: Stored) -> View:
    scores: dict[str, dict[str, object]] = {}
    whole: dict[str, object] = {}
    for score in stored.scores:
        value: object = CANNOT_RATE if score.value is None else score.value
        (scores.setdefault(score.slot, {}) if score.slot else whole)[score.scale] = value
    steps: dict[str, dict[str, int]] = {}
    for step in stored.steps:
        steps.setdefault(step.slot, {})[step.step] = step.value
    return {
        "scores": scores,
        "task_scores": whole,
        "steps": steps,
        "preference": stored.preference,
        "flags": [
            {"slot": f.slot, "kind": f.kind, "severity": f.severity, "quote": f.quote,
             "start": f.start, "end": f.end}
            for f in stored.flags
        ],
        "comment": stored.comment,
        "confidence": stored.confidence,
        "reason": "",
    }


def _instrument(instrument: Instrument, protocol: Protocol, token: str) -> View:
    language = protocol.language
    when = steps_asked(protocol.steps, token)
    return {
        "name": instrument.name(language),
        "scales": [_scale(scale, language) for scale in instrument.scales],
        "steps": None if when is None else {
            "when": when,
            "name": "",
            "steps": [
                {"id": step.id, "name": step.name(language),
                 "definition": step.definition(language)}
                for step in instrument.steps
            ],
            "values": [_value(value, language) for value in instrument.step_values],
        },
    }


def _scale(scale: Scale, language: str) -> View:
    return {
        "id": scale.id,
        "level": scale.level,
        "required": scale.required,
        "cannot_rate": scale.cannot_rate,
        "name": scale.name(language),
        "question": scale.question(language),
        "values": [_value(value, language) for value in scale.values],
    }


def _value(value: ScaleValue, language: str) -> View:
    return {
        "value": value.value, "label": value.label(language), "anchor": value.anchor(language)
    }


def _options(protocol: Protocol) -> View:
    sheet, language = protocol.sheet, protocol.language
    return {
        "preference": sheet.preference,
        "confidence": sheet.confidence,
        "flags": sheet.flags,
        "comment": sheet.comment,
        "flag_kinds": _choices(defaults().flag_kinds, language),
        "severities": _choices(defaults().severities, language),
        "skip_reasons": _choices(defaults().skip_reasons, language),
    }


def _choices(choices: tuple[Choice, ...], language: str) -> list[View]:
    return [{"id": choice.id, "name": choice.name(language)} for choice in choices]


SECONDS_PER_LABEL_TASK: Final = 60.0
"""Time left before an annotator's own pace is known."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a label task stands.

    `round` is the one on the screen; `blind` and `model` the newest revision of each;
    `proposals` is empty unless the round shows them.
    """

    round: str
    blind: StoredLabels | None
    model: StoredLabels | None
    proposals: tuple[ProposalRow, ...]

    @property
    def stored(self) -> StoredLabels | None:
        """Return the newest revision of the round on the screen."""
        return self.model if self.round == "model" else self.blind

    @property
    def is_correction(self) -> bool:
        """Tell whether a save now would replace labels of the same round."""
        return self.stored is not None and self.stored.outcome != "skipped"


def standing(connection: Connection, row: TaskRow, mode: str) -> Standing:
    """Return which round a task is in and what was stored of each.

    Once the proposals were shown, the blind round is never changed: a later correction belongs
    to the second round. A task that may only be read shows no proposals it has not shown before.
    """
    blind = labels.newest(connection, row.id, "blind")
    model = labels.newest(connection, row.id, "model")
    if model is None and not _turns_to_model(connection, row, mode, blind):
        return Standing("blind", blind, None, ())
    return Standing("model", blind, model, tuple(proposals.of_item(connection, row.item_id)))


def _turns_to_model(
    connection: Connection, row: TaskRow, mode: str, blind: StoredLabels | None
) -> bool:
    if row.stage != Stage.OPEN or mode == "blind":
        return False
    if mode == "correct":
        return blind is None
    was_labelled = blind is not None and blind.outcome != "skipped"
    return was_labelled and proposals.exist(connection, row.item_id)


def marker_of(
    connection: Connection, row: TaskRow, setup: StudySetup, person: Person
) -> View:
    """Return a task as its annotator sees it."""
    return {
        **_marker_frame(connection, row, setup, person),
        "state": "task",
        "task": _label_task(connection, row, setup),
        "scheme": scheme_view(setup.scheme, setup.protocol.language),
        "options": {"skip_reasons": _choices(defaults().skip_reasons, setup.protocol.language)},
    }


def marker_pause(connection: Connection, row: TaskRow, setup: StudySetup, person: Person) -> View:
    """Return the break screen: minutes worked and risk-marked items since the last break."""
    minutes = round((row.seconds - row.seconds_at_break) / 60)
    return {
        **_marker_frame(connection, row, setup, person),
        "state": "break",
        "break": {"minutes": minutes, "risk_items": row.risk_items},
    }


def marker_finished(connection: Connection, person: Person, setup: StudySetup) -> View:
    """Return what is left when no task waits: thanks, and the way back to own work."""
    study_id = setup.study.id
    seat = seats.find(connection, study_id=study_id, person_id=person.id, work=Work.LABEL)
    done, total = (seat.done, seat.total) if seat else (0, 0)
    return {
        "state": "done" if setup.study.stage == Stage.OPEN else "closed",
        "sequence": time_ns() // 1000,
        "study": study_view(setup, person),
        "progress": {"done": done, "total": total, "minutes_left": 0, "number": done},
        "previous": labels.previous_token(
            connection, study_id=study_id, person_id=person.id, before=2**31 - 1
        ),
        "task": None,
        "scheme": None,
        "options": None,
    }


def _marker_frame(connection: Connection, row: TaskRow, setup: StudySetup, person: Person) -> View:
    is_new = row.state in PENDING
    return {
        "sequence": time_ns() // 1000,
        "study": study_view(setup, person),
        "progress": {
            "done": row.done,
            "total": row.total,
            "minutes_left": None if row.total <= row.done else _label_minutes_left(row),
            "number": row.done + 1 if is_new else row.position,
        },
        "previous": labels.previous_token(
            connection, study_id=row.study_id, person_id=row.person_id, before=row.position
        ),
        "task": None,
        "scheme": None,
        "options": None,
    }


def _label_minutes_left(row: TaskRow) -> int:
    pace = row.seconds / row.done if row.done >= OWN_PACE_AFTER else SECONDS_PER_LABEL_TASK
    return max(1, round((row.total - row.done) * pace / 60))


def study_view(setup: StudySetup, person: Person) -> View:
    """Return what a screen says of the study; the support text in the person's language."""
    support = setup.protocol.support_text or defaults().support_text
    return {
        "slug": setup.study.slug,
        "title": setup.study.title,
        "lang": setup.protocol.language,
        "support_text": support(person.language or setup.protocol.language),
    }


def _label_task(connection: Connection, row: TaskRow, setup: StudySetup) -> View:
    now = standing(connection, row, setup.protocol.label_mode)
    is_closed = row.stage != Stage.OPEN
    draft = None if is_closed else tasks.draft_of(connection, row.id)
    entries = json.loads(draft.entries) if draft else _label_entries(now)
    return {
        "task": row.token,
        "revision": row.revision,
        "round": now.round,
        "corrects": now.is_correction,
        "read_only": is_closed,
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


def _label_entries(now: Standing) -> View | None:
    """Return what to begin with: the round's own labels, else those of the blind round."""
    stored = now.stored or now.blind
    if stored is None or stored.outcome == "skipped":
        return None
    return {
        "labels": [one.label for one in stored.labels if one.whole and one.origin == "own"],
        "spans": [
            {"field": one.field, "start": one.start, "end": one.end, "label": one.label}
            for one in stored.spans
            if one.origin == "own"
        ],
        "verdict": stored.outcome if stored.outcome in {"none", "unsure"} else None,
        "certainty": stored.certainty,
        "note": stored.note if stored is now.stored else "",
        "reason": "",
        "answers": {
            str(one.proposal_id): {
                "answer": one.answer, "label": one.label or None, "field": one.field or None,
                "start": one.start, "end": one.end,
            }
            for one in stored.answers
        },
    }


def scheme_view(scheme: Scheme, language: str) -> View:
    """Return a label scheme in the study's language."""
    return {
        "name": scheme.name(language),
        "source": scheme.source(language),
        "labels": [_label(one, language) for one in scheme.labels],
    }


def _label(one: Label, language: str) -> View:
    return {
        "id": one.id,
        "name": one.name(language),
        "definition": one.definition(language),
        "examples": [example(language) for example in one.examples],
        "near_miss": one.near_miss(language),
    }
