"""What a task is to whoever has a model do it: texts as requests, and replies as rows.

`answers`, `detection` and `judgement` hold one each. A task was read and checked; it knows nothing
of where its rows go, which model is asked, or who may ask it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from cbt_core.domain.study import Problem
from cbt_core.errors import StudyError
from cbt_core.generation.backend.catalogue import Options
from cbt_core.generation.backend.exchange import Decoding, Failure, Reply, Request
from cbt_core.generation.run.journal import Row, beside
from cbt_core.generation.run.manifest import FAILED
from cbt_core.generation.tasks.prompts import Form


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows come from: the run's code, and the model and adapter that were asked."""

    run: str
    model: str
    adapter: str


class Task(Protocol):
    """Texts for a model, in an order that does not change."""

    @property
    def total(self) -> int:
        """Return how many texts there are."""
        ...

    @property
    def sources(self) -> Mapping[str, int]:
        """Return the counts of texts by the source of their question."""
        ...

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Return doubts about the files it was read from."""
        ...

    @property
    def echo_labels(self) -> Sequence[str] | None:
        """Return the names echo may report in a dry run; None when it fills the schema."""
        ...

    def config(self, options: Options, host: str) -> Mapping[str, object]:
        """Return all that decides what rows are like: a run is resumed with the same only."""
        ...

    def requests(self, decoding: Decoding) -> Iterator[Request]:
        """Yield a request for each text."""
        ...

    def row(self, request: Request, reply: Reply, origin: Origin) -> Row | Failure:
        """Return the row of a reply, or why it is of no use."""
        ...

    def figures(self, out: Path) -> Mapping[str, object]:
        """Return what the manifest says of finished rows."""
        ...


def form_config(
    form: Form, about: Mapping[str, object], options: Options, host: str
) -> Mapping[str, object]:
    """Return what decides the rows of a task with a form; `about` is what it is asked about."""
    return {
        "task": form.id, **about, **options.deciding(host), "prompt": form.name,
        "prompt_hash": form.hash, "decoding": asdict(options.decoding),
    }


def provenance(form: Form, reply: Reply, origin: Origin) -> Row:
    """Return what every row of a task with a form says about where it comes from."""
    return {
        "model": reply.model or origin.model, "adapter": origin.adapter, "prompt": form.name,
        "prompt_hash": form.hash, "run": origin.run,
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
