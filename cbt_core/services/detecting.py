"""Distortions detected by a model: in a file of questions, or as proposals in a study.

Proposals are append-only and come before the eyes they are meant for: an item whose machine round
an annotator has seen takes no more of them (`machine_rounds.shown`), else annotators of one item
would have corrected different machines.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.people import Person
from cbt_core.domain.study import Problem
from cbt_core.errors import Refused, StudyError
from cbt_core.generation.backend import Decoding, Failure, Reply, Request
from cbt_core.generation.detection import FIELDS, Found, detection_form, read_detection
from cbt_core.generation.forms import Form
from cbt_core.generation.lines import Row
from cbt_core.generation.outcome import Limits, Outcome, Progress, Stop
from cbt_core.generation.parsing import Fault
from cbt_core.generation.questions import Questions
from cbt_core.services import asking
from cbt_core.services.asking import Asking, Model, Task
from cbt_core.services.entries import digest
from cbt_core.services.studies import StudySetup, current, led_by
from cbt_core.settings import Settings
from db import items, machine_rounds
from db.engine import Database
from db.items import ItemRow

CLOSED: Final = frozenset({"locked", "unblinded"})
NAMED: Final = 5
"""Items named in a refusal; more would hide the sentence."""


@dataclass(frozen=True, slots=True)
class TextRequest(Request):
    """A request that knows the text its reply is about: evidence is looked for there."""

    question: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Detection:
    """A detection that can be run. `slug` is '' for a file; `left_out` counts items seen before."""

    asking: Asking
    scheme: Scheme
    slug: str = ""
    left_out: int = 0

    def row(self, request: Request, reply: Reply) -> Row | Failure:
        """Return the row of a reply, or why it is of no use."""
        if not isinstance(request, TextRequest):
            raise TypeError(type(request).__name__)
        texts = dict(zip(FIELDS, (request.question, request.description), strict=True))
        found = read_detection(reply.text, self.scheme, texts)
        if isinstance(found, Fault):
            return Failure(request.key, found.cause, found.detail, reply.text)
        return {
            "id": request.key, "distortions": list(found.labels),
            "evidence": [_evidence(one) for one in found.found],
            "unknown_distortions": list(found.unknown), "unplaced": found.unplaced,
            "scheme": self.scheme.signature, "text_digest": digest(*texts.values()),
            **self.asking.provenance(reply),
        }


def plan_file(
    questions: Questions,
    model: Model,
    *,
    scheme: Scheme,
    language: str,
    place: Path,
    settings: Settings,
    database: Database | None,
    now: datetime,
) -> tuple[Detection, tuple[Problem, ...]]:
    """Read and check a questions file for detection; return doubts about it too.

    Raises:
        ImportProblems: the questions cannot be read.
        StudyError: the texts may not leave.
    """
    form, checked = detection_form(scheme, language), questions.check()

    def requests() -> Iterator[Request]:
        for one in questions:
            yield _request(form, model.decoding, one.key, one.question, one.description)

    about = {"scheme": scheme.signature, "questions": checked.digest}
    task = Task(form, requests, checked.count, checked.sources, about)
    found = asking.prepare(
        task, _speaking(model, scheme, language), place=place, settings=settings,
        database=database, now=now,
    )
    return Detection(found, scheme), checked.warnings


def plan_study(
    database: Database,
    person: Person,
    *,
    slug: str,
    model: Model,
    place: Path,
    settings: Settings,
    now: datetime,
    language: str = "",
    leave_seen: bool = False,
) -> Detection:
    """Check a study for detection with its own scheme; `leave_seen` leaves out items seen before.

    Raises:
        Refused: the study is locked, not the person's, or holds items whose machine round
            somebody has seen.
        StudyError: the texts may not leave, or no item is left.
    """
    study = led_by(database, person, slug, act="detect", now=now)
    with database.reading() as connection:
        setup = current(connection, study.id)
        every = [one for one in items.stream(connection, study.id) if one.kind == "main"]
        seen = machine_rounds.shown(connection, study.id, mode=setup.protocol.label_mode)
    require_open(setup)
    used = [one for one in every if one.withdrawn_at is None]
    open_items = [one for one in used if one.id not in seen]
    if len(open_items) < len(used) and not leave_seen:
        shown = [one.key for one in used if one.id in seen]
        raise Refused("detecting.seen", count=len(shown), items=", ".join(shown[:NAMED]))
    if not open_items:
        raise StudyError("detecting.no_items", slug=slug)
    task = _study_task(setup, every, open_items, language or setup.study.language, model)
    found = asking.prepare(
        task, _speaking(model, setup.scheme, task.form.language), place=place,
        settings=settings, database=database, now=now,
    )
    return Detection(found, setup.scheme, slug, len(used) - len(open_items))


def detect(
    detection: Detection,
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
    """Run a detection; its file is there when every text was asked. See `asking.ask`."""
    return asking.ask(
        detection.asking, to_row=detection.row, settings=settings, database=database,
        person=person, now=now, resume=resume, on_progress=on_progress, stop=stop, limits=limits,
    )


def require_open(setup: StudySetup) -> None:
    """Refuse a study that takes no machine labels any more.

    Raises:
        Refused: it is locked.
    """
    if setup.study.stage in CLOSED:
        raise Refused("labelling.locked")


def _study_task(
    setup: StudySetup, every: Sequence[ItemRow], used: Sequence[ItemRow], language: str,
    model: Model,
) -> Task:
    """Return the task; its settings hold all texts: a withdrawal must not forbid to resume."""
    form = detection_form(setup.scheme, language)

    def requests() -> Iterator[Request]:
        for one in used:
            yield _request(form, model.decoding, one.key, one.question, one.description)

    texts = digest([(one.key, one.question, one.description) for one in every])
    about = {"study": setup.study.slug, "scheme": setup.scheme.signature, "texts": texts}
    return Task(form, requests, len(used), Counter(one.source for one in used), about)


def _request(
    form: Form, decoding: Decoding, key: str, question: str, description: str
) -> TextRequest:
    return TextRequest(
        key, form.messages(question, description), decoding, form.schema, question, description
    )


def _speaking(model: Model, scheme: Scheme, language: str) -> Model:
    """Give the echo the labels it may name."""
    if model.backend != "echo":
        return model
    names = [label.name(language) for label in scheme.labels]
    return replace(model, tuning=replace(model.tuning, labels=names))


def _evidence(one: Found) -> dict[str, object]:
    return {
        "label": one.label, "quote": one.quote, "field": one.field, "start": one.start,
        "end": one.end,
    }
