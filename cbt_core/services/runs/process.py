"""The detached process of a run: files laid down, started apart from the server, at work.

It claims its row, works, gives signs of life, and says the end.
"""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from cbt_core import error_log
from cbt_core.domain.people import TERMINAL, Person
from cbt_core.errors import NotSaved, Refused, StudyError
from cbt_core.generation.run.outcome import Outcome, Progress
from cbt_core.generation.tasks.questions import Questions
from cbt_core.services.runs import model_run
from cbt_core.services.runs.wishes import ANSWERS, Asked, asked_from, wish_of
from cbt_core.settings import ROOT, Settings
from db import people, runs
from db.engine import Database
from db.runs import Counts, Message, Run

DATA: Final = ROOT / "data"
LOG: Final = "log.txt"
QUESTIONS: Final = "questions"


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
        fresh = folder / f"{name}.new"
        shutil.copyfile(questions.path, fresh)
        fresh.replace(folder / name)
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
        found, _ = error_log.record(error)
        told = Message("runs.unexpected", {"id": found})
        return _end(database, run, "failed", clock(), pulse.counts, told)
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
    wish = wish_of(asked, questions_of(run), answers_file(run))
    person = _on_behalf_of(database, run.actor)
    planned = model_run.plan(wish, settings=settings, database=database, now=now)
    return model_run.generate(
        planned, settings=settings, database=database, person=person, now=now, resume=True,
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
