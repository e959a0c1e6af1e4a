"""What a generation in the browser may ask for, and what it would take before it is started.

Everything is a name from a list, nothing a path; told are questions, tokens, money, and what
leaves.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cbt_core.domain.people import Person
from cbt_core.domain.study import Problem
from cbt_core.errors import StudyError
from cbt_core.generation.backend import BACKENDS, LOCAL
from cbt_core.generation.backend.allowance import Budget, Prices, likely_tokens
from cbt_core.generation.backend.catalogue import Options, Tuning
from cbt_core.generation.backend.exchange import Decoding
from cbt_core.generation.backend.model_folder import models_folder
from cbt_core.generation.tasks.answers import Answers, answers_to
from cbt_core.generation.tasks.prompts import load_prompt, shipped_prompts
from cbt_core.generation.tasks.questions import Questions
from cbt_core.instruments import load_scheme, shipped_schemes
from cbt_core.services import guard
from cbt_core.services.runs import egress, model_run
from cbt_core.services.runs.model_run import REPLY_SHARE
from cbt_core.settings import Settings
from db import items
from db.engine import Database

ANSWERS: Final = "answers.jsonl"
LANGUAGES: Final = ("zh", "en")
ADDRESS_CHARACTERS: Final = 300
MODEL_CHARACTERS: Final = 200
LONGEST_REPLY: Final = 8192


@dataclass(frozen=True, slots=True)
class Asked:
    """What a lead chose. `model` and `adapter` of a local model are names from `local_models`.

    Prices are money for a million tokens and `budget` the most the run may cost, all in one
    currency; None: not known, no limit. `delay` is echo's, in seconds a reply.
    """

    system: str
    backend: str
    model: str = ""
    adapter: str = ""
    base_url: str = ""
    prompt: str = "cbt"
    prompt_language: str = "zh"
    scheme: str = "burns-12"
    decoding: Decoding = field(default_factory=Decoding)
    price_in: float | None = None
    price_out: float | None = None
    budget: float | None = None
    delay: float = 0.0

    def stored(self) -> dict[str, object]:
        """Return what is asked for as JSON values."""
        return asdict(self)


def asked_from(stored: Mapping[str, Any]) -> Asked:
    """Return what was stored; names that are not (any more) known are passed over."""
    names = {one.name for one in fields(Asked)}
    given = {name: value for name, value in stored.items() if name in names}
    return Asked(**{**given, "decoding": Decoding(**stored["decoding"])})


def local_models() -> Sequence[str]:
    """Return the models in the server's folder: folders with a config.json, and GGUF files."""
    return _found("config.json", files=".gguf")


def local_adapters() -> Sequence[str]:
    """Return the adapters in the server's folder."""
    return _found("adapter_config.json")


def options_of(asked: Asked, *, resume: bool = False) -> Options:
    """Return how the model is asked, every choice checked against what the server offers.

    Raises:
        StudyError: a choice is not offered, or a price is missing.
    """
    _check(asked)
    return Options(
        backend=asked.backend, model=_model(asked),
        adapter=_among(asked.adapter, local_adapters()) if asked.adapter else "",
        base_url=asked.base_url, decoding=asked.decoding, resume=resume,
        tuning=Tuning(
            prices=Prices(asked.price_in, asked.price_out), budget=Budget(asked.budget, None),
            delay=asked.delay, concurrency=1 if asked.delay else 0,
        ),
    )


def task_of(asked: Asked, questions: Questions) -> Answers:
    """Return the questions as they are to be answered.

    Raises:
        ImportProblems: the questions cannot be read. StudyError: the system's name is none.
    """
    return answers_to(
        questions, system=asked.system, prompt=asked.prompt, language=asked.prompt_language,
        scheme=asked.scheme,
    )


def command_of(asked: Asked, limit: int | None = None) -> str:
    """Return the terminal's command for the same wish; the questions' file is left to fill in."""
    given = {
        "questions": "QUESTIONS.jsonl", "system": asked.system, "backend": asked.backend,
        "model": _typed_model(asked), "base-url": asked.base_url,
        "adapter": _shown_place(asked.adapter), "prompt": asked.prompt,
        "lang-prompt": asked.prompt_language, "scheme": asked.scheme,
        "temperature": asked.decoding.temperature, "top-p": asked.decoding.top_p,
        "max-new-tokens": asked.decoding.max_new_tokens, "seed": asked.decoding.seed,
        "price-in": asked.price_in, "price-out": asked.price_out, "budget": asked.budget,
        "limit": limit, "out": "answers.jsonl",
    }
    parts = [f"--{name} {shlex.quote(str(value))}" for name, value in given.items()
             if value not in {None, ""}]
    return "python -m cbt_core generate " + " ".join(parts)


def _check(asked: Asked) -> None:
    offered = {
        "backend": (asked.backend, BACKENDS), "prompt": (asked.prompt, shipped_prompts()),
        "prompt_language": (asked.prompt_language, LANGUAGES),
        "scheme": (asked.scheme, shipped_schemes()),
    }
    for name, (value, known) in offered.items():
        if value not in known:
            raise StudyError("runs.not_offered", name=name, known=", ".join(known))
    if len(asked.base_url) > ADDRESS_CHARACTERS or len(asked.model) > MODEL_CHARACTERS:
        raise StudyError("runs.too_long")
    if asked.adapter and asked.backend != "transformers":
        raise StudyError("generation.no_adapter", backend=asked.backend)
    if asked.budget is not None and (asked.price_in is None or asked.price_out is None):
        raise StudyError("runs.budget_without_prices")
    _check_decoding(asked.decoding)


