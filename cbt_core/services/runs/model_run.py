"""A model put to work, text by text: planned first (what, where to, cost), then run, resumed.

Answers, and tasks with a reply of their own (detection, judging), have the same runner, journal
and manifest, and the same rules about what may leave this machine.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.people import Person
from cbt_core.errors import StudyError
from cbt_core.files.limits import SYSTEM_CHARACTERS
from cbt_core.generation.backend.allowance import likely_tokens
from cbt_core.generation.backend.catalogue import OPENAI, make_backend
from cbt_core.generation.backend.echo import SchemaEcho
from cbt_core.generation.backend.exchange import Backend
from cbt_core.generation.run.journal import beside, config_digest, done_in
from cbt_core.generation.run.manifest import add_to_manifest, found_in, read_manifest
from cbt_core.generation.run.outcome import Limits, Outcome, Progress, Stop
from cbt_core.generation.run.runner import ToRow, require_place, run
from cbt_core.generation.tasks.answers import Plan, Reader, Wish
from cbt_core.generation.tasks.model_task import Asking, Model, Task
from cbt_core.generation.tasks.prompts import Prompt, load_prompt
from cbt_core.instruments import load_scheme
from cbt_core.services import guard
from cbt_core.services.runs import egress
from cbt_core.services.runs.egress import Sending
from cbt_core.settings import Settings
from db.engine import Database

BATCHES: Final = ".batches.json"
REPLY_SHARE: Final = 0.5
"""Of the longest reply allowed, what a reply takes in an estimate before any was seen."""


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
    with guard.as_sender(database, person, act="ask", now=now):
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


def plan(
    wish: Wish, *, settings: Settings, database: Database | None, now: datetime
) -> Plan:
    """Read and check everything a run needs.

    Raises:
        ImportProblems: the questions cannot be read.
        StudyError: prompt, scheme or system name are wrong, or the texts may not leave.
    """
    _check_system(wish.system)
    prompt = load_prompt(wish.prompt, wish.prompt_language)
    scheme = load_scheme(wish.scheme) if prompt.needs_scheme or prompt.reply == "json" else None
    checked = wish.questions.check()
    host = ""
    if wish.backend == "openai":
        host = egress.require_sendable(
            database, base_url=wish.base_url or OPENAI, sources=checked.sources,
            settings=settings, now=now,
        )
    config = _answers_config(wish, prompt, scheme, host) | {"questions": checked.digest}
    waiting = max(checked.count - done_in(wish.out, config_digest(config)), 0)
    made = Plan(
        wish, prompt, scheme, config, checked.count, waiting, checked.sources, host, 0, None,
        checked.warnings,
    )
    return _estimated_answers(made)


def generate(
    planned: Plan,
    *,
    settings: Settings,
    database: Database | None,
    person: Person,
    now: datetime,
    resume: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Stop | None = None,
    limits: Limits | None = None,
) -> Outcome:
    """Run a plan; what leaves this machine is written down before the first text does.

    Raises:
        Refused: the person leads no study. StudyError: the host or a source is no longer allowed,
            or see `runner.run`.
    """
    wish = planned.wish
    with guard.as_sender(database, person, act="generate", now=now):
        require_place(wish.out, resume=resume)  # nothing is noted as sent that cannot be
        backend = _answers_backend(planned, settings)
        before = read_manifest(wish.out).get("sent", []) if resume else []
        sending = Sending(planned.host, planned.waiting, planned.sources, planned.run)
        if planned.host and planned.waiting:
            egress.require_sendable(
                database, base_url=wish.base_url or OPENAI, sources=planned.sources,
                settings=settings, now=now,
            )
            egress.note_sending(database, person, sending, now=now, folder=wish.out.parent)
    outcome = run(
        planned.requests(), backend, place=wish.out, to_row=Reader(planned).row,
        config=planned.config, resume=resume, total=planned.total, on_progress=on_progress,
        stop=stop, limits=limits,
    )
    note = {**asdict(sending), "at": now.isoformat(), "actor": person.code,
            "audited": database is not None}
    _complete_answers(planned, outcome, [*before, note] if planned.host else [])
    return outcome


def _complete_answers(planned: Plan, outcome: Outcome, sent: list[object]) -> None:
    """Add to the manifest what was sent and what the rows hold; a finished run had that before."""
    if outcome.before == outcome.rows and outcome.finished and not outcome.failed:
        return
    out = planned.wish.out
    more: dict[str, object] = {"run": planned.run, "sent": sent}
    if outcome.finished and outcome.rows:
        more["found"] = found_in(out)
    add_to_manifest(out, more)
    if outcome.finished and not outcome.failed:
        beside(out, BATCHES).unlink(missing_ok=True)


def _check_system(name: str) -> None:
    if not name.strip() or name != name.strip() or not name.isprintable():
        raise StudyError("generation.system_name", limit=SYSTEM_CHARACTERS)
    if len(name) > SYSTEM_CHARACTERS:
        raise StudyError("generation.system_name", limit=SYSTEM_CHARACTERS)


def _answers_config(
    wish: Wish, prompt: Prompt, scheme: Scheme | None, host: str
) -> dict[str, object]:
    """Return all that decides what rows are like; speed and money are not among it."""
    decoding = wish.decoding
    return {
        "system": wish.system, "backend": wish.backend, "model": wish.model,
        "adapter": wish.adapter, "revision": wish.tuning.revision, "host": host,
        "prompt": prompt.id, "prompt_version": prompt.version,
        "prompt_language": prompt.language, "prompt_hash": prompt.hash(scheme),
        "scheme": scheme.signature if scheme else "",
        "decoding": {
            "max_new_tokens": decoding.max_new_tokens, "temperature": decoding.temperature,
            "top_p": decoding.top_p, "repetition_penalty": decoding.repetition_penalty,
            "seed": decoding.seed,
        },
    }


def _estimated_answers(planned: Plan) -> Plan:
    """Add what the questions without a row are likely to take, from all questions' lengths."""
    prices = planned.wish.tuning.prices
    if not planned.host or not planned.total:
        return planned
    share = planned.waiting / planned.total
    tokens = round(sum(likely_tokens(request) for request in planned.requests()) * share)
    replies = round(planned.wish.decoding.max_new_tokens * REPLY_SHARE * planned.waiting)
    return replace(planned, likely_prompt_tokens=tokens, likely_cost=prices.of(tokens, replies))


def _answers_backend(planned: Plan, settings: Settings) -> Backend:
    wish = planned.wish
    tuning = wish.tuning
    if wish.backend == "echo" and planned.scheme:
        names = [label.name(planned.prompt.language) for label in planned.scheme.labels]
        tuning = replace(tuning, labels=names)
    if tuning.batch:
        tuning = replace(tuning, batch_file=str(beside(wish.out, BATCHES)))
    return make_backend(
        wish.backend, model=wish.model, adapter=wish.adapter or None,
        base_url=wish.base_url or None, allowed_hosts=settings.allowed_hosts, tuning=tuning,
    )
