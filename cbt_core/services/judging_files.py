"""Answers of a file put to a judge model: scores by an instrument, or the steps they show."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cbt_core.domain.instrument import Instrument
from cbt_core.domain.study import Problem
from cbt_core.errors import StudyError
from cbt_core.files.answers import AnswerRow
from cbt_core.files.reading import read_answers
from cbt_core.generation.forms import Form
from cbt_core.generation.questions import Question, Questions
from cbt_core.services import asking
from cbt_core.services.asking import Model, Task
from cbt_core.services.entries import digest
from cbt_core.services.judging import (
    Judged,
    Judging,
    form_of,
    refuse_shots,
    requests_of,
    require_name,
)
from cbt_core.settings import Settings
from db.engine import Database


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be judged and how: `steps` instead of the scales; `examples` in the prompt."""

    answers: Path
    questions: Questions
    judge: str
    instrument: Instrument
    language: str = "zh"
    steps: bool = False
    examples: bool = False


def plan_files(
    wanted: Wanted,
    model: Model,
    *,
    place: Path,
    settings: Settings,
    database: Database | None,
    now: datetime,
) -> tuple[Judging, tuple[Problem, ...]]:
    """Read and check answers and their questions; return the judgement and doubts about the files.

    Raises:
        ImportProblems: a file cannot be read.
        StudyError: an answer has no question, an example is one of the texts, or texts may not
            leave.
    """
    require_name(wanted.judge)
    read, checked = read_answers(wanted.answers), wanted.questions.check()
    shown = wanted.instrument.examples if wanted.examples else ()
    form = form_of(wanted.instrument, wanted.language, steps=wanted.steps, examples=shown)
    asked = _asked(wanted, read.rows)
    texts = [text for row in read.rows for text in (asked[row.key].question, row.answer.text)]
    refuse_shots(shown, texts)
    rows = [_judged(number, asked[row.key], row) for number, row in enumerate(read.rows)]
    task = _task(wanted, form, rows, [asked[row.key] for row in read.rows], model)
    found = asking.prepare(
        task, model, place=place, settings=settings, database=database, now=now
    )
    names = {
        one.key: (row.key, row.system) for one, row in zip(rows, read.rows, strict=True)
    }
    warnings = (*checked.warnings, *read.warnings)
    return Judging(found, wanted.judge, wanted.instrument, names), warnings


def _asked(wanted: Wanted, rows: Sequence[AnswerRow]) -> Mapping[str, Question]:
    """Return the questions of the answers by id.

    Raises:
        StudyError: some are not in the questions file.
    """
    needed = {row.key for row in rows}
    found = {one.key: one for one in wanted.questions if one.key in needed}
    if len(found) < len(needed):
        raise StudyError(
            "judging.no_question", count=len(needed) - len(found), file=wanted.answers
        )
    return found


def _judged(number: int, question: Question, row: AnswerRow) -> Judged:
    """Return an answer under a key that does not name its system: keys may reach a host."""
    return Judged(f"a{number}", question.question, question.description, row.answer.text)


def _task(
    wanted: Wanted, form: Form, rows: Sequence[Judged], questions: Sequence[Question],
    model: Model,
) -> Task:
    about = {
        "judge": wanted.judge, "instrument": wanted.instrument.signature,
        "texts": digest([(one.key, one.question, one.description, one.answer) for one in rows]),
    }
    sources = Counter(one.source for one in questions)
    return Task(form, requests_of(form, rows, model), len(rows), sources, about)
