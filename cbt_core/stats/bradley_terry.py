"""Strengths of systems from overall preferences: Bradley-Terry with ties and a position term.

With two answers on a sheet this is Davidson's model (R. R. Davidson, JASA 65 (1970) 317) with the
order effect of Davidson & Beaver (Biometrics 33 (1977) 693): of utilities s_left + d/2,
s_right - d/2 and, for a tie, t + (s_left + s_right)/2, each is chosen in proportion to exp. With
more answers the same holds for the choice of the best one (Luce), position counted linearly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.stats import resampling
from cbt_core.stats.choice_model import Design, design, exists, finite, fit
from cbt_core.stats.clustered import Bootstrap
from cbt_core.stats.ratings import Floats, Integers
from cbt_core.stats.reasons import Reason
from cbt_core.stats.values import Value, undefined, with_interval

TIE: Final = -1
"""The outcome of a comparison without a preferred slot."""


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """Overall preferences, one per task: `item`, `rater` (n,) are indices.

    `shown` (n, m): the system in each slot, left to right, -1 beyond the last; `outcome` (n,): the
    slot preferred, or `TIE`. `systems` names them; `skipped` counts tasks without a preference.
    """

    systems: tuple[str, ...]
    item: Integers
    rater: Integers
    shown: Integers
    outcome: Integers
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Strength:
    """A system's log strength beside the reference's 0, and its wins, ties, losses."""

    system: str
    log_strength: Value
    n: int
    preferred: int
    tied: int


@dataclass(frozen=True, slots=True)
class BradleyTerry:
    """The fitted model; `reason` says why nothing could be estimated.

    `position`: log odds of the left over the right slot between equal answers; `tie`: log of how
    likely a tie is beside a win between equals. `preferred_over_reference`: P(wins) + P(ties)/2
    of each system against the reference, the sides evened out.
    """

    reference: str
    n: int
    n_items: int
    n_raters: int
    n_tied: int
    n_skipped: int
    strengths: tuple[Strength, ...]
    preferred_over_reference: dict[str, Value]
    position: Value
    tie: Value
    model: str
    reason: str | None = None


MODEL: Final = (
    "Bradley-Terry with Davidson's tie term and a position term; maximum likelihood, items "
    "resampled"
)


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """Parameters of the sample (P, 1) and of the replicates (P, B), nan = no finite estimate."""

    model: Design
    point: Floats
    drawn: Floats


def bradley_terry(choices: Choices, *, reference: str, how: Bootstrap) -> BradleyTerry:
    """Return the strengths relative to `reference`, intervals from resampled items."""
    found = _fitted(choices, how)
    base = choices.systems.index(reference)
    systems = range(len(choices.systems))
    return BradleyTerry(
        reference=reference,
        n=len(choices.item),
        n_items=len(np.unique(choices.item)),
        n_raters=len(np.unique(choices.rater)),
        n_tied=int((choices.outcome == TIE).sum()),
        n_skipped=choices.skipped,
        strengths=_counted(choices, [_strength(found, system, base) for system in systems]),
        preferred_over_reference={
            choices.systems[system]: _over(found, system, base)
            for system in systems if system != base
        },
        position=_term(found, "position", Reason.SIDES_FIXED),
        tie=_term(found, "tie", Reason.NO_TIES),
        model=MODEL,
        reason=found.text if isinstance(found, Reason) else None,
    )


def _fitted(choices: Choices, how: Bootstrap) -> _Fitted | Reason:
    if not len(choices.item):
        return Reason.NO_PREFERENCES
    if (choices.outcome == TIE).all():
        return Reason.ONLY_TIES
    model = design(choices.shown, choices.outcome, len(choices.systems), _terms(choices))
    reason = exists(model)
    if reason is not None:
        return reason
    return _Fitted(model, fit(model, np.ones((len(choices.item), 1))), _drawn(choices, model, how))


def _terms(choices: Choices) -> tuple[str, ...]:
    """Return the terms that can be estimated beside the strengths."""
    terms = ["tie"] if (choices.outcome == TIE).any() else []
    return tuple(terms + (["position"] if _sides_vary(choices) else []))


def _sides_vary(choices: Choices) -> bool:
    """Tell whether some set of answers was shown in more than one order."""
    orders = {tuple(row[row >= 0].tolist()) for row in choices.shown}
    return len({tuple(sorted(order)) for order in orders}) < len(orders)


def _drawn(choices: Choices, model: Design, how: Bootstrap) -> Floats:
    _, place = np.unique(choices.item, return_inverse=True)
    items = int(place.max()) + 1
    parts = [np.empty((model.parameters, 0))]
    if items > 1:
        for weights in resampling.blocks(items, replicates=how.replicates, seed=how.seed):
            found = fit(model, weights[place])
            parts.append(np.where(finite(found), found, np.nan))
    return np.concatenate(parts, axis=1)


def _counted(choices: Choices, values: Sequence[Value]) -> tuple[Strength, ...]:
    decided = np.flatnonzero(choices.outcome != TIE)
    best = np.full(len(choices.outcome), TIE)
    best[decided] = choices.shown[decided, choices.outcome[decided]]
    found = []
    for index, name in enumerate(choices.systems):
        there = (choices.shown == index).any(axis=1)
        tied = int((there & (choices.outcome == TIE)).sum())
        found.append(
            Strength(name, values[index], int(there.sum()), int((best == index).sum()), tied)
        )
    return tuple(found)


def _strength(found: _Fitted | Reason, system: int, base: int) -> Value:
    if isinstance(found, Reason):
        return undefined(found)
    if system == base:
        return Value(0.0, 0.0, 0.0)
    point, drawn = found.point, found.drawn
    return with_interval(float(point[system, 0] - point[base, 0]), drawn[system] - drawn[base])


def _over(found: _Fitted | Reason, system: int, base: int) -> Value:
    if isinstance(found, Reason):
        return undefined(found)
    tie = found.model.row("tie")
    point, drawn = (
        _superiority(parameters[system] - parameters[base],
                     None if tie is None else parameters[tie])
        for parameters in (found.point, found.drawn)
    )
    return with_interval(float(point[0]), drawn)


def _superiority(distance: Floats, tie: Floats | None) -> Floats:
    """Return P(win) + P(tie)/2 of log strengths this far apart (b,)."""
    won, lost = np.exp(distance / 2), np.exp(-distance / 2)
    tied = np.zeros_like(won) if tie is None else np.exp(tie)
    return np.asarray((won + tied / 2) / (won + lost + tied))


def _term(found: _Fitted | Reason, name: str, absent: Reason) -> Value:
    if isinstance(found, Reason):
        return undefined(found)
    row = found.model.row(name)
    if row is None:
        return undefined(absent)
    return with_interval(float(found.point[row, 0]), found.drawn[row])
