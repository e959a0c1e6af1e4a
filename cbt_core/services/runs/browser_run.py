"""A generation started by a lead in the browser: a detached process, watched through table `run`.

A run belongs to whoever started it; nobody else sees it but the terminal. How it really stands:
what its row says, and whether anybody is still at work. The process is started apart from the
server; it claims its row, works, gives signs of life, and says the end.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from cbt_core import error_log
from cbt_core.domain.people import TERMINAL, Person
from cbt_core.errors import Conflict, NotSaved, Refused, StudyError
from cbt_core.files.writer import put_whole
from cbt_core.generation.run.journal import Outcome, Progress
from cbt_core.generation.tasks.questions import Questions
from cbt_core.services import guard
from cbt_core.services.runs import model_run
from cbt_core.services.runs.wishes import (
    ANSWERS,
    Asked,
    Preview,
    asked_from,
    options_of,
    preview_of,
    task_of,
)
from cbt_core.settings import ROOT, Settings
from cbt_core.words import say
from db import audit, people, runs
from db.engine import Connection, Database
from db.runs import Counts, Message, Run

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
        rows = runs.listed(connection, actor=None if person.is_terminal else person.code)
    return [watched(one, now) for one in rows]


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
    run = runs.by_code(connection, code)
    if run is None or not (person.is_terminal or run.actor == person.code):
        raise StudyError("runs.unknown", run=code if CODE.fullmatch(code) else "?")
    return watched(run, now)


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


DATA: Final = ROOT / "data"
LOG: Final = "log.txt"
QUESTIONS: Final = "questions"
PIECE: Final = 1 << 20


def runs_folder(database: Database) -> Path:
    """Return where the files of runs lie: beside an SQLite database, else in data/."""
    beside = database.path.resolve().parent if database.is_sqlite else DATA
    return beside / "runs"


def laid_down(asked: Asked, questions: Questions, folder: Path) -> dict[str, object]:
    """Copy the questions into the run's folder and return what the row says of the run.

    Raises:
        StudyError: the folder cannot be written.
    """
    name = QUESTIONS + questions.path.suffix.lower()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with questions.path.open("rb") as file:
            put_whole(folder / name, iter(lambda: file.read(PIECE), b""))
    except OSError as error:
        raise StudyError("runs.no_folder", cause=error.strerror or "") from error
    return {
        "asked": asked.stored(),
        "questions": {"file": name, "encoding": questions.encoding, "sheet": questions.sheet,
                      "limit": questions.limit},
    }


def questions_of(run: Run) -> Questions:
    """Return the questions of a run; messages call the file by its plain name.

    Raises:
        StudyError: the run's files were deleted.
    """
    if not run.folder:
        raise StudyError("runs.no_files", run=run.code)
    given: dict[str, Any] = run.config["questions"]
    return Questions(
        Path(run.folder) / given["file"], name=given["file"], encoding=given["encoding"],
        sheet=given["sheet"], limit=given["limit"],
    )


def answers_file(run: Run) -> Path:
    """Return where a run's answers are, or will be."""
    return Path(run.folder) / ANSWERS


def launch(
    database: Database, code: str, folder: Path, *, settings: Settings, now: datetime
) -> None:
    """Start the process of a waiting run; it goes on when the page and the server are gone.

    Raises:
        StudyError: it cannot be started; the row says so too.
    """
    environment = {
        **os.environ, "CONCORD_DATABASE": database.url, "HF_HUB_OFFLINE": "1",
        "CONCORD_ALLOWED_HOSTS": " ".join(settings.allowed_hosts), "PYTHONUNBUFFERED": "1",
    }
    try:
        with (folder / LOG).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "cbt_core", "run", "work", code], cwd=ROOT,
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        _not_started(database, code, now)
        raise StudyError("runs.not_started", cause=error.strerror or "") from error
    # Somebody has to take note of its end, or its number would look alive for ever.
    threading.Thread(target=process.wait, daemon=True, name=f"run-{code}").start()


def _not_started(database: Database, code: str, now: datetime) -> None:
    with database.writing() as connection:
        seen = runs.by_code(connection, code)
        if seen is not None:
            message = Message("runs.not_started", {"cause": ""})
            runs.end(connection, seen, status="failed", now=now, message=message)


BEAT_SECONDS: Final = 2.0
ENDS: Final = {"finished": "finished", "stopped": "stopped", "budget_spent": "stopped",
               "unreachable": "stopped"}
DETAIL: Final = 200
MODEST: Final = 10

Clock = Callable[[], datetime]


