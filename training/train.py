"""One run from rows to an adapter: check, load, learn, write down."""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

from cbt_core.errors import StudyError
from cbt_core.files.writer import write_text
from cbt_core.generation.backend.model_folder import MARK, Source
from cbt_core.generation.backend.model_weights import out_of_memory
from cbt_core.generation.dataset.near_texts import question_matches
from training import run_record
from training.config import Described, plain
from training.data import Rows, file_names, questions, read_rows
from training.demand import check_room, plan
from training.run_record import Tell, Watcher, checks, curve

if TYPE_CHECKING:
    from training.session import Session


FINISHED, RUNNING = "finished", "running"
CONFIG: Final = "config.json"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller of a run wants beside its configuration.

    `against` are question and description of every study's items, None without a database.
    """

    resume: bool = False
    allow_leakage: bool = False
    against: Sequence[tuple[str, str]] | None = None


def train(described: Described, wishes: Wishes, *, tell: Tell, now: datetime) -> Path:
    """Tune a model and return the folder of the adapter.

    Raises:
        StudyError: data, model, hardware or folder stand in the way; rows stand in a study.
    """
    began, config = monotonic(), described.config
    rows = read_rows(config)
    leaked = refuse_leakage(rows, wishes)
    digests = (config.digest, rows.digest)
    checkpoint = run_record.resume_point(
        config.folder, run_record.read_manifest(config.folder), digests, resume=wishes.resume
    )
    source, expected, number = plan(described)
    check_room(described, expected, tell)
    from training.session import Session

    with _explained(described), _quiet():
        session = Session.open(described, source, rows, precision=number)
        record = _record(described, session, rows, now) | {"leaked_rows": leaked}
        watcher = Watcher(tell, _keeper(config.folder, record, session))
        _say_start(tell, session, checkpoint)
        session.learn(watcher, checkpoint)
    finished = now + timedelta(seconds=monotonic() - began)
    return _write_down(described, session, record, leaked, finished)


def refuse_leakage(rows: Rows, wishes: Wishes) -> int | None:
    """Return how many rows nearly stand in a study; None where there was nothing to look in.

    Raises:
        StudyError: some do, and the caller has not allowed it.
    """
    if wishes.against is None:
        return None
    matches = question_matches(questions(rows), list(wishes.against))
    if matches and not wishes.allow_leakage:
        keys = [one.key for one in (*rows.train, *rows.validation)]
        listed = ", ".join(keys[match.text] for match in matches[:5])
        raise StudyError("training.leakage", count=len(matches), of=len(keys), keys=listed)
    return len(matches)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' talk of their own next versions off the terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", UserWarning)
        yield


class _explained(AbstractContextManager[None]):  # noqa: N801 - reads as: with _explained(…)
    """Turns running out of memory into a sentence with what to change."""

    def __init__(self, described: Described) -> None:
        self.described = described

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None and not isinstance(error, StudyError) and out_of_memory(error):
            raise StudyError(
                "training.out_of_memory", batch=self.described.config.batch,
                tokens=self.described.config.max_tokens,
            ) from error


def _record(
    described: Described, session: "Session", rows: Rows, now: datetime
) -> dict[str, object]:
    """Return the manifest of a run that begins."""
    config = described.config
    return {
        "kind": "training", "state": RUNNING, "title": described.title,
        "started": now.isoformat(timespec="seconds"),
        "config": plain(config), "origins": dict(described.origins),
        "sources": dict(described.sources), "config_digest": config.digest,
        "data_digest": rows.digest, "files": dict(file_names(config)),
        "base": dict(session.source.describe()), **session.describe(),
        **run_record.environment(session.device),
    }


def _keeper(
    folder: Path, record: Mapping[str, object], session: "Session"
) -> Callable[[Sequence[Mapping[str, float]]], None]:
    if session.leads:
        run_record.write_manifest(folder, record)

    def keep(history: Sequence[Mapping[str, float]]) -> None:
        run_record.write_manifest(
            folder, {**record, "curve": curve(history), "checks": checks(history)}
        )

    return keep


def _say_start(tell: Tell, session: "Session", checkpoint: Path | None) -> None:
    if not session.leads:
        return
    if checkpoint is not None:
        tell("goes_on", {"checkpoint": checkpoint.name})
    counts = session.describe()
    tell("begins", {"rows": counts["train_rows"], "validation": counts["validation_rows"],
                    "shortened": counts["shortened"], "left_out": counts["left_out"]})


def _write_down(
    described: Described, session: "Session", record: Mapping[str, object], leaked: int | None,
    finished: datetime,
) -> Path:
    """Save adapter, settings, card and the finished manifest; only one process writes."""
    folder = described.config.folder
    outcome = session.outcome()
    session.save(folder)
    if not session.leads:
        return folder
    write_text(json.dumps(_mark(described, session.source)), folder / MARK)
    settings = {name: {"value": value, "origin": described.origin(name)}
                for name, value in plain(described.config).items()}
    write_text(json.dumps(settings, ensure_ascii=False, indent=1), folder / CONFIG)
    when = finished.isoformat(timespec="seconds")
    english, chinese = run_record.overlap_words(leaked)
    run_record.write_card(folder, described, session.source, {
        "files": ", ".join(file_names(described.config).values()),
        "train": record["train_rows"], "validation": record["validation_rows"],
        "data": record["data_digest"], "config": record["config_digest"],
        "leakage": english, "leakage_zh": chinese, "when": when, **_shown(outcome),
    })
    run_record.write_manifest(folder, {**record, **outcome, "state": FINISHED, "finished": when})
    return folder


def _mark(described: Described, source: Source) -> dict[str, str]:
    """Return what later commands need to find the base and its template again."""
    return {"profile": source.profile.id if source.profile else "",
            "base": described.config.base, "revision": source.revision}


def _shown(outcome: Mapping[str, object]) -> dict[str, object]:
    losses, checked = outcome["curve"], outcome["checks"]
    return {
        "steps": outcome["steps"],
        "loss": f"{losses[-1]['loss']:.4f}" if isinstance(losses, list) and losses else "–",
        "best": f"{min(one['loss'] for one in checked):.4f}"
        if isinstance(checked, list) and checked else "–",
    }


def moved(described: Described, folder: Path | None) -> Described:
    """Return the configuration with another folder for what is written."""
    if folder is None:
        return described
    return replace(described, config=replace(described.config, folder=folder))
