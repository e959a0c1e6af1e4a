"""The report of a study, from its rows to its files; who asked for one is logged.

Read are the analysis and what is told beside it; names are masked as the stage asks.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from statistics import fmean

from cbt_core.analysis.labels import LabelResults
from cbt_core.analysis.machine import metric_means
from cbt_core.analysis.rows import Facts
from cbt_core.analysis.study import Registered
from cbt_core.domain.people import Person
from cbt_core.domain.study import Stage
from cbt_core.errors import Refused, StudyError
from cbt_core.generation.gates.recognition import Report
from cbt_core.report.checklists import checklists
from cbt_core.report.context import (
    Prevalence,
    ReportContext,
    SystemFacts,
    Veil,
    origin_of,
    people_summary,
    serious_quotes,
    source_facts,
    veiled,
)
from cbt_core.report.document import report_of
from cbt_core.report.sheet import Sheet
from cbt_core.report.writers import archive, files, refuse_taken, write
from cbt_core.services import guard
from cbt_core.services.results.study_results import analyse, label_results
from cbt_core.services.results.study_rows import gold_of, read_facts
from cbt_core.services.studies.answer_gates import gates_of_study
from cbt_core.services.studies.study_setup import current
from cbt_core.stats.resampling import Bootstrap
from cbt_core.words import LANGUAGES
from db import audit, items, results, studies
from db.engine import Connection, Database


def system_facts(connection: Connection, facts: Facts) -> tuple[SystemFacts, ...]:
    """Return the systems by the names that may be told, with their origin once unblinded."""
    unblinded = facts.setup.study.stage == Stage.UNBLINDED
    names = facts.material.systems
    counts = Counter(system for _, system in facts.answers)
    origin: dict[str, dict[str, dict[str, None]]] = {}
    if unblinded:
        for answer in results.answers(connection, facts.setup.study.id):
            if answer.system_id in names:
                own_origin = origin.setdefault(names[answer.system_id], {})
                for part, value in origin_of(answer):
                    own_origin.setdefault(part, {})[value] = None
    return tuple(
        SystemFacts(
            name, name == facts.baseline, counts[name],
            *(tuple(origin.get(name, {}).get(part, ())) for part in
              ("model", "adapter", "prompt", "run")),
        )
        for name in facts.systems
    )


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a report: its language (the study's when empty), replicates, quotes."""

    language: str = ""
    bootstrap: int | None = None
    with_quotes: bool = False


def gather(
    database: Database, person: Person, *, slug: str, plan: Registered, wish: Wish, now: datetime
) -> ReportContext:
    """Return the context of a study's report, for its lead.

    Raises:
        Refused: the person does not lead the study.
    """
    lead = guard.as_lead(database, person, study=slug, act="gather", now=now)
    with lead.steps():
        gates = _gates(database, person, slug, now)
        labels, withheld = _labels(database, person, slug, wish.bootstrap, now)
        with lead.reading() as (connection, study):
            facts = read_facts(connection, current(connection, study.id))
            names = [row.name for row in studies.systems(connection, study.id)]
            context = _context(
                connection, facts, plan, wish, gates=gates, labels=labels, withheld=withheld,
                is_terminal=person.is_terminal,
            )
    if not context.masked:
        return context
    veiled = Veil(names, wish.language or study.language).over(context)
    # instrument and labels are what raters saw; their words tell no more than the sheet did
    return replace(
        veiled, instrument=context.instrument, scheme=context.scheme, labels=context.labels,
        gates=context.gates,
    )


def true_names(database: Database, slug: str) -> list[str]:
    """Return the names of a study's systems, for taking them out of texts."""
    with database.reading() as connection:
        study = studies.by_slug(connection, slug)
        return [] if study is None else [one.name for one in studies.systems(connection, study.id)]


def _gates(database: Database, person: Person, slug: str, now: datetime) -> Report | None:
    report = gates_of_study(database, person, slug=slug, now=now)
    return report if report.answers else None


def _labels(
    database: Database, person: Person, slug: str, bootstrap: int | None, now: datetime
) -> tuple[LabelResults | None, str | None]:
    """Return the figures of the labels, or why they may not be told."""
    try:
        return label_results(database, person, slug=slug, now=now, bootstrap=bootstrap), None
    except Refused as error:
        return None, error.code
    except StudyError:
        return None, None


