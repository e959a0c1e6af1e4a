"""The process of a run: its files are laid down, it is started apart from the server."""

import os
import shutil
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cbt_core.errors import StudyError
from cbt_core.generation.questions import Questions
from cbt_core.services.running_wishes import ANSWERS, Asked
from cbt_core.settings import ROOT, Settings
from db import runs
from db.engine import Database
from db.runs import Message, Run

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
        raise StudyError("running.no_folder", cause=error.strerror or "") from error
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
        raise StudyError("running.no_files", run=run.code)
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
        raise StudyError("running.not_started", cause=error.strerror or "") from error
    # Somebody has to take note of its end, or its number would look alive for ever.
    threading.Thread(target=process.wait, daemon=True, name=f"run-{code}").start()


def _not_started(database: Database, code: str, now: datetime) -> None:
    with database.writing() as connection:
        seen = runs.by_code(connection, code)
        if seen is not None:
            message = Message("running.not_started", {"cause": ""})
            runs.end(connection, seen, status="failed", now=now, message=message)
