"""What a generation would take, before it is started: questions, tokens, money, what leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.domain.study import Problem
from cbt_core.errors import StudyError
from cbt_core.generation.account import likely_tokens
from cbt_core.generation.prompts import load_prompt
from cbt_core.generation.questions import Questions
from cbt_core.instruments import load_scheme
from cbt_core.services import egress, generating, studies
from cbt_core.services.generating import REPLY_SHARE, Plan
from cbt_core.services.running_wishes import ANSWERS, Asked, command_of, wish_of
from cbt_core.settings import Settings
from db import items
from db.engine import Database

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
    wish = wish_of(asked, questions, NOWHERE / ANSWERS)
    checked = questions.check()
    states, reason = _states(database, asked, checked.sources, settings, now)
    tokens, replies, host, cost = 0, 0, "", None
    too_many = checked.count > settings.browser_questions
    if reason is None:
        planned = generating.plan(wish, settings=settings, database=database, now=now)
        host = planned.host
        if not too_many:
            tokens, replies = _tokens(planned)
            cost = wish.tuning.prices.of(tokens, replies) if host else None
    return Preview(
        asked.backend, checked.count, checked.digest, host, states, tokens, replies, cost,
        too_many, command_of(asked), reason, checked.warnings,
    )


def prompt_text(asked: Asked) -> str:
    """Return what a model is told, with places for question and description.

    Raises:
        StudyError: no such prompt or scheme.
    """
    found = load_prompt(asked.prompt, asked.prompt_language)
    scheme = load_scheme(asked.scheme) if found.needs_scheme else None
    messages = found.messages("{question}", "{description}", scheme)
    return "\n\n".join(f"[{one.role}]\n{one.content.strip()}" for one in messages)


def study_questions(
    database: Database, person: Person, *, slug: str, now: datetime
) -> Sequence[Mapping[str, str]]:
    """Return the questions of a study the person leads, as rows of a questions file.

    Raises:
        StudyError: no such study. Refused: the person does not lead it.
    """
    study = studies.led_by(database, person, slug, act="study_questions", now=now)
    with database.reading() as connection:
        found = [one for one in items.in_use(connection, study.id) if one.kind == MAIN]
    return [
        {"id": one.key, "question": one.question, "description": one.description,
         "keywords": "|".join(one.keywords), "source": one.source, "licence": one.licence,
         "risk": one.risk}
        for one in found
    ]


def _states(
    database: Database, asked: Asked, sources: Mapping[str, int], settings: Settings,
    now: datetime,
) -> tuple[tuple[SourceState, ...], StudyError | None]:
    """Return the state of each source, and the first reason why nothing may be sent."""
    if asked.backend != "openai":
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


def _tokens(planned: Plan) -> tuple[int, int]:
    tokens = sum(likely_tokens(request) for request in planned.requests())
    longest = planned.wish.decoding.max_new_tokens
    return tokens, round(longest * REPLY_SHARE * planned.total)
