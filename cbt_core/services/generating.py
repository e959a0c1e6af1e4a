"""Questions to answers: planned first (what, where to, at what cost), then run and resumed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.people import Person
from cbt_core.domain.study import Problem
from cbt_core.errors import Refused, StudyError
from cbt_core.files.limits import SYSTEM_CHARACTERS
from cbt_core.generation.account import likely_tokens
from cbt_core.generation.backend import Backend, Decoding, Failure, Reply, Request
from cbt_core.generation.backends import OPENAI, Tuning, make_backend
from cbt_core.generation.finishing import add_to_manifest, read_manifest
from cbt_core.generation.journal import beside, config_digest, done_in
from cbt_core.generation.lines import Row
from cbt_core.generation.manifest import found_in
from cbt_core.generation.outcome import Limits, Outcome, Progress, Stop
from cbt_core.generation.parsing import Fault, Parsed, parse_reply
from cbt_core.generation.prompts import Prompt, load_prompt
from cbt_core.generation.questions import Questions
from cbt_core.generation.runner import require_place, run
from cbt_core.instruments import load_scheme
from cbt_core.services import egress
from cbt_core.services.egress import Sending
from cbt_core.settings import Settings
from db.engine import Database

RUN_DIGITS: Final = 16
BATCHES: Final = ".batches.json"
REPLY_SHARE: Final = 0.5
"""Of the longest reply allowed, what a reply takes in an estimate before any was seen."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be generated. `base_url` is for openai; `prompt` a shipped name or a file."""

    questions: Questions
    system: str
    backend: str
    model: str
    out: Path
    adapter: str = ""
    prompt: str = "cbt"
    prompt_language: str = "zh"
    scheme: str = "burns-12"
    base_url: str = ""
    decoding: Decoding = field(default_factory=Decoding)
    tuning: Tuning = field(default_factory=Tuning)


@dataclass(frozen=True, slots=True)
class Plan:
    """A wish that can be run: everything was read and checked, nothing is loaded or sent.

    `host` is '' when nothing leaves this machine; `waiting` counts the questions without a row;
    `likely_cost` is a guess before the start, None without prices.
    """

    wish: Wish
    prompt: Prompt
    scheme: Scheme | None
    config: Mapping[str, object]
    total: int
    waiting: int
    sources: Mapping[str, int]
    host: str
    likely_prompt_tokens: int
    likely_cost: float | None
    warnings: tuple[Problem, ...]

    @property
    def run(self) -> str:
        """Return the run's code: the same settings, the same code."""
        return config_digest(self.config)[:RUN_DIGITS]

    def requests(self) -> Iterator[Request]:
        """Yield a request for each question, in the order of the file."""
        for one in self.wish.questions:
            messages = self.prompt.messages(one.question, one.description, self.scheme)
            yield Request(one.key, messages, self.wish.decoding, self.prompt.schema)


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
    config = _config(wish, prompt, scheme, host) | {"questions": checked.digest}
    waiting = max(checked.count - done_in(wish.out, config_digest(config)), 0)
    made = Plan(
        wish, prompt, scheme, config, checked.count, waiting, checked.sources, host, 0, None,
        checked.warnings,
    )
    return _estimated(made)


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
    if database is not None:
        egress.require_lead(database, person, act="generate", now=now)
    elif not person.is_terminal:
        raise Refused("access.not_allowed")
    wish = planned.wish
    require_place(wish.out, resume=resume)  # nothing is noted as sent that cannot be
    backend = _backend(planned, settings)
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
    _complete(planned, outcome, [*before, note] if planned.host else [])
    return outcome


def _complete(planned: Plan, outcome: Outcome, sent: list[object]) -> None:
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


class Reader:
    """Turns replies into rows of the answers file."""

    def __init__(self, planned: Plan) -> None:
        """Prepare what every row of the run has in common."""
        self._prompt, self._scheme, self._wish = planned.prompt, planned.scheme, planned.wish
        self._run = planned.run
        self._hash = planned.prompt.hash(planned.scheme)
        self._name = f"{planned.prompt.id}@{planned.prompt.version}.{planned.prompt.language}"

    def row(self, request: Request, reply: Reply) -> Row | Failure:
        """Return the row of a reply, or why it is of no use."""
        found = parse_reply(reply.text, self._prompt.reply, self._scheme)
        if isinstance(found, Fault):
            return Failure(request.key, found.cause, found.detail, reply.text)
        return self._row(request.key, reply, found)

    def _row(self, key: str, reply: Reply, found: Parsed) -> Row:
        return {
            "id": key, "system": self._wish.system, "answer": found.answer,
            "distortions": list(found.distortions), "model": reply.model or self._wish.model,
            "adapter": self._wish.adapter, "prompt": self._name, "run": self._run,
            "prompt_hash": self._hash, "steps": dict(found.steps),
            "evidence": [{"label": one.label, "quote": one.quote} for one in found.evidence],
            "unknown_distortions": list(found.unknown), "risk": found.risk,
        }


def _check_system(name: str) -> None:
    if not name.strip() or name != name.strip() or not name.isprintable():
        raise StudyError("generating.system_name", limit=SYSTEM_CHARACTERS)
    if len(name) > SYSTEM_CHARACTERS:
        raise StudyError("generating.system_name", limit=SYSTEM_CHARACTERS)


def _config(
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


def _estimated(planned: Plan) -> Plan:
    """Add what the questions without a row are likely to take, from all questions' lengths."""
    prices = planned.wish.tuning.prices
    if not planned.host or not planned.total:
        return planned
    share = planned.waiting / planned.total
    tokens = round(sum(likely_tokens(request) for request in planned.requests()) * share)
    replies = round(planned.wish.decoding.max_new_tokens * REPLY_SHARE * planned.waiting)
    return replace(planned, likely_prompt_tokens=tokens, likely_cost=prices.of(tokens, replies))


def _backend(planned: Plan, settings: Settings) -> Backend:
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
