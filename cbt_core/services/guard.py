"""The one way in: who may do this here, asked in every public service function, and noted.

A service opens a door under the name of its act and works behind it:

    lead = guard.as_lead(database, person, study=slug, act="lock", now=now)
    with lead.writing() as (connection, study):

`reading` and `writing` are one transaction with the question asked inside it; `steps` is for acts
that call other services, and asks before the first; `check` asks before what is costly. Whatever
is refused behind a door, by the door or further in, is noted in the access log as ``denied:ACT``:
once, when the transaction is undone, and under the act that was called, not those it called.

The terminal may always change whose access; a lead within narrow bounds.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.domain.study_setup import StudyRow
from cbt_core.domain.submission import WORK_OF, Work
from cbt_core.errors import NotSaved, Refused, StudyError
from db import assignment, audit, people, studies, tasks
from db.engine import Connection, Database
from db.people import Account
from db.tasks import TaskRow

NO_RESULTS: Final = {
    Role.RATER: "export.no_results_for_raters",
    Role.ANNOTATOR: "labels.no_results_for_annotators",
}
"""What a lead is told who takes part in the work the results are of."""

UNKNOWN_STUDY: Final = "rating.unknown_study"
UNKNOWN_TASK: Final = "rating.unknown_task"
"""What a person is told of a study or task of others: no more than if it did not exist."""

Thing = TypeVar("Thing")


@dataclass(slots=True)
class _Attempt:
    """A call under way, and the study it came to, if it did: kept for the log, told to nobody."""

    study_id: int | None = None


_ATTEMPT: ContextVar[_Attempt | None] = ContextVar("attempt", default=None)
"""The outermost call of this thread: a service that calls another notes for both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call(ABC):
    """Who wants what done, where it is noted, and when."""

    database: Database
    person: Person
    act: str
    now: datetime

    @abstractmethod
    def _ask(self) -> None:
        """Refuse whoever may not."""

    @contextmanager
    def steps(self) -> Iterator[None]:
        """Let somebody in who may, for as many transactions as it takes."""
        with self.noted():
            self._ask()
            yield

    def check(self) -> None:
        """Ask now, before what is costly or tells something; the transactions ask again.

        Raises:
            Refused: the person may not.
        """
        with self.steps():
            return

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note in the access log what is refused inside.

        It stands around every transaction of the call: noted inside one, it would be undone.
        """
        if _ATTEMPT.get() is not None:
            yield
            return
        attempt = _Attempt()
        token = _ATTEMPT.set(attempt)
        try:
            yield
        except Refused as refusal:
            self._note(attempt.study_id, refusal.code)
            raise
        finally:
            _ATTEMPT.reset(token)

    def _note(self, study_id: int | None, code: str) -> None:
        """Write the refusal down; where nothing can be written it stands all the same."""
        with suppress(NotSaved), self.database.writing() as connection:
            audit.log_access(
                connection, actor=self.person.code, action=f"denied:{self.act}", now=self.now,
                study_id=study_id, detail=code,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Door(_Call):
    """A way in that rests on who the person is."""

    is_open: bool

    def _ask(self) -> None:
        if not self.is_open:
            raise Refused("access.not_allowed")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a transaction that reads."""
        with self.steps(), self.database.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a transaction that writes, in the system's turn."""
        with self.steps(), self.database.writing() as connection:
            yield connection


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorTo(_Call, Generic[Thing]):
    """A way in to something: it is looked up, and whose it is asked, in each transaction."""

    find: Callable[[Connection], Thing]
    scope: Callable[[], int]
    """Which lock a write takes."""

    def _ask(self) -> None:
        with self.database.reading() as connection:
            self.find(connection)

    @contextmanager
    def reading(self) -> Iterator[tuple[Connection, Thing]]:
        """Give a transaction that reads, and the thing as it is in it."""
        with self.noted(), self.database.reading() as connection:
            yield connection, self.find(connection)

    @contextmanager
    def writing(self) -> Iterator[tuple[Connection, Thing]]:
        """Give a transaction that writes, and the thing as it is in it."""
        with self.noted(), self.database.writing(self.scope()) as connection:
            yield connection, self.find(connection)


