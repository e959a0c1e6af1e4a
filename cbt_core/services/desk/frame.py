"""What every task screen shows around its task: the study, how far one is, a break."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import time_ns
from typing import Final

from cbt_core.domain.instrument import Choice
from cbt_core.domain.people import Person
from cbt_core.domain.protocol import Raters
from cbt_core.domain.study_setup import StudySetup
from cbt_core.domain.submission import PENDING, Work
from cbt_core.instruments.shipped import defaults
from db import seats
from db.engine import Connection
from db.tasks import TaskRow

View = dict[str, object]

SECONDS_A_TASK: Final[Mapping[Work, float]] = {Work.RATE: 270.0, Work.LABEL: 60.0}
"""Time left before the own pace is known: a pair takes 4-5 minutes to read and judge."""

OWN_PACE_AFTER: Final = 3


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a person is in a study; `number` is that of the task on the screen."""

    done: int
    total: int
    minutes_left: int | None
    number: int

    @classmethod
    def of_task(cls, row: TaskRow) -> "Progress":
        """Return the progress as it stands while a task is on the screen."""
        minutes = None
        if row.total > row.done:
            own = row.seconds / row.done if row.done >= OWN_PACE_AFTER else None
            pace = SECONDS_A_TASK[row.work] if own is None else own
            minutes = max(1, round((row.total - row.done) * pace / 60))
        number = row.done + 1 if row.state in PENDING else row.position
        return cls(row.done, row.total, minutes, number)

    @classmethod
    def at_the_end(
        cls, connection: Connection, setup: StudySetup, person: Person, work: Work
    ) -> "Progress":
        """Return the progress when no task waits."""
        seat = seats.find(connection, study_id=setup.study.id, person_id=person.id, work=work)
        done, total = (seat.done, seat.total) if seat else (0, 0)
        return cls(done, total, 0, done)


def frame(study: View, progress: Progress, instrument: str) -> View:
    """Return a view without a task; `instrument` names the part that says what is asked."""
    return {
        "sequence": time_ns() // 1000,
        "study": study,
        "progress": {
            "done": progress.done, "total": progress.total,
            "minutes_left": progress.minutes_left, "number": progress.number,
        },
        "task": None,
        instrument: None,
        "options": None,
    }


def pause(row: TaskRow) -> View:
    """Return what a break says: minutes worked and risk-marked items since the last one."""
    return {
        "state": "break",
        "break": {
            "minutes": round((row.seconds - row.seconds_at_break) / 60),
            "risk_items": row.risk_items,
        },
    }


def break_is_due(row: TaskRow, raters: Raters) -> bool:
    """Tell whether it is time to offer a break (0 in the protocol: never)."""
    minutes = (row.seconds - row.seconds_at_break) / 60
    by_time = 0 < raters.break_after_minutes <= minutes
    by_risk = 0 < raters.break_after_risk_items <= row.risk_items
    return by_time or by_risk


def study_view(setup: StudySetup, person: Person) -> View:
    """Return what a screen says of the study; the support text in the person's language."""
    support = setup.protocol.support_text or defaults().support_text
    return {
        "slug": setup.study.slug,
        "title": setup.study.title,
        "lang": setup.protocol.language,
        "support_text": support(person.language or setup.protocol.language),
    }


def choices_view(choices: tuple[Choice, ...], language: str) -> list[View]:
    """Return choices in a language."""
    return [{"id": choice.id, "name": choice.name(language)} for choice in choices]
