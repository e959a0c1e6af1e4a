"""Putting a task to a model, text by text: checked and counted first, then run and resumed.

What `generating` does for answers, for tasks with a reply of their own (detection, judging): the
same runner, journal, manifest, and the same rules about what may leave this machine.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.errors import Refused, StudyError
from cbt_core.generation.account import likely_tokens
from cbt_core.generation.backend import Backend, Decoding, Failure, Reply, Request
from cbt_core.generation.backends import OPENAI, Tuning, make_backend
from cbt_core.generation.finishing import FAILED, add_to_manifest, read_manifest
from cbt_core.generation.forms import Form
from cbt_core.generation.journal import beside, config_digest, done_in
from cbt_core.generation.lines import Row
from cbt_core.generation.outcome import Limits, Outcome, Progress, Stop
from cbt_core.generation.runner import require_place, run
from cbt_core.generation.schema_echo import SchemaEcho
from cbt_core.services import egress
from cbt_core.services.egress import Sending
from cbt_core.settings import Settings
from db.engine import Database

RUN_DIGITS: Final = 16
BATCHES: Final = ".batches.json"
REPLY_SHARE: Final = 0.5
"""Of the longest reply allowed, what a reply takes in an estimate before any was seen."""

ToRow = Callable[[Request, Reply], Row | Failure]
Requests = Callable[[], Iterator[Request]]


@dataclass(frozen=True, slots=True)
class Model:
    """Which model is asked, and how; `base_url` is for openai, `adapter` for transformers."""

    backend: str
    model: str
    adapter: str = ""
    base_url: str = ""
    decoding: Decoding = field(default_factory=Decoding)
    tuning: Tuning = field(default_factory=Tuning)


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked: a form, a request for each text, in an order that does not change.

    `about` is what else decides the rows (it goes into the run's settings); `sources` counts the
    texts by the source of their question.
    """

    form: Form
    requests: Requests
    total: int
    sources: Mapping[str, int]
    about: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Asking:
    """A task that can be run: everything was read and checked, nothing is loaded or sent.

    `host` is '' when nothing leaves this machine; `waiting` counts the texts without a row;
    `likely_cost` is a guess before the start, None without prices.
    """

    task: Task
    model: Model
    place: Path
    config: Mapping[str, object]
    host: str
    waiting: int
    likely_prompt_tokens: int = 0
    likely_cost: float | None = None

    @property
    def run(self) -> str:
        """Return the run's code: the same settings, the same code."""
        return config_digest(self.config)[:RUN_DIGITS]

    @property
    def source(self) -> str:
        """Return what is stored as the origin: the model and the prompt it was asked with."""
        adapter = f"+{Path(self.model.adapter).name}" if self.model.adapter else ""
        form = self.task.form
        return f"{self.model.model}{adapter} {form.name}#{form.hash[:8]}"

    def provenance(self, reply: Reply) -> Row:
        """Return what every row says about where it comes from."""
        return {
            "model": reply.model or self.model.model, "adapter": self.model.adapter,
            "prompt": self.task.form.name, "prompt_hash": self.task.form.hash, "run": self.run,
        }


def prepare(
    task: Task,
    model: Model,
    *,
    place: Path,
    settings: Settings,
    database: Database | None,
    now: datetime,
) -> Asking:
    """Return a task that can be run.

    Raises:
        StudyError: the host is not listed, or a source's texts may not leave.
    """
    host = ""
    if model.backend == "openai":
        host = egress.require_sendable(
            database, base_url=model.base_url or OPENAI, sources=task.sources,
            settings=settings, now=now,
        )
    config = _config(task, model, host)
    waiting = max(task.total - done_in(place, config_digest(config)), 0)
    return _estimated(Asking(task, model, place, config, host, waiting))