def as_anyone(database: Database, person: Person, *, act: str, now: datetime) -> Door:
    """Open to everybody: what follows is about themselves, or asks further in."""
    return Door(database=database, person=person, act=act, now=now, is_open=True)


def as_terminal(database: Database, person: Person, *, act: str, now: datetime) -> Door:
    """Open to whoever has the terminal."""
    return Door(database=database, person=person, act=act, now=now, is_open=person.is_terminal)


def as_maker(database: Database, person: Person, *, act: str, now: datetime) -> Door:
    """Open to whoever may create studies; the demonstration's people may not."""
    may = person.may_create_studies and not person.demonstration
    return Door(database=database, person=person, act=act, now=now, is_open=may)


def as_lead_anywhere(database: Database, person: Person, *, act: str, now: datetime) -> Door:
    """Open to the terminal, and whoever leads a study; the demonstration's lead leads none."""
    leads = any(Role.LEAD in held for held in person.roles.values()) and not person.demonstration
    may = person.is_terminal or leads
    return Door(database=database, person=person, act=act, now=now, is_open=may)


@contextmanager
def as_sender(
    database: Database | None, person: Person, *, act: str, now: datetime
) -> Iterator[None]:
    """Let in who may send texts: a lead anywhere; without a database the terminal alone.

    Raises:
        Refused: anybody else.
    """
    if database is not None:
        with as_lead_anywhere(database, person, act=act, now=now).steps():
            yield
        return
    if not person.is_terminal:
        raise Refused("access.not_allowed")  # no database, no log
    yield


def as_lead(
    database: Database, person: Person, *, study: str | int, act: str, now: datetime
) -> DoorTo[StudyRow]:
    """Open to the lead of a study, which is named by its short name or number."""

    def led(connection: Connection) -> StudyRow:
        return _led(connection, person, study)

    return DoorTo(
        database=database, person=person, act=act, now=now, find=led,
        scope=lambda: _scope(database, study),
    )


def as_onlooker(
    database: Database, person: Person, *, study: str, role: Role, act: str, now: datetime
) -> DoorTo[StudyRow]:
    """Open to the lead of a study; until the lock not to one who works in it in this role.

    The others' scores or labels would steer them.
    """

    def led(connection: Connection) -> StudyRow:
        study_row = _led(connection, person, study)
        if not study_row.stage.is_closed and _works_in(connection, person, study_row, role):
            raise Refused(NO_RESULTS[role])
        return study_row

    return DoorTo(
        database=database, person=person, act=act, now=now, find=led,
        scope=lambda: _scope(database, study),
    )


def as_worker(
    database: Database, person: Person, *, study: str, role: Role, act: str, now: datetime
) -> DoorTo[StudyRow]:
    """Open to whoever rates, or annotates, in a study; others are not told that it exists."""

    def joined(connection: Connection) -> StudyRow:
        study_row = studies.by_slug(connection, study)
        if study_row is None:
            raise Refused(UNKNOWN_STUDY)
        _came_to(study_row.id)
        if not person.has(role, study_row.id):
            raise Refused(UNKNOWN_STUDY)
        return study_row

    return DoorTo(
        database=database, person=person, act=act, now=now, find=joined,
        scope=lambda: _scope(database, study),
    )


def as_rater(
    database: Database, person: Person, *, study: str, act: str, now: datetime
) -> DoorTo[StudyRow]:
    """Open to whoever rates in a study; others are not told that it exists."""
    return as_worker(database, person, study=study, role=Role.RATER, act=act, now=now)


def at_task(
    database: Database, person: Person, *, task: str, work: Work, act: str, now: datetime
) -> DoorTo[TaskRow]:
    """Open to the person whose task it is; others are not told that it exists."""

    def own(connection: Connection) -> TaskRow:
        return own_task(connection, person, task, work)

    return DoorTo(
        database=database, person=person, act=act, now=now, find=own,
        scope=lambda: _scope_of_task(database, task),
    )


def as_inviter(
    database: Database, person: Person, *, study_id: int | None, act: str, now: datetime
) -> Door:
    """Open to the terminal, and the lead of the study.

    Not to the demonstration's lead: an account reaches beyond it.
    """
    leads = study_id is not None and person.has(Role.LEAD, study_id) and not person.demonstration
    may = person.is_terminal or leads
    return Door(database=database, person=person, act=act, now=now, is_open=may)