def _context(
    connection: Connection, facts: Facts, plan: Registered, wish: Wish, *, gates: Report | None,
    labels: LabelResults | None, withheld: str | None, is_terminal: bool,
) -> ReportContext:
    setup = facts.setup
    study_id, closed = setup.study.id, setup.study.stage.is_closed
    lines = [line for line in facts.material.lines if line.kind == "main" and line.submission_id]
    rows = [row for row in items.in_use(connection, study_id) if row.kind == "main"]
    sizes = list(facts.characters.values())
    how = Bootstrap(
        setup.protocol.analysis.bootstrap if wish.bootstrap is None else wish.bootstrap,
        setup.protocol.design.seed,
    )
    return ReportContext(
        study=setup.study, protocol=setup.protocol, instrument=setup.instrument,
        scheme=setup.scheme, masked=setup.study.stage != Stage.UNBLINDED, is_terminal=is_terminal,
        people=people_summary(facts),
        systems=system_facts(connection, facts),
        sources=source_facts((row.source, row.licence) for row in rows),
        items=len(rows), items_by_risk=_counted(row.risk for row in rows),
        references=items.counts(connection, study_id).references,
        mean_answer_characters=fmean(sizes) if sizes else None,
        first_rating_at=plan.first_rating_at,
        last_rating_at=max((str(line.at) for line in lines if line.at), default=None),
        inputs=_counted(line.input or "" for line in lines),
        layouts=_counted(line.layout or "" for line in lines),
        languages=_counted(line.lang or "" for line in lines),
        escalations=results.escalations(connection, study_id),
        gates=gates, labels=labels, labels_withheld=withheld,
        amendments=plan.amendments, deviations=plan.deviations,
        excluded=tuple(
            [("item", key, why) for key, why in sorted(facts.material.excluded_items.items())]
            + [("rater", key, why) for key, why in sorted(facts.material.excluded_raters.items())]
        ),
        prevalence=_prevalence(connection, study_id) if labels else None,
        metric_means=metric_means(facts, how) if closed else (),
        quotes=serious_quotes(facts) if wish.with_quotes and closed else (),
    )


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def _prevalence(connection: Connection, study_id: int) -> Prevalence:
    gold = gold_of(connection, study_id)
    counts = Counter(label for one in gold.values() for label in one.labels)
    return Prevalence(
        items=len(gold), with_any=sum(bool(one.labels) for one in gold.values()),
        by_label=tuple(sorted(counts.items())),
        adjudicated=sum(one.rule == "adjudicated" for one in gold.values()),
        single=sum(one.is_single for one in gold.values()),
    )


def report_files(
    database: Database, person: Person, *, slug: str, now: datetime, wish: Wish | None = None
) -> dict[str, bytes]:
    """Return every file of a study's report by its path, as far as the stage allows.

    Raises:
        Refused: not the person's study, or the person rates in it and it is not locked yet.
        StudyError: nothing has been rated, or the language is unknown.
    """
    lead = guard.as_lead(database, person, study=slug, act="report_files", now=now)
    with lead.steps():
        made, detail = _made(database, person, slug, wish or Wish(), now)
        with lead.writing() as (connection, study):
            audit.log_access(
                connection, actor=person.code, action="report", now=now, study_id=study.id,
                detail=detail,
            )
    return made


def _made(
    database: Database, person: Person, slug: str, asked: Wish, now: datetime
) -> tuple[dict[str, bytes], str]:
    """Return the report's files, and in a word what they hold."""
    if asked.language and asked.language not in LANGUAGES:
        raise StudyError("report.unknown_language", language=asked.language)
    analysis = analyse(database, person, slug=slug, now=now, bootstrap=asked.bootstrap)
    language = asked.language or (analysis.language if analysis.language in LANGUAGES else "en")
    wanted = replace(asked, language=language)
    context = gather(database, person, slug=slug, plan=analysis.registered, wish=wanted, now=now)
    if analysis.masked:
        analysis = veiled(analysis, Veil(true_names(database, slug), language))
    lists = checklists(analysis, context)
    made = files(report_of(Sheet(analysis, context, language), lists), analysis.json(), lists)
    return made, f"{language} {'blinded' if analysis.masked else 'unblinded'}"


def write_report(
    database: Database, person: Person, *, slug: str, folder: Path, now: datetime,
    wish: Wish | None = None,
) -> list[str]:
    """Write a study's report into a folder, all of it or nothing; return the paths within."""
    lead = guard.as_lead(database, person, study=slug, act="write_report", now=now)
    with lead.steps():
        refuse_taken(folder)
        made = report_files(database, person, slug=slug, now=now, wish=wish)
        write(made, folder)
        return list(made)


def report_zip(
    database: Database, person: Person, *, slug: str, now: datetime, wish: Wish | None = None
) -> bytes:
    """Return a study's report as one zip, for the browser."""
    with guard.as_lead(database, person, study=slug, act="report_zip", now=now).steps():
        return archive(report_files(database, person, slug=slug, now=now, wish=wish), slug)
