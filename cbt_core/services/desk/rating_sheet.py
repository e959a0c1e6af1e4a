"""The rating sheet: what it asks for, what may be stored of it, and what a rater's browser gets.

Built from rows that hold no system name: it cannot leak what it was never given. Flags' offsets
are Python string offsets into the stored text; the words at that place are cut out here.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from cbt_core.domain.instrument import CANNOT_RATE, Instrument, Scale, ScaleValue
from cbt_core.domain.people import Person
from cbt_core.domain.protocol import Practice, Protocol, Sheet
from cbt_core.domain.study import Kind, Stage
from cbt_core.domain.study_setup import StudySetup
from cbt_core.domain.submission import (
    Flag,
    Preference,
    Rating,
    Score,
    StepTick,
    Submission,
    TaskState,
    Work,
)
from cbt_core.errors import Invalid
from cbt_core.instruments.shipped import defaults
from cbt_core.services.desk.frame import Progress, View, choices_view, frame, study_view
from cbt_core.services.desk.requests import Json, Place, RatingEntries, SentFlag, read
from db import seats, submissions, tasks
from db.audit import Payload
from db.engine import Connection
from db.tasks import SlotRow, TaskRow

ESCALATED: Final = "serious"
TIE: Final = "tie"

Missing = list[tuple[str | None, str]]

known = submissions.by_token


# --- what may be stored -----------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class RatingRules:
    """What this task's sheet asks for: the instrument, its options and known ids."""

    instrument: Instrument
    sheet: Sheet
    slots: Sequence[SlotRow]
    steps_asked: bool
    flag_kinds: frozenset[str]
    severities: frozenset[str]
    is_correction: bool = False

    def answer_id(self, slot: str) -> int | None:
        """Return the answer standing in a slot; None for an unknown slot."""
        return next((row.answer_id for row in self.slots if row.slot == slot), None)


def check(connection: Connection, row: TaskRow, setup: StudySetup, entries: Json) -> Rating:
    """Return the entries of a task as they may be stored.

    Raises:
        Invalid: something is missing (`missing` names slot and scale) or out of range.
    """
    return check_rating(entries, RatingRules(
        instrument=setup.instrument,
        sheet=setup.protocol.sheet,
        slots=tasks.slots(connection, row.id),
        steps_asked=steps_asked(setup.protocol.steps, row.token) is not None,
        flag_kinds=frozenset(choice.id for choice in defaults().flag_kinds),
        severities=frozenset(choice.id for choice in defaults().severities),
        is_correction=row.revision > 0,
    ))


def check_rating(sent: Json, rules: RatingRules) -> Rating:
    """Return entries as the rules let them be stored.

    Raises:
        Invalid: something is missing (`missing` names slot and scale) or out of range.
    """
    entries = read(RatingEntries, sent, _misshapen)
    missing: Missing = []
    scores = [*_answer_scores(entries, rules, missing), *_task_scores(entries, rules, missing)]
    steps = _steps(entries, rules, missing)
    preference = _preference(entries, rules, missing)
    reason = entries.reason or ""
    if rules.is_correction and not reason.strip():
        missing.append((None, "reason"))
    if missing:
        raise Invalid("rating.missing", missing=tuple(missing), count=len(missing))
    return Rating(
        scores=tuple(scores),
        steps=tuple(steps),
        flags=tuple(_flag(flag, rules) for flag in entries.flags or () if rules.sheet.flags),
        preference=preference,
        comment=entries.comment or "" if rules.sheet.comment else "",
        confidence=_confidence(entries, rules),
        reason=reason,
    )


def _misshapen(place: Place) -> Invalid | None:
    """Return what is said of a value of another type; None: no more than that it cannot be read."""
    where: tuple[str | None, str]
    match place:
        case ("scores", slot, scale, *_):
            where = (str(slot), str(scale))
        case ("steps", slot, step, *_):
            where = (str(slot), f"step:{step}")
        case ("task_scores", scale, *_):
            where = (None, str(scale))
        case ("flags", int(), _, *rest) if rest != ["too_long"]:
            where = (None, "flags")
        case ("preference" | "confidence" as name, *_):
            where = (None, str(name))
        case _:
            return None
    return Invalid("rating.out_of_range", missing=(where,))


def _answer_scores(
    entries: RatingEntries, rules: RatingRules, missing: Missing
) -> list[Score]:
    sent = entries.scores or {}
    if not set(sent) <= {row.slot for row in rules.slots}:
        raise Invalid("rating.malformed")
    scales = [scale for scale in rules.instrument.scales if scale.level == "answer"]
    return [
        score
        for row in rules.slots
        for scale in scales
        for score in _score(scale, (sent.get(row.slot) or {}).get(scale.id), missing, row)
    ]


