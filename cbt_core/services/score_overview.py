"""Scores at a glance: means per rater, and per system once the study is unblinded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role, Stage
from cbt_core.errors import Refused
from cbt_core.services.studies import StudySetup, current, led_by
from cbt_core.stats import resampling
from cbt_core.stats.ratings import Floats
from cbt_core.stats.values import with_interval
from db import overview, results, seats
from db.engine import Connection, Database
from db.overview import ScoreCount
from db.studies import StudyRow

AFTER_LOCK: Final = (Stage.LOCKED, Stage.UNBLINDED)


@dataclass(frozen=True, slots=True)
class RaterMean:
    """One rater on one scale over all systems: how many scores, and their mean.

    `mean` is None on a nominal scale, whose values are names.
    """

    code: str
    scale: str
    n: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class SystemMean:
    """A system on a scale: mean of its item means, with a 95 % interval over items."""

    system: str
    scale: str
    n_items: int
    mean: float
    low: float | None
    high: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Scores:
    """What may be seen at this stage: `systems` is empty until the unblinding."""

    stage: str
    raters: tuple[RaterMean, ...]
    systems: tuple[SystemMean, ...]


def scores(database: Database, person: Person, *, slug: str, now: datetime) -> Scores:
    """Return the scores of a study as far as its stage allows.

    Raises:
        Refused: the person does not lead it, or rates in it and it is not locked.
    """
    study = led_by(database, person, slug, act="scores", now=now)
    with database.reading() as connection:
        setup = current(connection, study.id)
        _refuse_raters(connection, person, setup.study)
        counts = overview.score_counts(connection, study.id)
        stage = setup.study.stage
        return Scores(
            stage,
            _raters(counts, setup),
            _systems(connection, setup) if stage == Stage.UNBLINDED else (),
        )


def _refuse_raters(connection: Connection, person: Person, study: StudyRow) -> None:
    """Keep a lead who rates from the others' scores until the lock: seeing them would steer."""
    if study.stage in AFTER_LOCK:
        return
    seat = seats.find(connection, study_id=study.id, person_id=person.id)
    if person.has(Role.RATER, study.id) or (seat is not None and seat.total > 0):
        raise Refused("exporting.no_results_for_raters")


def _raters(counts: Sequence[ScoreCount], setup: StudySetup) -> tuple[RaterMean, ...]:
    ordered = {scale.id: scale.measure != "nominal" for scale in setup.instrument.scales}
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for row in counts:
        n, total = sums.get((row.code, row.scale), (0, 0))
        sums[row.code, row.scale] = (n + row.count, total + row.count * row.value)
    return tuple(
        RaterMean(code, scale, n, total / n if ordered.get(scale, True) else None)
        for (code, scale), (n, total) in sums.items()
    )


def _systems(connection: Connection, setup: StudySetup) -> tuple[SystemMean, ...]:
    names = results.system_names(connection, setup.study.id, unblinded=True)
    means: dict[tuple[str, int], dict[int, float]] = {}
    for row in overview.item_means(connection, setup.study.id):
        means.setdefault((row.scale, row.system_id), {})[row.item_id] = row.mean
    wanted = [
        (scale.id, system)
        for scale in setup.instrument.scales
        if scale.level == "answer" and scale.measure != "nominal"
        for system in sorted(names, key=lambda one: names[one])
        if (scale.id, system) in means
    ]
    table = _table([means[key] for key in wanted])
    replicates = _replicates(table, setup)
    return tuple(
        _mean(names[system], scale, column, drawn)
        for (scale, system), column, drawn in zip(wanted, table.T, replicates, strict=True)
    )


def _table(columns: Sequence[Mapping[int, float]]) -> Floats:
    """Return means (items, columns), nan where a column lacks the item."""
    items = sorted({item for column in columns for item in column})
    rows = [[column.get(item, np.nan) for column in columns] for item in items]
    return np.array(rows, dtype=np.float64).reshape(len(items), len(columns))


def _replicates(table: Floats, setup: StudySetup) -> Floats:
    """Return the columns' means (columns, B) over items drawn with replacement."""
    items, columns = table.shape
    held = ~np.isnan(table)
    filled, counts = np.where(held, table, 0.0), held.astype(np.float64)
    parts = [np.empty((columns, 0))]
    for weights in resampling.blocks(
        items, replicates=setup.protocol.analysis.bootstrap if items else 0,
        seed=setup.protocol.design.seed,
    ):
        drawn = counts.T @ weights
        parts.append(filled.T @ weights / np.where(drawn > 0, drawn, np.nan))
    return np.concatenate(parts, axis=1)


def _mean(system: str, scale: str, column: Floats, replicates: Floats) -> SystemMean:
    found = with_interval(float(np.nanmean(column)), replicates)
    count = int((~np.isnan(column)).sum())
    return SystemMean(
        system, scale, count, float(np.nanmean(column)), found.low, found.high, found.reason
    )
