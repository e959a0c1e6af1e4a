"""What a rater's browser receives: blinded, in the study's language, as plain JSON.

Built from rows that hold no system name: it cannot leak what it was never given.
"""

import json
from hashlib import sha256
from time import time_ns
from typing import Final

from cbt_core.domain.instrument import CANNOT_RATE, Choice, Instrument, Scale, ScaleValue
from cbt_core.domain.people import Person
from cbt_core.domain.protocol import Practice, Protocol, Raters
from cbt_core.instruments.defaults import defaults
from cbt_core.services.studies import StudySetup
from db import seats, submissions, tasks
from db.engine import Connection
from db.submissions import Stored
from db.tasks import TaskRow

View = dict[str, object]

SECONDS_PER_TASK: Final = 270.0
"""Time left before a rater's own pace is known: a pair takes 4-5 minutes to read and judge."""

OWN_PACE_AFTER: Final = 3


def of_task(
    connection: Connection, row: TaskRow, setup: StudySetup, person: Person
) -> View:
    """Return a task as its rater sees it."""
    return {
        **_frame(row, setup, person),
        "state": "task",
        "task": _task(connection, row),
        "instrument": _instrument(setup.instrument, setup.protocol, row.token),
        "options": _options(setup.protocol),
    }


def pause(row: TaskRow, setup: StudySetup, person: Person) -> View:
    """Return the break screen: minutes worked and risk-marked items since the last break."""
    return {
        **_frame(row, setup, person),
        "state": "break",
        "break": {
            "minutes": round((row.seconds - row.seconds_at_break) / 60),
            "risk_items": row.risk_items,
        },
    }


def feedback(
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
        **_frame(row, setup, person),
        "state": "feedback",
        "feedback": {"author": practice.author, "question": row.question, "marks": marks},
    }


def finished(connection: Connection, person: Person, setup: StudySetup) -> View:
    """Return what is left when no task waits: the closing questions, or thanks."""
    seat = seats.find(connection, study_id=setup.study.id, person_id=person.id)
    done, total = (seat.done, seat.total) if seat else (0, 0)
    has_final = seat is not None and seat.final_at is not None
    closing = setup.protocol.raters.arm_guess and total > 0 and not has_final
    is_open = setup.study.stage == "open"
    return {
        "state": "guess" if closing and is_open else ("done" if is_open else "closed"),
        "sequence": time_ns() // 1000,
        "study": _study(setup, person),
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


def _frame(row: TaskRow, setup: StudySetup, person: Person) -> View:
    left = None if row.total <= row.done else _minutes_left(row)
    is_new = row.state in tasks.PENDING
    return {
        "sequence": time_ns() // 1000,
        "study": _study(setup, person),
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


def _minutes_left(row: TaskRow) -> int:
    pace = row.seconds / row.done if row.done >= OWN_PACE_AFTER else SECONDS_PER_TASK
    return max(1, round((row.total - row.done) * pace / 60))


def _study(setup: StudySetup, person: Person) -> View:
    support = setup.protocol.support_text or defaults().support_text
    language = person.language or setup.protocol.language
    return {
        "slug": setup.study.slug,
        "title": setup.study.title,
        "lang": setup.protocol.language,
        "support_text": support(language),
        "notice": defaults().ai_notice(language),
    }


def _task(connection: Connection, row: TaskRow) -> View:
    slots = tasks.slots(connection, row.id)
    is_closed = row.stage != "open" or row.final_at is not None
    draft = None if is_closed else tasks.draft_of(connection, row.id)
    stored = submissions.newest(connection, row.id) if row.revision else None
    entries: object = None
    if draft is not None:
        entries = json.loads(draft.entries)
    elif stored is not None:
        entries = _entries(stored)
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


def _entries(stored: Stored) -> View:
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
