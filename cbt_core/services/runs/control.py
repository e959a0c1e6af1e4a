"""Generations started by a lead in the browser: detached processes, watched through table `run`.

A run belongs to whoever started it; nobody else sees it but the terminal. How it really stands:
what its row says, and whether anybody is still at work.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.errors import Conflict, StudyError
from cbt_core.generation.tasks.questions import Questions
from cbt_core.services import guard
from cbt_core.services.runs.process import laid_down, launch, runs_folder
from cbt_core.services.runs.wishes import Asked, Preview, preview_of
from cbt_core.settings import Settings
from cbt_core.words import say
from db import audit, runs
from db.engine import Connection, Database
from db.runs import Run

AT_ONCE, LOCAL_AT_ONCE = 4, 1
"""Runs at work at the same time; a local model takes the memory of the machine."""

SILENT: Final = timedelta(seconds=60)
"""After so long without a sign of life a run is lost, whatever its process looks like."""

SILENT_AND_GONE: Final = timedelta(seconds=8)
"""The same when there is no such process on this machine."""

LOST: Final = "lost"
STOPPING: Final = "stopping"
RESUMABLE: Final = ("stopped", "failed", LOST)


@dataclass(frozen=True, slots=True)
class Watched:
    """A run and how it really stands: its status, or `stopping` or `lost`.

    `rate` is rows a second; it and `seconds_left` are None unless the run is at work.
    """

    run: Run
    state: str
    rate: float | None
    seconds_left: float | None

    @property
    def active(self) -> bool:
        """Tell whether a process is, or will be, at work."""
        return self.run.active and self.state != LOST

    @property
    def resumable(self) -> bool:
        """Tell whether going on would do anything."""
        unanswered = self.state == "finished" and self.run.failed > 0
        return bool(self.run.folder) and (self.state in RESUMABLE or unanswered)

    def told(self, language: str) -> str:
        """Return what there is to say about the run, '' for nothing."""
        if self.state == LOST:
            return say("runs.lost", language)
        message = self.run.message
        return say(message.code, language, **(message.values or {})) if message.code else ""


def watched(run: Run, now: datetime) -> Watched:
    """Return how a run stands: a process that gave no sign for long is not at work."""
    state = run.status
    if run.active and _is_lost(run, now):
        state = LOST
    elif run.status == "running" and run.stop_asked:
        state = STOPPING
    values = run.message.values or {}
    rate, left = values.get("rate"), values.get("left")
    at_work = state in {"running", STOPPING}
    return Watched(
        run, state,
        float(rate) if at_work and isinstance(rate, int | float) else None,
        float(left) if at_work and isinstance(left, int | float) else None,
    )


def _is_lost(run: Run, now: datetime) -> bool:
    silence = now - run.heartbeat_at
    if silence > SILENT:
        return True
    return silence > SILENT_AND_GONE and run.pid is not None and not _exists(run.pid)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's process has this number
        return True
    return True


def require_room(standing: Sequence[Run], backend: str, now: datetime) -> None:
    """Refuse one more run when enough are at work.

    Raises:
        StudyError: too many, or a second local model.
    """
    at_work = [one for one in standing if not _is_lost(one, now)]
    local = [one for one in at_work if one.config["asked"]["backend"] == "transformers"]
    if len(at_work) >= AT_ONCE:
        raise StudyError("runs.no_room", most=AT_ONCE)
    if backend == "transformers" and len(local) >= LOCAL_AT_ONCE:
        raise StudyError("runs.no_room_local")


TOKEN: Final = re.compile(r"[A-Za-z0-9-]{8,64}")
CODE: Final = re.compile(r"[0-9a-f]{12}")


def preview(
    database: Database, person: Person, *, asked: Asked, questions: Questions,
    settings: Settings, now: datetime,
) -> Preview:
    """Return what a run would take and send; nothing is stored, loaded or sent.

    Raises:
        Refused: the person may not. ImportProblems, StudyError: it could not be run.
    """
    guard.as_maker(database, person, act="preview_run", now=now).check()
    return preview_of(database, asked, questions, settings=settings, now=now)


def start(
    database: Database, person: Person, *, asked: Asked, questions: Questions, token: str,
    settings: Settings, now: datetime,
) -> str:
    """Start a run in a process of its own and return its code; the same token starts one only.

    Raises:
        Refused: the person may not. StudyError: it cannot be run, too many questions, too many
            runs at work, or a source may not leave.
    """
    maker = guard.as_maker(database, person, act="start_run", now=now)
    maker.check()
    code = _code(person, token)
    with maker.reading() as connection:
        if runs.by_code(connection, code) is not None:
            return code
    seen = preview_of(database, asked, questions, settings=settings, now=now)
    if seen.reason is not None:
        raise seen.reason
    if seen.too_many:
        raise StudyError("runs.too_many", count=seen.total, most=settings.browser_questions)
    folder = runs_folder(database) / code
    config = laid_down(asked, questions, folder) | {"digest": seen.digest}
    if _store(database, person, code=code, config=config, folder=folder, seen=seen, now=now):
        launch(database, code, folder, settings=settings, now=now)
    return code


def watch(database: Database, person: Person, *, now: datetime) -> Sequence[Watched]:
    """Return the person's runs, the newest first; the terminal sees everybody's.

    Raises:
        Refused: the person may not.
    """
    maker = guard.as_maker(database, person, act="watch_runs", now=now)
    with maker.reading() as connection:
        found = runs.listed(connection, actor=None if person.is_terminal else person.code)
    return [watched(one, now) for one in found]


def one_run(database: Database, person: Person, *, code: str, now: datetime) -> Watched:
    """Return one run of the person.

    Raises:
        Refused: the person may not. StudyError: no such run of this person.
    """
    maker = guard.as_maker(database, person, act="one_run", now=now)
    with maker.reading() as connection:
        return _own(connection, person, code, now)


def stop(database: Database, person: Person, *, code: str, now: datetime) -> None:
    """Ask a run to stop; one that has no process is stopped at once.

    Raises:
        Refused, StudyError: see `one_run`.
    """
    maker = guard.as_maker(database, person, act="stop_run", now=now)
    with maker.writing() as connection:
        seen = _own(connection, person, code, now)
        if not seen.run.active:
            return
        if seen.state == LOST or seen.run.status == "waiting":
            runs.end(connection, seen.run, status="stopped", now=now)
        else:
            runs.ask_stop(connection, code)
        _note(connection, person, "run_stopped", {"run": code}, now)


def resume(
    database: Database, person: Person, *, code: str, settings: Settings, now: datetime
) -> None:
    """Go on with a run that stopped, failed, was lost, or left questions without an answer.

    Raises:
        Refused, StudyError: see `one_run`; or there is nothing to go on with, or no room.
        Conflict: somebody else did so first.
    """
    maker = guard.as_maker(database, person, act="resume_run", now=now)
    with maker.writing() as connection:
        seen = _own(connection, person, code, now)
        if not seen.resumable:
            raise StudyError("runs.not_resumable", run=code)
        others = [one for one in runs.active(connection) if one.code != code]
        require_room(others, seen.run.config["asked"]["backend"], now)
        if not runs.queue_again(connection, seen.run, now=now):
            raise Conflict("runs.changed")
        _note(connection, person, "run_resumed", {"run": code}, now)
    launch(database, code, Path(seen.run.folder), settings=settings, now=now)


def forget(database: Database, person: Person, *, code: str, now: datetime) -> None:
    """Delete the texts of a run that is over; its row stays.

    Raises:
        Refused, StudyError: see `one_run`; or it is still at work.
    """
    maker = guard.as_maker(database, person, act="forget_run", now=now)
    with maker.writing() as connection:
        seen = _own(connection, person, code, now)
        if seen.active:
            raise StudyError("runs.at_work", run=code)
        if not seen.run.folder:
            return
        if seen.state == LOST:
            runs.end(connection, seen.run, status="stopped", now=now)
        runs.clear_folder(connection, code)
        _note(connection, person, "run_forgotten", {"run": code}, now)
    shutil.rmtree(seen.run.folder, ignore_errors=True)


def _own(connection: Connection, person: Person, code: str, now: datetime) -> Watched:
    """Return one run of the person; the terminal's are everybody's.

    Raises:
        StudyError: no such run of this person.
    """
    found = runs.by_code(connection, code)
    if found is None or not (person.is_terminal or found.actor == person.code):
        raise StudyError("runs.unknown", run=code if CODE.fullmatch(code) else "?")
    return watched(found, now)


def _code(person: Person, token: str) -> str:
    """Return the code that follows from who asks and the form that was sent."""
    if not TOKEN.fullmatch(token):
        raise StudyError("runs.token")
    return hashlib.sha256(f"{person.code}\0{token}".encode()).hexdigest()[:12]


def _store(
    database: Database, person: Person, *, code: str, config: dict[str, object], folder: Path,
    seen: Preview, now: datetime,
) -> bool:
    """Store the run's row and its audit entry; False when it is there already."""
    payload: audit.Payload = {
        "run": code, "backend": seen.backend, "host": seen.host, "questions": seen.total,
        "sources": {one.source: one.texts for one in seen.sources}, "digest": seen.digest,
    }
    with database.writing() as connection:
        if runs.by_code(connection, code) is not None:
            return False
        require_room(runs.active(connection), seen.backend, now)
        runs.add(
            connection, code=code, actor=person.code, config=config, folder=str(folder),
            total=seen.total, now=now,
        )
        _note(connection, person, "run_started", payload, now)
    return True


def _note(
    connection: Connection, person: Person, action: str, payload: audit.Payload, now: datetime
) -> None:
    audit.append(
        connection, study_id=None, actor=person.code, action=action, payload=payload, now=now
    )
