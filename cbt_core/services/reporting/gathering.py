"""Reading what a report tells beside the analysis; names masked as the stage asks."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import fmean, median
from typing import Final

from cbt_core.domain.instrument import Text
from cbt_core.domain.people import Person
from cbt_core.domain.protocol import ProfileField
from cbt_core.domain.study import Stage
from cbt_core.errors import Refused, StudyError
from cbt_core.generation.gates.findings import Report
from cbt_core.instruments.defaults import defaults
from cbt_core.services.gating import gates_of_study
from cbt_core.services.gold import gold_of
from cbt_core.services.label_results import LabelResults, label_results
from cbt_core.services.registration import Registered
from cbt_core.services.reporting.context import (
    PeopleSummary,
    Prevalence,
    ProfileSummary,
    ReportContext,
    SeriousQuote,
    SourceFacts,
)
from cbt_core.services.reporting.metric_means import metric_means
from cbt_core.services.reporting.provenance import system_facts
from cbt_core.services.reporting.veil import Veil
from cbt_core.services.studies import current, led_by
from cbt_core.services.study_analysis_facts import Facts, read
from cbt_core.stats.clustered import Bootstrap
from db import items, results, studies
from db.engine import Connection, Database

AFTER_LOCK: Final = (Stage.LOCKED, Stage.UNBLINDED)
SECONDS_PER_HOUR: Final = 3600


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
    study = led_by(database, person, slug, act="report", now=now)
    gates = _gates(database, person, slug, now)
    labels, withheld = _labels(database, person, slug, wish.bootstrap, now)
    with database.reading() as connection:
        facts = read(connection, current(connection, study.id))
        names = [row.name for row in studies.systems(connection, study.id)]
        found = _context(
            connection, facts, plan, wish, gates=gates, labels=labels, withheld=withheld,
            is_terminal=person.is_terminal,
        )
    if not found.masked:
        return found
    veiled = Veil(names, wish.language or study.language).over(found)
    # instrument and labels are what raters saw; their words tell no more than the sheet did
    return replace(
        veiled, instrument=found.instrument, scheme=found.scheme, labels=found.labels,
        gates=found.gates,
    )


def true_names(database: Database, slug: str) -> list[str]:
    """Return the names of a study's systems, for taking them out of texts."""
    with database.reading() as connection:
        study = studies.by_slug(connection, slug)
        return [] if study is None else [one.name for one in studies.systems(connection, study.id)]


def _gates(database: Database, person: Person, slug: str, now: datetime) -> Report | None:
    found = gates_of_study(database, person, slug=slug, now=now)
    return found if found.answers else None


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
    study_id, closed = setup.study.id, setup.study.stage in AFTER_LOCK
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
        people=_people(facts),
        systems=system_facts(connection, facts),
        sources=_sources((row.source, row.licence) for row in rows),
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
        quotes=_quotes(facts) if wish.with_quotes and closed else (),
    )


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def _people(facts: Facts) -> PeopleSummary:
    held: dict[str, set[str]] = {}
    for one in facts.members:
        held.setdefault(one.role, set()).add(one.code)
    seats = [one for one in facts.seats if one.work == "rate"]
    main = [line for line in facts.material.lines if line.kind == "main" and line.submission_id]
    raters = {line.rater for line in main} | held.get("rater", set())
    times = [line.seconds for line in main if line.seconds]
    return PeopleSummary(
        raters=len(raters),
        annotators=len(held.get("annotator", set())),
        leads=len(held.get("lead", set())),
        rater_codes=tuple(sorted(raters)),
        also_leads=len(raters & held.get("lead", set())),
        also_annotators=len(raters & held.get("annotator", set())),
        practised=sum(one.practice_at is not None for one in seats),
        consented=sum(one.consent_at is not None for one in seats),
        consent_versions=tuple(sorted({one.consent_version for one in seats if one.consent_at})),
        hours=sum(one.seconds for one in seats) / SECONDS_PER_HOUR,
        seconds_per_task=median(times) if times else None,
        profile=_profile(facts, [one.profile for one in seats if one.consent_at]),
    )


def _profile(facts: Facts, stored: list[str | None]) -> tuple[ProfileSummary, ...]:
    asked = facts.setup.protocol.raters.profile or defaults().profile
    told: list[Mapping[str, object]] = [json.loads(one) if one else {} for one in stored]
    return tuple(_question(one, told) for one in asked)


def _question(asked: ProfileField, told: list[Mapping[str, object]]) -> ProfileSummary:
    given = [str(one[asked.id]) for one in told if one.get(asked.id)]
    counts = Counter(given)
    choices = [(words, counts[key]) for key, words in asked.choices]
    other = len(given) - sum(count for _, count in choices)
    if asked.choices and other:
        choices.append((_other(), other))
    return ProfileSummary(
        asked.id, asked.name, tuple(choices), len(given), len(told) - len(given)
    )


def _other() -> Text:
    return Text("其他", "other")


def _sources(pairs: Iterable[tuple[str, str]]) -> tuple[SourceFacts, ...]:
    counts = Counter(pairs)
    return tuple(SourceFacts(*pair, counts[pair]) for pair in sorted(counts))


def _prevalence(connection: Connection, study_id: int) -> Prevalence:
    gold = gold_of(connection, study_id)
    counts = Counter(label for one in gold.values() for label in one.labels)
    return Prevalence(
        items=len(gold), with_any=sum(bool(one.labels) for one in gold.values()),
        by_label=tuple(sorted(counts.items())),
        adjudicated=sum(one.rule == "adjudicated" for one in gold.values()),
        single=sum(one.is_single for one in gold.values()),
    )


def _quotes(facts: Facts) -> tuple[SeriousQuote, ...]:
    found = []
    for line in facts.analysed():
        slots = {slot.slot: slot.system_id for slot in facts.shown(line)}
        for flag in facts.flags.get(line.submission_id or 0, ()):
            system = slots.get(flag.slot)
            if flag.severity == "serious" and flag.quote and system is not None:
                name = facts.material.systems[system]
                found.append(SeriousQuote(line.item, name, flag.kind, flag.quote))
    return tuple(found)
