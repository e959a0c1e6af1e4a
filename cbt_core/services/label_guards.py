"""Who may do what to a label task: asked at every call, before anything is read or written."""

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.errors import Conflict, Refused
from cbt_core.services.rating import Press
from db import labels, studies, tasks
from db.engine import Connection
from db.tasks import TaskRow


def own(connection: Connection, person: Person, token: str) -> TaskRow:
    """Return the label task behind a token, if it is this annotator's.

    Raises:
        Refused: it is somebody else's, no label task, or none at all.
    """
    row = tasks.find(connection, token)
    if row is None or row.person_id != person.id or row.work != "label":
        raise Refused("rating.unknown_task")
    if not person.has(Role.ANNOTATOR, row.study_id):
        raise Refused("rating.unknown_task")
    return row


def study_of(connection: Connection, person: Person, slug: str) -> int:
    """Return the study's id, if the person annotates in it.

    Raises:
        Refused: the person does not.
    """
    study = studies.by_slug(connection, slug)
    if study is None or not person.has(Role.ANNOTATOR, study.id):
        raise Refused("rating.unknown_study")
    return study.id


def refuse_closed(row: TaskRow) -> None:
    """Refuse a change to a task that may only be read.

    Raises:
        Refused: with the reason the person is told.
    """
    if row.stage != "open":
        raise Refused("rating.not_open" if row.stage == "draft" else "rating.locked")
    if row.state in {"released", "withdrawn"}:
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


def repeated_revision(
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
