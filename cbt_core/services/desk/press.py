"""One press at the desk: what it says, whose task it is, whether it may, where it waits.

Asked at every call, before anything is read or written. A write waits in one queue per study on a
server, in one for all on SQLite.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role, Stage
from cbt_core.domain.submission import UNASKED, Work
from cbt_core.errors import Conflict, Invalid, Refused
from db import labels, studies, submissions, tasks
from db.engine import Connection, Database
from db.tasks import TaskRow


def scope(database: Database, slug: str) -> int:
    """Return the lock's scope for a study; SQLite has one queue for all."""
    if database.is_sqlite:
        return 0
    with database.reading() as connection:
        study = studies.by_slug(connection, slug)
        return study.id if study else 0


def scope_of_task(database: Database, token: str) -> int:
    """Return the lock's scope for the study of a task.

    Raises:
        Refused: there is no such task.
    """
    if database.is_sqlite:
        return 0
    with database.reading() as connection:
        row = tasks.find(connection, token)
    if row is None:
        raise Refused("rating.unknown_task")
    return row.study_id


TOKEN_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class Press:
    """One press of save or skip: which task, based on which revision, under which token."""

    task: str
    token: str
    base_revision: int

    @staticmethod
    def of(body: Mapping[str, object]) -> "Press":
        """Read a press from what the browser sent.

        Raises:
            Invalid: a part is missing or of the wrong type.
        """
        task, token, base = (body.get(name) for name in ("task", "token", "base_revision"))
        if not isinstance(task, str) or type(base) is not int or base < 0:
            raise Invalid("rating.malformed")
        if not isinstance(token, str) or len(token) != TOKEN_LENGTH or not token.isalnum():
            raise Invalid("rating.malformed")
        return Press(task, token, base)


def own_rating_task(connection: Connection, person: Person, token: str) -> TaskRow:
    """Return the rating task behind a token, if it is this rater's.

    Raises:
        Refused: it is somebody else's, no rating task, or none at all.
    """
    row = tasks.find(connection, token)
    if row is None or row.person_id != person.id or row.work != Work.RATE:
        raise Refused("rating.unknown_task")
    if not person.has(Role.RATER, row.study_id):
        raise Refused("rating.unknown_task")
    return row


def rated_study(connection: Connection, person: Person, slug: str) -> int:
    """Return the study's id, if the person rates in it.

    Raises:
        Refused: the person does not.
    """
    study = studies.by_slug(connection, slug)
    if study is None or not person.has(Role.RATER, study.id):
        raise Refused("rating.unknown_study")
    return study.id


def refuse_closed_rating(row: TaskRow) -> None:
    """Refuse a change to a task that may only be read.

    Raises:
        Refused: with the reason the person is told.
    """
    if row.stage != Stage.OPEN:
        raise Refused("rating.not_open" if row.stage == Stage.DRAFT else "rating.locked")
    if row.final_at is not None:
        raise Refused("rating.final")
    if row.state in UNASKED:
        raise Refused(f"rating.{row.state}")
    if row.consent_at is None:
        raise Refused("rating.consent_first")


def repeated_rating(
    connection: Connection, row: TaskRow, press: Press, sent: str
) -> int | None:
    """Return the revision this very press made before, if it did.

    Raises:
        Conflict: the token was used for other scores.
    """
    known = submissions.by_token(connection, press.token)
    if known is None:
        return None
    if known.task_id != row.id or known.digest != sent:
        raise Conflict("rating.token_reused")
    return known.revision


def own_label_task(connection: Connection, person: Person, token: str) -> TaskRow:
    """Return the label task behind a token, if it is this annotator's.

    Raises:
        Refused: it is somebody else's, no label task, or none at all.
    """
    row = tasks.find(connection, token)
    if row is None or row.person_id != person.id or row.work != Work.LABEL:
        raise Refused("rating.unknown_task")
    if not person.has(Role.ANNOTATOR, row.study_id):
        raise Refused("rating.unknown_task")
    return row


def labelled_study(connection: Connection, person: Person, slug: str) -> int:
    """Return the study's id, if the person annotates in it.

    Raises:
        Refused: the person does not.
    """
    study = studies.by_slug(connection, slug)
    if study is None or not person.has(Role.ANNOTATOR, study.id):
        raise Refused("rating.unknown_study")
    return study.id


def refuse_closed_labels(row: TaskRow) -> None:
    """Refuse a change to a task that may only be read.

    Raises:
        Refused: with the reason the person is told.
    """
    if row.stage != Stage.OPEN:
        raise Refused("rating.not_open" if row.stage == Stage.DRAFT else "rating.locked")
    if row.state in UNASKED:
        raise Refused(f"rating.{row.state}")
    if row.consent_at is None:
        raise Refused("rating.consent_first")


def refuse_stale(row: TaskRow, press: Press) -> None:
    """Refuse a press that was based on an older revision.

    Raises:
        Conflict: somebody saved a newer one.
    """
    if row.revision != press.base_revision:
        raise Conflict("rating.changed_elsewhere")


def repeated_labels(
    connection: Connection, row: TaskRow, press: Press, sent: str
) -> int | None:
    """Return the revision this very press made before, if it did.

    Raises:
        Conflict: the token was used for other labels.
    """
    known = labels.by_token(connection, press.token)
    if known is None:
        return None
    if known.task_id != row.id or known.digest != sent:
        raise Conflict("rating.token_reused")
    return known.revision
