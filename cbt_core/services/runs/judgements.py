"""Answers of a study put to a judge model: the raters' questions, one at a time.

A study's scores are append-only and stand in a table of their own. No statistic about people
reads them; the analysis shows them beside people's, from the lock on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cbt_core.canonical import digest_of
from cbt_core.domain.people import Person
from cbt_core.domain.study_setup import StudySetup
from cbt_core.errors import StudyError
from cbt_core.generation.backend.catalogue import Options
from cbt_core.generation.tasks.judgement import (
    Judged,
    Judgement,
    form_of,
    refuse_shots,
    require_name,
)
from cbt_core.generation.tasks.prompts import Form
from cbt_core.generation.tasks.task import rows_of
from cbt_core.services import guard
from cbt_core.services.runs import model_run
from cbt_core.services.runs.model_run import Plan
from cbt_core.services.studies.study_setup import current
from cbt_core.settings import Settings
from db import audit, machine_scores
from db.engine import Database
from db.machine_scores import AnswerToJudge, JudgeScore

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
    options: Options,
    place: Path,
    settings: Settings,
    now: datetime,
    examples: bool = False,
) -> Plan[Judgement]:
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
        every = machine_scores.to_judge(connection, study.id)
        before = machine_scores.of_judge(connection, study.id, judge)
    shown = setup.instrument.examples if examples else ()
    form = form_of(setup.instrument, study.language, steps=False, examples=shown)
    used = [one for one in every if not one.withdrawn]
    if not used:
        raise StudyError("judgement.no_answers", slug=slug)
    refuse_shots(shown, (text for one in every for text in (one.question, one.text)))
    plan = model_run.plan(
        _task(setup, form, every, used, judge), options, place=place, settings=settings,
        database=database, now=now,
    )
    if {one.run for one in before} - {plan.run}:
        raise StudyError("judgement.name_taken", judge=judge)
    return plan


def store(
    database: Database, person: Person, *, plan: Plan[Judgement], now: datetime
) -> Stored:
    """Store a finished judgement with its study, all or nothing; a second call adds what is new.

    Raises:
        Refused: not the person's study.
        StudyError: there is no finished file, or the name holds another run's scores.
    """
    lead = guard.as_lead(database, person, study=plan.task.slug, act="store_judgement", now=now)
    lead.check()
    rows = rows_of(plan.place)
    with lead.writing() as (connection, study):
        before = machine_scores.of_judge(connection, study.id, plan.task.judge)
        if {one.run for one in before} - {plan.run}:
            raise StudyError("judgement.name_taken", judge=plan.task.judge)
        answers = {
            key_of(study.slug, one): one.answer_id
            for one in machine_scores.to_judge(connection, study.id) if not one.withdrawn
        }
        given = [
            score for row in rows if str(row["id"]) in answers
            for score in _scores(plan, answers[str(row["id"])], row)
        ]
        known = {(one.answer_id, one.scale) for one in before}
        new = [one for one in given if (one.answer_id, one.scale) not in known]
        machine_scores.add_judge_scores(connection, study_id=study.id, scores=new, now=now)
        if new:
            audit.append(
                connection, study_id=study.id, actor=person.code, action="judge_scores",
                payload=_trail(plan, new), now=now,
            )
    return Stored(
        answers=len({one.answer_id for one in new}), scores=len(new),
        unrated=sum(1 for one in new if one.value is None), known=len(given) - len(new),
    )


def key_of(slug: str, answer: AnswerToJudge) -> str:
    """Return the name an answer bears outside: it tells neither system nor import order."""
    return digest_of("judge", slug, answer.answer_id, answer.text)[:KEY_DIGITS]


def _task(
    setup: StudySetup, form: Form, every: Sequence[AnswerToJudge],
    used: Sequence[AnswerToJudge], judge: str,
) -> Judgement:
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
    return Judgement(form, judge, setup.instrument, rows, sources, about, slug=slug)


def _scores(plan: Plan[Judgement], answer_id: int, row: Mapping[str, object]) -> list[JudgeScore]:
    scores, reasons = row["scores"], row["reasons"]
    if not isinstance(scores, dict) or not isinstance(reasons, dict):
        raise StudyError("judgement.no_file", file=plan.place)
    return [
        JudgeScore(
            answer_id=answer_id, judge=plan.task.judge, scale=scale, value=value,
            reason=str(reasons.get(scale, "")), prompt=plan.task.form.hash,
            instrument=plan.task.instrument.digest, run=plan.run,
        )
        for scale, value in scores.items()
    ]


def _trail(plan: Plan[Judgement], new: Sequence[JudgeScore]) -> audit.Payload:
    """Return what the chain keeps: enough to check the table, no word of the judge."""
    task = plan.task
    return {
        "judge": task.judge, "run": plan.run, "prompt": task.form.hash,
        "instrument": task.instrument.digest, "count": len(new),
        "answers": len({one.answer_id for one in new}),
        "digest": digest_of([astuple(one) for one in new]),
    }