def ask(
    asking: Asking,
    *,
    to_row: ToRow,
    settings: Settings,
    database: Database | None,
    person: Person,
    now: datetime,
    resume: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Stop | None = None,
    limits: Limits | None = None,
) -> Outcome:
    """Run a task; what leaves this machine is written down before the first text does.

    Raises:
        Refused: the person leads no study. StudyError: the host or a source is no longer allowed,
            or see `runner.run`.
    """
    if database is not None:
        egress.require_lead(database, person, act="ask", now=now)
    elif not person.is_terminal:
        raise Refused("access.not_allowed")
    require_place(asking.place, resume=resume)  # nothing is noted as sent that cannot be
    backend = _backend(asking, settings)
    before = read_manifest(asking.place).get("sent", []) if resume else []
    sources = dict(asking.task.sources)  # a Counter does not survive `asdict`
    sending = Sending(asking.host, asking.waiting, sources, asking.run)
    if asking.host and asking.waiting:
        egress.require_sendable(
            database, base_url=asking.model.base_url or OPENAI, sources=asking.task.sources,
            settings=settings, now=now,
        )
        egress.note_sending(database, person, sending, now=now, folder=asking.place.parent)
    outcome = run(
        asking.task.requests(), backend, place=asking.place, to_row=to_row, config=asking.config,
        resume=resume, total=asking.task.total, on_progress=on_progress, stop=stop, limits=limits,
    )
    note = {**asdict(sending), "at": now.isoformat(), "actor": person.code,
            "audited": database is not None}
    _complete(asking, outcome, [*before, note] if asking.host else [])
    return outcome


def failed_file(place: Path) -> Path:
    """Return the file of the texts without a usable reply; it is there only if there are any."""
    return beside(place, FAILED)


def rows_of(place: Path) -> list[dict[str, object]]:
    """Return the rows of a finished run.

    Raises:
        StudyError: there is none.
    """
    try:
        with place.open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except (OSError, ValueError) as error:
        raise StudyError("detecting.no_file", file=place) from error


def _complete(asking: Asking, outcome: Outcome, sent: list[object]) -> None:
    """Add to the manifest what was sent; a run that was finished before has that already."""
    if outcome.before == outcome.rows and outcome.finished and not outcome.failed:
        return
    add_to_manifest(asking.place, {"run": asking.run, "sent": sent})
    if outcome.finished and not outcome.failed:
        beside(asking.place, BATCHES).unlink(missing_ok=True)


def _config(task: Task, model: Model, host: str) -> dict[str, object]:
    """Return all that decides what rows are like; speed and money are not among it."""
    return {
        "task": task.form.id, **task.about,
        "backend": model.backend, "model": model.model, "adapter": model.adapter,
        "revision": model.tuning.revision, "host": host, "prompt": task.form.name,
        "prompt_hash": task.form.hash, "decoding": asdict(model.decoding),
    }


def _estimated(asking: Asking) -> Asking:
    """Add what the texts without a row are likely to take, from all texts' lengths."""
    task = asking.task
    if not asking.host or not task.total:
        return asking
    share = asking.waiting / task.total
    tokens = round(sum(likely_tokens(request) for request in task.requests()) * share)
    replies = round(asking.model.decoding.max_new_tokens * REPLY_SHARE * asking.waiting)
    cost = asking.model.tuning.prices.of(tokens, replies)
    return replace(asking, likely_prompt_tokens=tokens, likely_cost=cost)


def _backend(asking: Asking, settings: Settings) -> Backend:
    model = asking.model
    tuning = model.tuning
    if model.backend == "echo" and not tuning.labels:
        return SchemaEcho(model.model, delay=tuning.delay, concurrency=tuning.concurrency or 8)
    if tuning.batch:
        tuning = replace(tuning, batch_file=str(beside(asking.place, BATCHES)))
    return make_backend(
        model.backend, model=model.model, adapter=model.adapter or None,
        base_url=model.base_url or None, allowed_hosts=settings.allowed_hosts, tuning=tuning,
    )
