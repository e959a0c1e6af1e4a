"""A judge model: asked the raters' questions about one answer at a time, never told whose it is.

Its scores stand in a table of their own. No statistic about people reads them; the analysis shows
them beside people's, from the lock on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cbt_core.domain.instrument import Example, Instrument
from cbt_core.domain.people import Person
from cbt_core.errors import Refused, StudyError
from cbt_core.generation.backend import Failure, Reply, Request
from cbt_core.generation.forms import Form
from cbt_core.generation.judging import (
    judge_form,
    judged_scales,
    read_steps,
    read_verdicts,
    shots_among,
    steps_form,
)
from cbt_core.generation.lines import Row
from cbt_core.generation.outcome import Limits, Outcome, Progress, Stop
from cbt_core.generation.parsing import Fault
from cbt_core.services import asking
from cbt_core.services.asking import Asking, Model
from cbt_core.settings import Settings
from db.engine import Database

NAME_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer as it is put to the judge; `key` tells nothing of whose it is."""

    key: str
    question: str
    description: str
    answer: str


@dataclass(frozen=True, slots=True)
class Judging:
    """A judgement that can be run. `slug` is '' for files.

    `names` gives item and system of each key, for the rows of files only: a study's rows have none.
    """

    asking: Asking
    judge: str
    instrument: Instrument
    names: Mapping[str, tuple[str, str]]
    slug: str = ""

    def row(self, request: Request, reply: Reply) -> Row | Failure:
        """Return the row of a reply, or why it is of no use."""
        if self.asking.task.form.id == "steps":
            return self._steps_row(request.key, reply)
        found = read_verdicts(reply.text, self.instrument)
        if isinstance(found, Fault):
            return Failure(request.key, found.cause, found.detail, reply.text)
        return {
            **self._head(request.key),
            "scores": {one.scale: one.value for one in found},
            "reasons": {one.scale: one.reason for one in found},
            **self._tail(reply),
        }

    def _steps_row(self, key: str, reply: Reply) -> Row | Failure:
        found = read_steps(reply.text, self.instrument)
        if isinstance(found, Fault):
            return Failure(key, found.cause, found.detail, reply.text)
        return {
            **self._head(key),
            "steps": {one.step: one.presence for one in found},
            "reasons": {one.step: one.reason for one in found},
            **self._tail(reply),
        }

    def _head(self, key: str) -> Row:
        if not self.names:
            return {"id": key}
        item, system = self.names[key]
        return {"id": item, "system": system}

    def _tail(self, reply: Reply) -> Row:
        """Return what every row says of its making; `automatic`: no person judged this."""
        return {
            "automatic": True, "judge": self.judge, "instrument": self.instrument.signature,
            "instrument_digest": self.instrument.digest, **self.asking.provenance(reply),
        }


def judge(
    judging: Judging,
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
    """Let the judge work; its file is there when every answer was put to it. See `asking.ask`."""
    return asking.ask(
        judging.asking, to_row=judging.row, settings=settings, database=database, person=person,
        now=now, resume=resume, on_progress=on_progress, stop=stop, limits=limits,
    )


def require_name(name: str) -> None:
    """Refuse a judge's name that cannot stand in a table.

    Raises:
        StudyError: empty, too long, or with characters that do not print.
    """
    if not name or name != name.strip() or not name.isprintable() or len(name) > NAME_CHARACTERS:
        raise StudyError("judging.bad_name", limit=NAME_CHARACTERS)


def form_of(
    instrument: Instrument, language: str, *, steps: bool, examples: Sequence[Example] = ()
) -> Form:
    """Return the prompt for an instrument's scales, or for its steps.

    Raises:
        StudyError: the instrument has none.
    """
    if steps and not instrument.steps:
        raise StudyError("judging.no_steps", instrument=instrument.id)
    if not steps and not judged_scales(instrument):
        raise StudyError("judging.no_scales", instrument=instrument.id)
    return steps_form(instrument, language) if steps else judge_form(
        instrument, language, examples=examples
    )


def refuse_shots(examples: Sequence[Example], texts: Iterable[str]) -> None:
    """Refuse worked examples made of the very texts that are to be judged.

    Raises:
        Refused: there are some.
    """
    count = shots_among(examples, texts) if examples else 0
    if count:
        raise Refused("judging.shots", count=count)


def requests_of(form: Form, rows: Sequence[Judged], model: Model) -> asking.Requests:
    """Return the requests for these answers, one answer each, in this order."""
    def requests() -> Iterator[Request]:
        for one in rows:
            messages = form.messages(one.question, one.description, one.answer)
            yield Request(one.key, messages, model.decoding, form.schema)

    return requests