def _check_decoding(decoding: Decoding) -> None:
    fits = (
        1 <= decoding.max_new_tokens <= LONGEST_REPLY and 0 <= decoding.temperature <= 2
        and 0 < decoding.top_p <= 1 and 0 < decoding.repetition_penalty <= 10
    )
    if not fits:
        raise StudyError("runs.decoding", most=LONGEST_REPLY)


def _model(asked: Asked) -> str:
    if asked.backend == "echo":
        return "echo"
    if asked.backend == "transformers":
        return _among(asked.model, local_models())
    if not asked.model.strip() or not asked.base_url.strip():
        raise StudyError("runs.no_endpoint")
    return asked.model.strip()


def _among(name: str, known: Sequence[str]) -> str:
    """Return the place of a listed model: a name that is not listed is no path to follow."""
    if name not in known:
        raise StudyError("runs.no_such_model")
    return str(models_folder() / name)


def _typed_model(asked: Asked) -> str:
    return _shown_place(asked.model) if asked.backend == "transformers" else asked.model


def _shown_place(name: str) -> str:
    return str(models_folder() / name) if name else ""


def _found(mark: str, *, files: str = "") -> Sequence[str]:
    folder = models_folder()
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # no such folder: nothing is offered
        return ()
    return tuple(
        one.name for one in entries
        if (one / mark).is_file() or (files and one.suffix == files and one.is_file())
    )


MAIN: Final = "main"
NOWHERE: Final = Path("no-run-yet")


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source, how many of its texts, and whether they may go; `refusal` None when they may."""

    source: str
    texts: int
    refusal: StudyError | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would be.

    `host` is '' when nothing leaves this machine; tokens are estimates; `cost` is None when no
    price is known. With `reason` it cannot be started; `too_many` sends the lead to `command`.
    """

    backend: str
    total: int
    digest: str
    host: str
    sources: tuple[SourceState, ...]
    prompt_tokens: int
    reply_tokens: int
    cost: float | None
    too_many: bool
    command: str
    reason: StudyError | None = None
    warnings: tuple[Problem, ...] = ()


def preview_of(
    database: Database, asked: Asked, questions: Questions, *, settings: Settings, now: datetime
) -> Preview:
    """Return what a run of this wish would be; nothing is stored, loaded or sent.

    Raises:
        ImportProblems: the questions cannot be read. StudyError: a choice is not offered.
    """
    options = options_of(asked)
    task = task_of(asked, questions)
    states, reason = _states(database, asked, task.sources, settings, now)
    tokens, replies, host, cost = 0, 0, "", None
    too_many = task.total > settings.browser_questions
    if reason is None:
        host = model_run.plan(
            task, options, place=NOWHERE / ANSWERS, settings=settings, database=database, now=now
        ).host
        if not too_many:
            tokens, replies = _tokens(task, asked.decoding)
            cost = options.tuning.prices.of(tokens, replies) if host else None
    return Preview(
        asked.backend, task.total, task.checked.digest, host, states, tokens, replies, cost,
        too_many, command_of(asked), reason, task.warnings,
    )


def prompt_text(asked: Asked) -> str:
    """Return what a model is told, with places for question and description.

    Raises:
        StudyError: no such prompt or scheme.
    """
    prompt = load_prompt(asked.prompt, asked.prompt_language)
    scheme = load_scheme(asked.scheme) if prompt.needs_scheme else None
    messages = prompt.messages("{question}", "{description}", scheme)
    return "\n\n".join(f"[{one.role}]\n{one.content.strip()}" for one in messages)


def study_questions(
    database: Database, person: Person, *, slug: str, now: datetime
) -> Sequence[Mapping[str, str]]:
    """Return the questions of a study the person leads, as rows of a questions file.

    Raises:
        StudyError: no such study. Refused: the person does not lead it.
    """
    lead = guard.as_lead(database, person, study=slug, act="study_questions", now=now)
    with lead.reading() as (connection, study):
        questions = [one for one in items.in_use(connection, study.id) if one.kind == MAIN]
    return [
        {"id": one.key, "question": one.question, "description": one.description,
         "keywords": "|".join(one.keywords), "source": one.source, "licence": one.licence,
         "risk": one.risk}
        for one in questions
    ]


def _states(
    database: Database, asked: Asked, sources: Mapping[str, int], settings: Settings,
    now: datetime,
) -> tuple[tuple[SourceState, ...], StudyError | None]:
    """Return the state of each source, and the first reason why nothing may be sent."""
    if asked.backend in LOCAL:
        return tuple(SourceState(name, count, None) for name, count in sources.items()), None
    egress.require_sendable(
        database, base_url=asked.base_url, sources={}, settings=settings, now=now
    )
    states = []
    for name, count in sources.items():
        refusal = None
        try:
            egress.require_sendable(
                database, base_url=asked.base_url, sources={name: count}, settings=settings,
                now=now,
            )
        except StudyError as error:
            refusal = error
        states.append(SourceState(name, count, refusal))
    return tuple(states), next((one.refusal for one in states if one.refusal), None)


def _tokens(task: Answers, decoding: Decoding) -> tuple[int, int]:
    tokens = sum(likely_tokens(request) for request in task.requests(decoding))
    return tokens, round(decoding.max_new_tokens * REPLY_SHARE * task.total)
