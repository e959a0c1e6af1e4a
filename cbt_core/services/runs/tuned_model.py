"""Tuning a model: what the terminal asks for, with every study's questions to check against."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cbt_core.services.operations import storage
from db import items, studies
from db.engine import Database

Tell = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller of a run wants beside its configuration file."""

    folder: Path | None = None
    resume: bool = False
    allow_leakage: bool = False


def train_file(
    database: Database, config: Path, asked: Asked, *, tell: Tell, now: datetime
) -> Path:
    """Tune a model as a configuration file says; return the adapter's folder.

    Where there is a database, rows that nearly stand in any study are refused: a study of this
    model on questions it was trained on would prove nothing.

    Raises:
        StudyError: the file, the data, the model or the hardware stand in the way.
    """
    from training.config import read_config
    from training.train import Wishes, moved, train

    described = moved(read_config(config), asked.folder)
    against = study_questions(database)
    if against is None:
        tell("no_studies", {})
    wishes = Wishes(resume=asked.resume, allow_leakage=asked.allow_leakage, against=against)
    return train(described, wishes, tell=tell, now=now)


def study_questions(database: Database) -> list[tuple[str, str]] | None:
    """Return question and description of every item of every study; None without a database.

    Raises:
        StudyError: the database is of another version.
    """
    if not storage.exists(database):
        return None
    storage.require_current(database)
    with database.reading() as connection:
        return [
            (one.question, one.description)
            for study in studies.every(connection) for one in items.stream(connection, study.id)
        ]


def memory_needed(config: Path) -> Mapping[str, object]:
    """Return the memory a configuration would take, as shown; nothing is loaded or fetched.

    Raises:
        StudyError: the file is wrong, or the model's sizes are not known here.
    """
    from training.config import read_config
    from training.demand import estimated

    return estimated(read_config(config))


def merge_adapter(
    adapter: Path, out: Path, *, base: str = "", revision: str = "",
    trust_remote_code: bool = False,
) -> float:
    """Write adapter and base as one folder; return the largest difference of log-probabilities.

    Raises:
        StudyError: no adapter or base, the folder is taken, or the merged model differs.
    """
    from training.merge import merge

    return merge(
        adapter, out, base=base, revision=revision, trust_remote_code=trust_remote_code
    ).difference
