"""Questions to answers: what is wished, the plan that can be run, and replies turned into rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.study import Problem
from cbt_core.generation.backend.catalogue import Tuning
from cbt_core.generation.backend.exchange import Decoding, Failure, Reply, Request
from cbt_core.generation.run.journal import Row, config_digest
from cbt_core.generation.tasks.model_task import RUN_DIGITS
from cbt_core.generation.tasks.prompts import Prompt
from cbt_core.generation.tasks.questions import Questions
from cbt_core.generation.tasks.reply_reader import Fault, Parsed, parse_reply


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