def _task_scores(entries: RatingEntries, rules: RatingRules, missing: Missing) -> list[Score]:
    sent = entries.task_scores or {}
    scales = [scale for scale in rules.instrument.scales if scale.level == "task"]
    return [
        score for scale in scales for score in _score(scale, sent.get(scale.id), missing, None)
    ]


def _score(
    scale: Scale, value: int | str | None, missing: Missing, row: SlotRow | None
) -> list[Score]:
    slot, answer_id = (row.slot, row.answer_id) if row else ("", None)
    if value is None:
        if scale.required:
            missing.append((slot or None, scale.id))
        return []
    if value == CANNOT_RATE and scale.cannot_rate:
        return [Score(slot, answer_id, scale.id, None, CANNOT_RATE)]
    if not isinstance(value, int) or not scale.allows(value):
        raise Invalid("rating.out_of_range", missing=((slot or None, scale.id),))
    return [Score(slot, answer_id, scale.id, value)]


def _steps(entries: RatingEntries, rules: RatingRules, missing: Missing) -> list[StepTick]:
    if not rules.steps_asked:
        return []
    sent = entries.steps or {}
    allowed = {choice.value for choice in rules.instrument.step_values}
    ticks = []
    for row in rules.slots:
        given = sent.get(row.slot) or {}
        for step in rules.instrument.steps:
            value = given.get(step.id)
            if value is None:
                missing.append((row.slot, f"step:{step.id}"))
            elif value not in allowed:
                raise Invalid("rating.out_of_range", missing=((row.slot, f"step:{step.id}"),))
            else:
                ticks.append(StepTick(row.slot, row.answer_id, step.id, value))
    return ticks


def _preference(
    entries: RatingEntries, rules: RatingRules, missing: Missing
) -> Preference | None:
    choice = entries.preference
    if rules.sheet.preference == "off" or len(rules.slots) < 2:
        return None
    if choice is None:
        if rules.sheet.preference == "required":
            missing.append((None, "preference"))
        return None
    if choice == TIE:
        return Preference(TIE)
    answer_id = rules.answer_id(choice)
    if answer_id is None:
        raise Invalid("rating.out_of_range", missing=((None, "preference"),))
    return Preference(choice, answer_id)


def _flag(sent: SentFlag, rules: RatingRules) -> Flag:
    row = next((row for row in rules.slots if row.slot == sent.slot), None)
    if row is None or sent.kind not in rules.flag_kinds or sent.severity not in rules.severities:
        raise Invalid("rating.out_of_range", missing=((None, "flags"),))
    start, end = sent.start, sent.end
    if start is None and end is None:
        return Flag(row.slot, row.answer_id, sent.kind, sent.severity, sent.quote or "")
    if start is None or end is None or not 0 <= start < end <= len(row.text):
        raise Invalid("rating.out_of_range", missing=((row.slot, "flags"),))
    quote = row.text[start:end]  # the stored text decides, not what the browser calls it
    return Flag(row.slot, row.answer_id, sent.kind, sent.severity, quote, start, end)


def _confidence(entries: RatingEntries, rules: RatingRules) -> int | None:
    if not rules.sheet.confidence or entries.confidence is None:
        return None
    if entries.confidence not in {1, 2, 3}:
        raise Invalid("rating.out_of_range", missing=((None, "confidence"),))
    return entries.confidence


# --- storing ----------------------------------------------------------------------------------
def round_of(_connection: Connection, _row: TaskRow, _setup: StudySetup) -> str:
    """Return no round: a sheet has one."""
    return ""


def store(
    connection: Connection, row: TaskRow, new: Submission[Rating], _setup: StudySetup,
    now: datetime,
) -> TaskState:
    """Store a submission, with what is serious in the escalation queue; return the task's state."""
    key = submissions.add(connection, new, now)
    if isinstance(new.content, Rating):
        causes = {f"flag:{flag.kind}" for flag in new.content.flags if flag.severity == ESCALATED}
        submissions.escalate(
            connection, study_id=row.study_id, submission_id=key, causes=sorted(causes), now=now
        )
    return TaskState.SKIPPED if new.is_skip else TaskState.DONE


def trail(new: Submission[Rating]) -> tuple[str, Payload]:
    """Return what the chain keeps: enough to rebuild the scores, but no word a person wrote."""
    rating = new.content if isinstance(new.content, Rating) else Rating()
    return "submission" if new.revision == 1 else "correction", {
        "task": new.task_id, "revision": new.revision,
        "outcome": "scored" if new.content is rating else "skipped", "digest": new.digest,
        "scores": [
            [s.slot, s.answer_id, s.scale, s.value, s.missing_reason] for s in rating.scores
        ],
        "flags": [[f.answer_id, f.kind, f.severity] for f in rating.flags],
        "steps": [[s.answer_id, s.step, s.value] for s in rating.steps],
        "preference": (
            [rating.preference.choice, rating.preference.answer_id] if rating.preference else None
        ),
        "skip": "" if new.content is rating else new.content.reason,
    }


