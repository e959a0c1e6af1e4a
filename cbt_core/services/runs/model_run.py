"""A model put to work, text by text: planned first (what, where to, cost), then run, resumed.

Every task goes this one way: the same runner, journal and manifest, and the same rules about what
may leave this machine.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Generic, TypeVar

from cbt_core.domain.people import Person
from cbt_core.generation.backend import LOCAL
from cbt_core.generation.backend.allowance import likely_tokens
from cbt_core.generation.backend.catalogue import OPENAI, Options, make_backend
from cbt_core.generation.backend.exchange import Backend
from cbt_core.generation.run.journal import Outcome, Progress, Stop, beside, config_digest, done_in
from cbt_core.generation.run.manifest import add_to_manifest, read_manifest
from cbt_core.generation.run.runner import require_place, run
from cbt_core.generation.tasks.task import Origin, Task
from cbt_core.services import guard
from cbt_core.services.runs import egress
from cbt_core.services.runs.egress import Sending
from cbt_core.settings import Settings
from db.engine import Database

BATCHES: Final = ".batches.json"
RUN_DIGITS: Final = 16
REPLY_SHARE: Final = 0.5
"""Of the longest reply allowed, what a reply takes in an estimate before any was seen."""

T = TypeVar("T", bound=Task)
AnyTask = TypeVar("AnyTask", bound=Task, covariant=True)


@dataclass(frozen=True, slots=True)
class Plan(Generic[AnyTask]):
    """A task that can be run: everything was read and checked, nothing is loaded or sent.

    `host` is '' when nothing leaves this machine; `waiting` counts the texts without a row;
    `likely_cost` is a guess before the start, None without prices.
    """

    task: AnyTask
    options: Options
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
    def origin(self) -> Origin:
        """Return what rows say of where they come from."""
        return Origin(self.run, self.options.model, self.options.adapter)


def plan(
    task: T,
    options: Options,
    *,
    place: Path,
    settings: Settings,
    database: Database | None,
    now: datetime,
) -> Plan[T]:
    """Return a task that can be run, its rows going to `place`.

    Raises:
        StudyError: the host is not listed, or a source's texts may not leave.
    """
    host = ""
    if options.backend not in LOCAL:
        host = _require_sendable(task, options, settings, database, now)
    config = task.config(options, host)
    waiting = max(task.total - done_in(place, config_digest(config)), 0)
    return _estimated(Plan(task, options, place, config, host, waiting))


def ask(
    plan: Plan[Task],
    *,
    settings: Settings,
    database: Database | None,
    person: Person,
    now: datetime,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Stop | None = None,
) -> Outcome:
    """Run a plan; what leaves this machine is written down before the first text does.

    Raises:
        Refused: the person leads no study. StudyError: the host or a source is no longer allowed,
            or see `runner.run`.
    """
    task, options, place = plan.task, plan.options, plan.place
    sources = dict(task.sources)  # a Counter does not survive `asdict`
    sending = Sending(plan.host, plan.waiting, sources, plan.run)
    with guard.as_sender(database, person, act="ask", now=now):
        require_place(place, resume=options.resume)  # nothing is noted as sent that cannot be
        backend = _backend(plan, settings)
        before = read_manifest(place).get("sent", []) if options.resume else []
        if plan.host and plan.waiting:
            _require_sendable(task, options, settings, database, now)
            egress.note_sending(database, person, sending, now=now, folder=place.parent)
    origin = plan.origin
    outcome = run(
        task.requests(options.decoding), backend, place=place, config=plan.config,
        to_row=lambda request, reply: task.row(request, reply, origin), resume=options.resume,
        total=task.total, on_progress=on_progress, stop=stop, limits=options.limits,
    )
    note = {**asdict(sending), "at": now.isoformat(), "actor": person.code,
            "audited": database is not None}
    _complete(plan, outcome, [*before, note] if plan.host else [])
    return outcome


def _require_sendable(
    task: Task, options: Options, settings: Settings, database: Database | None, now: datetime
) -> str:
    return egress.require_sendable(
        database, base_url=options.base_url or OPENAI, sources=task.sources, settings=settings,
        now=now,
    )


def _estimated(plan: Plan[T]) -> Plan[T]:
    """Add what the texts without a row are likely to take, from all texts' lengths."""
    task, decoding = plan.task, plan.options.decoding
    if not plan.host or not task.total:
        return plan
    share = plan.waiting / task.total
    tokens = round(sum(likely_tokens(request) for request in task.requests(decoding)) * share)
    replies = round(decoding.max_new_tokens * REPLY_SHARE * plan.waiting)
    cost = plan.options.tuning.prices.of(tokens, replies)
    return replace(plan, likely_prompt_tokens=tokens, likely_cost=cost)


def _backend(plan: Plan[Task], settings: Settings) -> Backend:
    return make_backend(
        plan.options, allowed_hosts=settings.allowed_hosts, labels=plan.task.echo_labels,
        memory=beside(plan.place, BATCHES),
    )


def _complete(plan: Plan[Task], outcome: Outcome, sent: list[object]) -> None:
    """Add to the manifest what was sent and what rows hold; a run finished before has that."""
    if outcome.before == outcome.rows and outcome.finished and not outcome.failed:
        return
    more: dict[str, object] = {"run": plan.run, "sent": sent}
    if outcome.finished and outcome.rows:
        more |= plan.task.figures(plan.place)
    add_to_manifest(plan.place, more)
    if outcome.finished and not outcome.failed:
        beside(plan.place, BATCHES).unlink(missing_ok=True)
