"""A task put to a model text by text, the model it is put to, and the rows of a finished run."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.generation.backend.catalogue import Tuning
from cbt_core.generation.backend.exchange import Decoding, Reply, Request
from cbt_core.generation.run.journal import Row, beside, config_digest
from cbt_core.generation.run.manifest import FAILED
from cbt_core.generation.tasks.prompts import Form

RUN_DIGITS: Final = 16

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
        raise StudyError("detection.no_file", file=place) from error