# --- what the browser gets --------------------------------------------------------------------
def task_view(connection: Connection, row: TaskRow, setup: StudySetup, person: Person) -> View:
    """Return a task as its rater sees it."""
    return {
        **around(connection, row, setup, person),
        "state": "task",
        "task": _task(connection, row),
        "instrument": _instrument(setup.instrument, setup.protocol, row.token),
        "options": _options(setup.protocol),
    }


def around(_connection: Connection, row: TaskRow, setup: StudySetup, person: Person) -> View:
    """Return the view of a task without the task."""
    return frame(_study(setup, person), Progress.of_task(row), "instrument")


def after(
    connection: Connection, row: TaskRow, setup: StudySetup, person: Person
) -> View | None:
    """Return the key and the reasons after a calibration item; None after any other."""
    if row.kind != Kind.CALIBRATION:
        return None
    practice = next(
        (p for p in setup.protocol.raters.practice if row.item_key.endswith(f":{p.id}")), None
    )
    if practice is None:
        return None
    return {
        **around(connection, row, setup, person),
        "state": "feedback",
        "feedback": {
            "author": practice.author, "question": row.question,
            "marks": _marks(connection, row, practice, setup),
        },
    }


def finished(connection: Connection, setup: StudySetup, person: Person) -> View:
    """Return what is left when no task waits: the closing questions, or thanks."""
    seat = seats.find(connection, study_id=setup.study.id, person_id=person.id)
    has_final = seat is not None and seat.final_at is not None
    progress = Progress.at_the_end(connection, setup, person, Work.RATE)
    closing = setup.protocol.raters.arm_guess and progress.total > 0 and not has_final
    is_open = setup.study.stage == Stage.OPEN
    return {
        **frame(_study(setup, person), progress, "instrument"),
        "state": "guess" if closing and is_open else ("done" if is_open else "closed"),
    }


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


def _study(setup: StudySetup, person: Person) -> View:
    language = person.language or setup.protocol.language
    return {**study_view(setup, person), "notice": defaults().ai_notice(language)}


def _marks(
    connection: Connection, row: TaskRow, practice: Practice, setup: StudySetup
) -> list[View]:
    stored = submissions.newest(connection, row.id)
    rating = stored.content if stored and isinstance(stored.content, Rating) else Rating()
    given = {(score.slot, score.scale): score.value for score in rating.scores}
    language = setup.protocol.language
    return [
        {"slot": slot, "scale": setup.instrument.scale(scale).name(language),
         "given": given.get((slot, scale)), "expected": expected,
         "reason": practice.reasons.get(slot, {}).get(scale, "")}
        for slot, scales in practice.key.items()
        for scale, expected in scales.items()
    ]


def _task(connection: Connection, row: TaskRow) -> View:
    slots = tasks.slots(connection, row.id)
    draft = None if row.is_read_only else tasks.draft_of(connection, row.id)
    stored = submissions.newest(connection, row.id) if row.revision else None
    entries: object = None
    if draft is not None:
        entries = json.loads(draft.entries)
    elif stored is not None:
        entries = _entries(stored.content if isinstance(stored.content, Rating) else Rating())
    return {
        "task": row.token,
        "kind": "main",  # repeats and quality checks look like every other task
        "revision": row.revision,
        "read_only": row.is_read_only,
        "risk": row.risk,
        "question": row.question,
        "description": row.description,
        "slots": [{"slot": slot.slot, "text": slot.text} for slot in slots],
        "entries": entries,
        "draft_sequence": draft.sequence if draft else 0,
        "saved_at": stored.at if stored else None,
    }


def _entries(rating: Rating) -> View:
    scores: dict[str, dict[str, object]] = {}
    whole: dict[str, object] = {}
    for score in rating.scores:
        value: object = CANNOT_RATE if score.value is None else score.value
        (scores.setdefault(score.slot, {}) if score.slot else whole)[score.scale] = value
    steps: dict[str, dict[str, int]] = {}
    for tick in rating.steps:
        steps.setdefault(tick.slot, {})[tick.step] = tick.value
    return {
        "scores": scores,
        "task_scores": whole,
        "steps": steps,
        "preference": rating.preference.choice if rating.preference else None,
        "flags": [
            {"slot": f.slot, "kind": f.kind, "severity": f.severity, "quote": f.quote,
             "start": f.start, "end": f.end}
            for f in rating.flags
        ],
        "comment": rating.comment,
        "confidence": rating.confidence,
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
        "flag_kinds": choices_view(defaults().flag_kinds, language),
        "severities": choices_view(defaults().severities, language),
        "skip_reasons": choices_view(defaults().skip_reasons, language),
    }
