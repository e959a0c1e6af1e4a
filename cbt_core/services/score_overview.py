"""Scores at a glance: per rater always, pooled after the lock, per system after the unblinding."""

from collections.abc import Sequence
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
from db.overview import ItemMean, ScoreCount
from db.studies import StudyRow

SEED: Final = 1
"""The seed of `agreement` and `compare`, so that intervals come from the same kind of draw."""

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
class Share:
    """How many scores of a scale have a value, over all systems and raters."""

    scale: str
    value: int
    count: int


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
    """What may be seen at this stage; `shares` from the lock on, `systems` once unblinded."""

    stage: str
    raters: tuple[RaterMean, ...]
    shares: tuple[Share, ...]
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
            _shares(counts, setup) if stage in AFTER_LOCK else (),
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


def _shares(counts: Sequence[ScoreCount], setup: StudySetup) -> tuple[Share, ...]:
    sums: dict[tuple[str, int], int] = {}
    for row in counts:
        sums[row.scale, row.value] = sums.get((row.scale, row.value), 0) + row.count
    return tuple(
        Share(scale.id, value.value, sums.get((scale.id, value.value), 0))
        for scale in setup.instrument.scales
        for value in scale.values
    )


def _systems(connection: Connection, setup: StudySetup) -> tuple[SystemMean, ...]:
    names = results.system_names(connection, setup.study.id, unblinded=True)
    rows = overview.item_means(connection, setup.study.id)
    items = sorted({row.item_id for row in rows})
    weights = _draws(len(items), setup.protocol.analysis.bootstrap)
    return tuple(
        _mean(names[system], scale.id, _column(rows, items, system, scale.id), weights)
        for scale in setup.instrument.scales
        if scale.level == "answer" and scale.measure != "nominal"
        for system in sorted(names, key=lambda one: names[one])
        if any(row.system_id == system and row.scale == scale.id for row in rows)
    )


def _draws(items: int, replicates: int) -> Floats:
    """Return how often each item is drawn in each replicate (items, B)."""
    drawn = list(resampling.blocks(items, replicates=replicates, seed=SEED)) if items else []
    return np.concatenate(drawn, axis=1) if drawn else np.empty((items, 0))


def _column(
    rows: Sequence[ItemMean], items: Sequence[int], system: int, scale: str
) -> Floats:
    """Return a system's mean per item (I,), nan where it has no score."""
    known = {row.item_id: row.mean for row in rows
             if row.system_id == system and row.scale == scale}
    return np.array([known.get(item, np.nan) for item in items])


def _mean(
    system: str, scale: str, means: Floats, weights: Floats
) -> SystemMean:
    """Return a system's mean on a scale from its item means (I,) and the draws (I, B)."""
    has = ~np.isnan(means)
    held = weights[has].sum(axis=0)
    with np.errstate(invalid="ignore"):
        replicates = np.asarray(means[has] @ weights[has] / np.where(held > 0, held, np.nan))
    found = with_interval(float(means[has].mean()), replicates)
    return SystemMean(
        system, scale, int(has.sum()), found.value or 0.0, found.low, found.high, found.reason
    )