def work(
    database: Database, *, code: str, settings: Settings, clock: Clock, stop: threading.Event
) -> str:
    """Do the work of a waiting run, from its first row or on from those on disk; return its end.

    Every end but the death of the process is written into the row.

    Raises:
        StudyError: there is no such run, or it does not wait for a process.
    """
    pid = os.getpid()
    with database.writing() as connection:
        claimed = runs.claim(connection, code, pid=pid, now=clock())
        run = runs.by_code(connection, code)
    if run is None or not claimed:
        raise StudyError("runs.not_waiting", run=code[:40])
    pulse = Pulse(database, run, clock, stop)
    try:
        with pulse:
            outcome = _generate(database, run, settings, pulse, clock())
    except StudyError as error:
        return _end(database, run, "failed", clock(), pulse.counts, _message(error))
    except Exception as error:  # the last net: the row says that it failed, the log says where
        error_id, _ = error_log.record(error)
        failure = Message("runs.unexpected", {"id": error_id})
        return _end(database, run, "failed", clock(), pulse.counts, failure)
    status, message = _ended(outcome)
    counts = Counts(outcome.rows, outcome.failed, outcome.cost)
    return _end(database, run, status, clock(), counts, message)


class Pulse:
    """A thread that writes how far the run is, and learns whether to stop."""

    def __init__(
        self, database: Database, run: Run, clock: Clock, stop: threading.Event
    ) -> None:
        """Begin with what earlier sessions left."""
        self.counts = Counts(run.done, run.failed, run.cost)
        self.stop = stop
        self._message = Message("runs.preparing")
        self._database, self._run, self._clock = database, run, clock
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="pulse")

    def __enter__(self) -> Self:
        """Begin to beat."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop beating."""
        self._over.set()
        self._thread.join()

    def note(self, progress: Progress) -> None:
        """Keep the newest progress for the next beat."""
        self.counts = Counts(progress.done, progress.failed, progress.cost)
        values: dict[str, object] = {"rate": round(progress.rate, 3)}
        if progress.seconds_left is not None:
            values["left"] = round(progress.seconds_left, 1)
        self._message = Message("runs.under_way", values)

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            try:
                with self._database.writing() as connection:
                    asked = runs.beat(
                        connection, self._run.code, pid=os.getpid(), counts=self.counts,
                        message=self._message, now=self._clock(),
                    )
            except NotSaved:  # a full or busy disk: the rows have their own, the next beat may pass
                continue
            if asked is None or asked:  # asked to, or the run is no longer ours
                self.stop.set()


def be_modest() -> None:
    """Let the server go first: raters wait for it, nobody waits for a run."""
    if hasattr(os, "nice"):
        os.nice(MODEST)


def _generate(
    database: Database, run: Run, settings: Settings, pulse: Pulse, now: datetime
) -> Outcome:
    asked = asked_from(run.config["asked"])
    options = options_of(asked, resume=True)
    task = task_of(asked, questions_of(run))
    person = _on_behalf_of(database, run.actor)
    plan = model_run.plan(
        task, options, place=answers_file(run), settings=settings, database=database, now=now
    )
    return model_run.ask(
        plan, settings=settings, database=database, person=person, now=now,
        on_progress=pulse.note, stop=pulse.stop,
    )


def _on_behalf_of(database: Database, code: str) -> Person:
    """Return who acts: this process, under the code of whoever started it, if they still may.

    Raises:
        Refused: the person was disabled, or may not create studies any more.
    """
    if code == TERMINAL.code:
        return TERMINAL
    with database.reading() as connection:
        account = people.by_code(connection, code)
    if account is None or account.is_disabled or not account.may_create_studies:
        raise Refused("access.not_allowed")
    return replace(TERMINAL, code=code)


def _ended(outcome: Outcome) -> tuple[str, Message]:
    status = ENDS.get(outcome.ended, "stopped")
    causes = ", ".join(f"{name} {count}" for name, count in sorted(outcome.causes.items()))
    if outcome.finished and not outcome.rows:
        return "failed", Message("runs.all_failed", {"causes": causes})
    if outcome.failed and outcome.finished:
        return status, Message("runs.some_failed", {"count": outcome.failed, "causes": causes})
    if outcome.ended in {"budget_spent", "unreachable"}:
        return status, Message(f"runs.ended_{outcome.ended}")
    return status, Message()


def _message(error: StudyError) -> Message:
    """Return an error as a row keeps it; of a path only the last part."""
    return Message(error.code, {name: _plain(value) for name, value in error.values.items()})


def _plain(value: object) -> str | int | float:
    if isinstance(value, int | float):
        return value
    return value.name if isinstance(value, Path) else str(value)[:DETAIL]


def _end(
    database: Database, run: Run, status: str, now: datetime, counts: Counts, message: Message
) -> str:
    with database.writing() as connection:
        runs.end(connection, run, status=status, now=now, counts=counts, message=message)
    return status
