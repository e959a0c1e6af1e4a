"""What a lead may see of the results: pooled before the lock, by system only afterwards.

Of the labels: the blind round before the lock, the machine's after it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cbt_core.analysis.labels import (
    Entered,
    LabelResults,
    annotator_results,
    label_setting,
    with_machine,
)
from cbt_core.analysis.machine import MetricMean, metric_means
from cbt_core.analysis.parts import Share, value_shares
from cbt_core.analysis.study import Analysis, Registered, Work, analysis_of, work_of
from cbt_core.domain.instrument import Instrument
from cbt_core.domain.people import Person
from cbt_core.domain.study import Role
from cbt_core.domain.study_setup import StudyRow, StudySetup
from cbt_core.errors import StudyError
from cbt_core.files.protocol import parse_protocol
from cbt_core.services import guard
from cbt_core.services.results import study_rows
from cbt_core.services.results.study_rows import read_facts
from cbt_core.services.studies.registration import registered
from cbt_core.services.studies.study_setup import current
from cbt_core.stats.labels.annotators import Setting
from cbt_core.stats.ratings import POOLED
from db import results, studies
from db.engine import Connection, Database


def analyse(
    database: Database, person: Person, *, slug: str, now: datetime, bootstrap: int | None = None
) -> Analysis:
    """Return the analysis of a study, for its lead.

    `bootstrap` is the number of replicates; the protocol's when left out, 0 for no intervals.

    Raises:
        Refused: not the person's study, or the person rates in it and it is not locked yet.
        StudyError: nothing has been rated.
    """
    lead = guard.as_onlooker(
        database, person, study=slug, role=Role.RATER, act="analyse", now=now
    )
    with lead.reading() as (connection, study):
        read = _read(connection, study, bootstrap)
    return analysis_of(read.work, read.registered)


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """A study's rows, read once, and how its plan stands to them."""

    work: Work
    registered: Registered


def _read(connection: Connection, study: StudyRow, bootstrap: int | None) -> _Read:
    facts = read_facts(connection, current(connection, study.id))
    fixed = registered(connection, study.id)
    text = studies.protocol_text(connection, study.id, fixed.plan_digest)
    return _Read(work_of(facts, parse_protocol(text).protocol, bootstrap), fixed)


def label_results(
    database: Database, person: Person, *, slug: str, now: datetime, bootstrap: int | None = None
) -> LabelResults:
    """Return the figures of a study's labels as far as its stage allows.

    `bootstrap` is the number of replicates; the protocol's when left out.

    Raises:
        Refused: not the person's study, or the person labels in it and it is not locked yet.
        StudyError: nothing has been labelled.
    """
    lead = guard.as_onlooker(
        database, person, study=slug, role=Role.ANNOTATOR, act="label_results", now=now
    )
    with lead.reading() as (connection, study):
        setup = current(connection, study.id)
        is_open = not study.stage.is_closed
        entered = study_rows.entered(connection, study.id)
    if not any(row.labels is not None for row in entered.first):
        raise StudyError("labels.nothing_labelled")
    return _label_figures(setup, entered, label_setting(setup, entered, bootstrap), is_open=is_open)


_KEPT_LABELS: Final[dict[tuple[object, ...], LabelResults]] = {}
"""Results by everything they follow from: a screen drawn again costs no second bootstrap."""

MOST_KEPT: Final = 8


def _label_figures(
    setup: StudySetup, entered: Entered, setting: Setting, *, is_open: bool
) -> LabelResults:
    key = (setup.study.slug, setup.study.stage, setup.scheme.digest, setting, entered.digest)
    known = _KEPT_LABELS.get(key)
    if known is not None:
        return known
    figures = annotator_results(setup, entered, setting)
    if not is_open:
        figures = with_machine(figures, setup, entered, setting)
    if len(_KEPT_LABELS) >= MOST_KEPT:
        _KEPT_LABELS.clear()
    _KEPT_LABELS[key] = figures
    return figures


@dataclass(frozen=True, slots=True)
class Everything:
    """All that the results screen shows at this stage.

    `shares` by system and `metric_means` wait for the lock; `margin` is what the plan calls too
    small to matter, in score points, None where it names none.
    """

    analysis: Analysis
    instrument: Instrument
    margin: float | None
    shares: tuple[Share, ...]
    metric_means: tuple[MetricMean, ...]


def state(database: Database, person: Person, *, slug: str, now: datetime) -> str:
    """Return a key of the data that results rest on: another key, other data or another stage.

    Raises:
        Refused: not the person's study, or the person rates in it and it is not locked yet.
    """
    lead = guard.as_onlooker(
        database, person, study=slug, role=Role.RATER, act="results_state", now=now
    )
    with lead.reading() as (connection, study):
        figures = results.entries_state(connection, study.id)
    return "/".join([study.stage, *(str(one) for one in figures)])


def everything(
    database: Database, person: Person, *, slug: str, now: datetime, bootstrap: int | None = None
) -> Everything:
    """Return everything the results screen shows; takes seconds on large studies.

    Raises:
        Refused: not the person's study, or the person rates in it and it is not locked yet.
        StudyError: nothing has been rated.
    """
    lead = guard.as_onlooker(
        database, person, study=slug, role=Role.RATER, act="everything", now=now
    )
    with lead.reading() as (connection, study):
        read = _read(connection, study, bootstrap)
    work, setup = read.work, read.work.facts.setup
    return Everything(
        analysis=analysis_of(work, read.registered),
        instrument=setup.instrument,
        margin=setup.protocol.analysis.margin,
        shares=tuple(value_shares(
            work.ratings, [POOLED, *(() if work.open else work.ratings.systems)]
        )),
        metric_means=() if work.open else metric_means(work.facts, work.how),
    )
