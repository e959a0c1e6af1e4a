"""Answers of a file or a study put to a judge model: the raters' questions, one at a time.

A study's scores are append-only and stand in a table of their own. No statistic about people
reads them; the analysis shows them beside people's, from the lock on.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cbt_core.canonical import digest_of
from cbt_core.domain.instrument import Instrument
from cbt_core.domain.people import Person
from cbt_core.domain.study import Problem
from cbt_core.domain.study_setup import StudySetup
from cbt_core.errors import StudyError
from cbt_core.files.study import AnswerRow, read_answers
from cbt_core.generation.run.outcome import Limits, Outcome, Progress, Stop
from cbt_core.generation.tasks.judgement import (
    Judged,
    Judging,
    form_of,
    refuse_shots,
    requests_of,
    require_name,
)
from cbt_core.generation.tasks.model_task import Model, Task, rows_of
from cbt_core.generation.tasks.prompts import Form
from cbt_core.generation.tasks.questions import Question, Questions
from cbt_core.services import guard
from cbt_core.services.runs import model_run
from cbt_core.services.studies.study_setup import current
from cbt_core.settings import Settings
from db import audit, judge_scores
from db.engine import Database
from db.judge_scores import AnswerToJudge, JudgeScore


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
    with guard.as_sender(database, person, act="judge", now=now):
        return model_run.ask(
            judging.asking, to_row=judging.row, settings=settings, database=database,
            person=person, now=now, resume=resume, on_progress=on_progress, stop=stop,
            limits=limits,
        )


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
    found = model_run.prepare(
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
            "judgement.no_question", count=len(needed) - len(found), file=wanted.answers
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
        "texts": digest_of([(one.key, one.question, one.description, one.answer) for one in rows]),
    }
    sources = Counter(one.source for one in questions)
    return Task(form, requests_of(form, rows, model), len(rows), sources, about)


KEY_DIGITS: Final = 24


@dataclass(frozen=True, slots=True)
class Stored:
    """What a study took: answers and scores; `known` scores were there, `left_out` ones null."""

    answers: int
    scores: int
    unrated: int
    known: int


def plan_study(
    database: Database,
    person: Person,
    *,
    slug: str,
    judge: str,
    model: Model,
    place: Path,
    settings: Settings,
    now: datetime,
    examples: bool = False,
) -> Judging:
    """Check a study for judging, with its own instrument in its own language.

    `examples` adds the worked examples of the instrument, as raters see them in their guide.

    Raises:
        Refused: not the person's study.
        StudyError: no answer or scale to judge, the name holds other scores, an example is one of
            the study's own items, or the texts may not leave.
    """
    lead = guard.as_lead(database, person, study=slug, act="plan_study_judgement", now=now)
    with lead.reading() as (connection, study):
        require_name(judge)
        setup = current(connection, study.id)
        every = judge_scores.to_judge(connection, study.id)
        before = judge_scores.of_judge(connection, study.id, judge)
    shown = setup.instrument.examples if examples else ()
    form = form_of(setup.instrument, study.language, steps=False, examples=shown)
    used = [one for one in every if not one.withdrawn]
    if not used:
        raise StudyError("judgement.no_answers", slug=slug)
    refuse_shots(shown, (text for one in every for text in (one.question, one.text)))
    task = _study_task(setup, form, every, used, judge, model)
    found = model_run.prepare(
        task, model, place=place, settings=settings, database=database, now=now
    )
    if {one.run for one in before} - {found.run}:
        raise StudyError("judgement.name_taken", judge=judge)
    return Judging(found, judge, setup.instrument, {}, slug)


def store(database: Database, person: Person, *, judging: Judging, now: datetime) -> Stored:
    """Store a finished judgement with its study, all or nothing; a second call adds what is new.

    Raises:
        Refused: not the person's study.
        StudyError: there is no finished file, or the name holds another run's scores.
    """
    lead = guard.as_lead(database, person, study=judging.slug, act="store_judgement", now=now)
    lead.check()
    rows = rows_of(judging.asking.place)
    with lead.writing() as (connection, study):
        before = judge_scores.of_judge(connection, study.id, judging.judge)
        if {one.run for one in before} - {judging.asking.run}:
            raise StudyError("judgement.name_taken", judge=judging.judge)
        answers = {
            key_of(study.slug, one): one.answer_id
            for one in judge_scores.to_judge(connection, study.id) if not one.withdrawn
        }
        given = [
            score for row in rows if str(row["id"]) in answers
            for score in _scores(judging, answers[str(row["id"])], row)
        ]
        known = {(one.answer_id, one.scale) for one in before}
        new = [one for one in given if (one.answer_id, one.scale) not in known]
        judge_scores.add(connection, study_id=study.id, scores=new, now=now)
        if new:
            audit.append(
                connection, study_id=study.id, actor=person.code, action="judge_scores",
                payload=_trail(judging, new), now=now,
            )
    return Stored(
        answers=len({one.answer_id for one in new}), scores=len(new),
        unrated=sum(1 for one in new if one.value is None), known=len(given) - len(new),
    )


def key_of(slug: str, one: AnswerToJudge) -> str:
    """Return the name an answer bears outside: it tells neither system nor import order."""
    return digest_of("judge", slug, one.answer_id, one.text)[:KEY_DIGITS]


def _study_task(
    setup: StudySetup, form: Form, every: Sequence[AnswerToJudge],
    used: Sequence[AnswerToJudge], judge: str, model: Model,
) -> Task:
    """Return the task, in the order of the keys: no pattern of systems, the same at a resume."""
    slug = setup.study.slug
    rows = sorted(
        (Judged(key_of(slug, one), one.question, one.description, one.text) for one in used),
        key=lambda one: one.key,
    )
    texts = digest_of([(one.answer_id, one.question, one.description, one.text) for one in every])
    about = {
        "study": slug, "judge": judge, "instrument": setup.instrument.signature, "texts": texts,
    }
    sources = Counter(one.source for one in used)
    return Task(form, requests_of(form, rows, model), len(rows), sources, about)


def _scores(judging: Judging, answer_id: int, row: Mapping[str, object]) -> list[JudgeScore]:
    scores, reasons = row["scores"], row["reasons"]
    if not isinstance(scores, dict) or not isinstance(reasons, dict):
        raise StudyError("judgement.no_file", file=judging.asking.place)
    return [
        JudgeScore(
            answer_id=answer_id, judge=judging.judge, scale=scale, value=value,
            reason=str(reasons.get(scale, "")), prompt=judging.asking.task.form.hash,
            instrument=judging.instrument.digest, run=judging.asking.run,
        )
        for scale, value in scores.items()
    ]


def _trail(judging: Judging, new: Sequence[JudgeScore]) -> audit.Payload:
    """Return what the chain keeps: enough to check the table, no word of the judge."""
    form, run = judging.asking.task.form, judging.asking.run
    return {
        "judge": judging.judge, "run": run, "prompt": form.hash,
        "instrument": judging.instrument.digest, "count": len(new),
        "answers": len({one.answer_id for one in new}),
        "digest": digest_of([astuple(one) for one in new]),
    }