def as_self(
    database: Database, person: Person, *, code: str, act: str, now: datetime
) -> DoorTo[Account]:
    """Open to the person who has the code, and the terminal."""

    def own(connection: Connection) -> Account:
        account = account_of(connection, code)
        if account.id != person.id and not person.is_terminal:
            raise Refused("access.not_allowed")
        return account

    return DoorTo(
        database=database, person=person, act=act, now=now, find=own, scope=_of_the_system
    )


def as_keeper(
    database: Database, person: Person, *, code: str, act: str, now: datetime
) -> DoorTo[Account]:
    """Open to the terminal, and a lead for somebody who was never in anybody else's study.

    Whoever gives a new secret could use it: so nobody gives one to a lead, to a person who may
    create studies or whose access was closed, or to one with work in a study of others.
    """

    def kept(connection: Connection) -> Account:
        account = account_of(connection, code)
        if not person.is_terminal and not _keeps(connection, person, account):
            raise Refused("access.not_allowed")
        return account

    return DoorTo(
        database=database, person=person, act=act, now=now, find=kept, scope=_of_the_system
    )


def require_lead(person: Person, study_id: int | None) -> None:
    """Refuse whoever does not lead this study (None: the system, which the terminal leads alone).

    For acts on several studies, behind `as_anyone`.

    Raises:
        Refused: the person does not lead it.
    """
    _came_to(study_id)
    leads = person.is_terminal if study_id is None else person.has(Role.LEAD, study_id)
    if not leads:
        raise Refused("access.not_allowed")


def own_task(connection: Connection, person: Person, token: str, work: Work) -> TaskRow:
    """Return the task behind a token, if it is this person's and of this work.

    Raises:
        Refused: it is somebody else's, of other work, or there is none.
    """
    row = tasks.find(connection, token)
    if row is None:
        raise Refused(UNKNOWN_TASK)
    _came_to(row.study_id)
    if row.person_id != person.id or row.work != work or not person.has(work.role, row.study_id):
        raise Refused(UNKNOWN_TASK)
    return row


def account_of(connection: Connection, code: str) -> Account:
    """Return the account of a typed code.

    Raises:
        StudyError: nobody has this code.
    """
    account = people.by_code(connection, code.strip().upper())
    if account is None:
        raise StudyError("people.unknown", person=code.strip().upper()[:40])
    return account


def _came_to(study_id: int | None) -> None:
    attempt = _ATTEMPT.get()
    if attempt is not None:
        attempt.study_id = study_id


def _scope(database: Database, study: str | int) -> int:
    """Return where a write waits: with every other one of its study.

    On a server each study has a queue of its own; on SQLite there is one for all.
    """
    if database.is_sqlite:
        return 0
    if isinstance(study, int):
        return study
    with database.reading() as connection:
        row = studies.by_slug(connection, study)
    return row.id if row else 0


def _scope_of_task(database: Database, token: str) -> int:
    """Return where a write to a task waits: drafts and saves alike with those of its study."""
    if database.is_sqlite:
        return 0
    with database.reading() as connection:
        return tasks.study_of(connection, token) or 0


def _of_the_system() -> int:
    return 0


def _led(connection: Connection, person: Person, study: str | int) -> StudyRow:
    if isinstance(study, int):
        study_row = studies.by_id(connection, study)
    else:
        study_row = studies.by_slug(connection, study)
    if study_row is None:
        raise StudyError("studies.unknown", slug=str(study)[:60])
    require_lead(person, study_row.id)
    return study_row


def _works_in(connection: Connection, person: Person, study: StudyRow, role: Role) -> bool:
    """Tell whether the person holds the role, or has tasks from the time they held it."""
    held = person.has(role, study.id)
    return held or person.id in assignment.with_tasks(connection, study.id, WORK_OF[role])


def _keeps(connection: Connection, person: Person, account: Account) -> bool:
    if account.may_create_studies or account.is_disabled or person.demonstration:
        return False
    held = people.memberships_of(connection, [account.id]).get(account.id, ())
    return bool(held) and all(
        person.has(Role.LEAD, member.study_id) and member.role is not Role.LEAD for member in held
    )
