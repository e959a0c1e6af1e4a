"""What a lead may see of the results: pooled before the lock, by system only afterwards."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from cbt_core.domain.instrument import Instrument
from cbt_core.domain.people import Person
from cbt_core.domain.study import Role, Stage
from cbt_core.errors import Refused, StudyError
from cbt_core.files.tables import Cell, Table
from cbt_core.services import export_rows
from cbt_core.services.reporting.context import MetricMean
from cbt_core.services.reporting.metric_means import metric_means
from cbt_core.services.studies import StudySetup, current, led_by
from cbt_core.services.study_analysis import Analysis, analyse
from cbt_core.services.study_analysis_facts import read
from cbt_core.stats.clustered import Bootstrap
from cbt_core.stats.ratings import Columns, Ratings, gather
from db import disagreements, plans
from db.engine import Connection, Database
from db.studies import StudyRow

POOLED: Final = "ALL"
AFTER_LOCK: Final = (Stage.LOCKED, Stage.UNBLINDED)


@dataclass(frozen=True, slots=True)
class Share:
    """How often a value was given on a scale; `system` is `POOLED` over all of them."""

    scale: str
    system: str
    value: int
    count: int


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
    study = led_by(database, person, slug, act="results", now=now)
    with database.reading() as connection:
        _refuse_raters(connection, person, study)
        found = disagreements.state(connection, study.id)
    return "/".join([study.stage, *(str(one) for one in found)])


def everything(
    database: Database, person: Person, *, slug: str, now: datetime, bootstrap: int | None = None
) -> Everything:
    """Return everything the results screen shows; takes seconds on large studies.

    Raises:
        Refused: not the person's study, or the person rates in it and it is not locked yet.
        StudyError: nothing has been rated.
    """
    analysis = analyse(database, person, slug=slug, now=now, bootstrap=bootstrap)
    study = led_by(database, person, slug, act="results", now=now)
    with database.reading() as connection:
        setup = current(connection, study.id)
        facts = read(connection, setup)
    closed = setup.study.stage in AFTER_LOCK
    plan = setup.protocol
    replicates = plan.analysis.bootstrap if bootstrap is None else bootstrap
    rated = _gathered(export_rows.ratings(facts.material), setup)
    return Everything(
        analysis=analysis, instrument=setup.instrument, margin=plan.analysis.margin,
        shares=tuple(_shares(rated, [POOLED, *(rated.systems if closed else ())])),
        metric_means=metric_means(facts, Bootstrap(replicates, plan.design.seed)) if closed else (),
    )


def _shares(ratings: Ratings, systems: Iterable[str]) -> Iterable[Share]:
    for scale, column in ratings.values.items():
        for system in systems:
            mine = column if system == POOLED else column[
                ratings.system == ratings.systems.index(system)
            ]
            values, counts = np.unique(mine[~np.isnan(mine)], return_counts=True)
            for value, count in zip(values.tolist(), counts.tolist(), strict=True):
                yield Share(scale, system, int(value), int(count))


def _refuse_raters(connection: Connection, person: Person, study: StudyRow) -> None:
    """Keep a lead who rates, or has rated, from the others' scores until the lock."""
    if study.stage in AFTER_LOCK:
        return
    rated = person.id in plans.with_tasks(connection, study.id, "rate")
    if rated or person.has(Role.RATER, study.id):
        raise Refused("exporting.no_results_for_raters")


def _gathered(table: Table, setup: StudySetup) -> Ratings:
    place = {column.name: index for index, column in enumerate(table.columns)}
    kept = [
        row for row in table.rows
        if row[place["kind"]] == "main" and row[place["excluded"]] is None
    ]
    if not kept:
        raise StudyError("exporting.nothing_rated")

    def column(name: str) -> list[Cell]:
        return [row[place[name]] for row in kept]

    scales = [s.id for s in setup.instrument.scales if any(c is not None for c in column(s.id))]
    return gather(
        Columns(
            item=_texts(column("item_id")),
            system=_texts(column("system")),
            rater=_texts(column("rater")),
            panel=_texts(column("panel")),
            order=_numbers(column("order")),
            seconds=_numbers(column("seconds")),
            values={scale: _numbers(column(scale)) for scale in scales},
        ),
        study=setup.study.slug,
        instrument=setup.instrument.signature,
    )


def _texts(cells: list[Cell]) -> list[str]:
    return ["" if cell is None else str(cell) for cell in cells]


def _numbers(cells: list[Cell]) -> list[float | None]:
    return [None if cell is None else float(cell) for cell in cells]
