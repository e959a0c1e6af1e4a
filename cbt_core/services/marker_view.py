"""What an annotator's browser receives: texts, scheme and own marks, as plain JSON.

Proposals are in it only in the round that shows them, and never with their provenance.
"""

import json
from dataclasses import dataclass
from time import time_ns
from typing import Final

from cbt_core.domain.instrument import Choice, Label, Scheme
from cbt_core.domain.people import Person
from cbt_core.instruments.defaults import defaults
from cbt_core.services.studies import StudySetup
from db import labels, proposals, seats, tasks
from db.engine import Connection
from db.labels import StoredLabels
from db.proposals import ProposalRow
from db.tasks import TaskRow

View = dict[str, object]

SECONDS_PER_TASK: Final = 60.0
"""Time left before an annotator's own pace is known."""

OWN_PACE_AFTER: Final = 3


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
    if row.stage != "open" or mode == "blind":
        return False
    if mode == "correct":
        return blind is None
    was_labelled = blind is not None and blind.outcome != "skipped"
    return was_labelled and proposals.exist(connection, row.item_id)


def of_task(
    connection: Connection, row: TaskRow, setup: StudySetup, person: Person
) -> View:
    """Return a task as its annotator sees it."""
    return {
        **_frame(connection, row, setup, person),
        "state": "task",
        "task": _task(connection, row, setup),
        "scheme": scheme_view(setup.scheme, setup.protocol.language),
        "options": {"skip_reasons": _choices(defaults().skip_reasons, setup.protocol.language)},
    }


def pause(connection: Connection, row: TaskRow, setup: StudySetup, person: Person) -> View:
    """Return the break screen: minutes worked and risk-marked items since the last break."""
    minutes = round((row.seconds - row.seconds_at_break) / 60)
    return {
        **_frame(connection, row, setup, person),
        "state": "break",
        "break": {"minutes": minutes, "risk_items": row.risk_items},
    }


def finished(connection: Connection, person: Person, setup: StudySetup) -> View:
    """Return what is left when no task waits: thanks, and the way back to own work."""
    study_id = setup.study.id
    seat = seats.find(connection, study_id=study_id, person_id=person.id, work="label")
    done, total = (seat.done, seat.total) if seat else (0, 0)
    return {
        "state": "done" if setup.study.stage == "open" else "closed",
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


def _frame(connection: Connection, row: TaskRow, setup: StudySetup, person: Person) -> View:
    is_new = row.state in tasks.PENDING
    return {
        "sequence": time_ns() // 1000,
        "study": study_view(setup, person),
        "progress": {
            "done": row.done,
            "total": row.total,
            "minutes_left": None if row.total <= row.done else _minutes_left(row),
            "number": row.done + 1 if is_new else row.position,
        },
        "previous": labels.previous_token(
            connection, study_id=row.study_id, person_id=row.person_id, before=row.position
        ),
        "task": None,
        "scheme": None,
        "options": None,
    }


def _minutes_left(row: TaskRow) -> int:
    pace = row.seconds / row.done if row.done >= OWN_PACE_AFTER else SECONDS_PER_TASK
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


def _task(connection: Connection, row: TaskRow, setup: StudySetup) -> View:
    now = standing(connection, row, setup.protocol.label_mode)
    is_closed = row.stage != "open"
    draft = None if is_closed else tasks.draft_of(connection, row.id)
    entries = json.loads(draft.entries) if draft else _entries(now)
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


def _entries(now: Standing) -> View | None:
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


def _choices(choices: tuple[Choice, ...], language: str) -> list[View]:
    return [{"id": choice.id, "name": choice.name(language)} for choice in choices]
