"""Strengths of systems from overall preferences: Bradley-Terry with ties and a position term.

With two answers on a sheet this is Davidson's model (R. R. Davidson, JASA 65 (1970) 317) with the
order effect of Davidson & Beaver (Biometrics 33 (1977) 693): of utilities s_left + d/2, s_right -
d/2 and, for a tie, t + (s_left + s_right)/2, each is chosen in proportion to exp. With more answers
the same holds for the choice of the best one (Luce), position counted linearly.

Fitted by maximum likelihood for many weightings at once. A conditional logit: every alternative
(each answer, and the tie) has a row of features; chances are proportional to exp(features @
parameters). Strengths sum to zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.stats import resampling
from cbt_core.stats.ratings import Floats, Integers
from cbt_core.stats.resampling import Bootstrap
from cbt_core.stats.values import Reason, Value, undefined, with_interval

STEPS: Final = 60
LIMIT: Final = 12.0
"""A parameter beyond it (odds of 160,000 to 1) has no finite estimate."""

GRADIENT: Final = 1e-8
RIDGE: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Distinct sheets and outcomes.

    `features` (D, A, P) of the alternatives of each distinct sheet, `there` (D, A) which exist;
    `kind` (n,): the sheet of each choice, `chosen` (n,): the alternative chosen.
    """

    features: Floats
    there: Floats
    kind: Integers
    chosen: Integers
    systems: int
    terms: tuple[str, ...]

    @property
    def parameters(self) -> int:
        """Return the number of parameters: strengths first, then the terms."""
        return self.systems + len(self.terms)

    def row(self, term: str) -> int | None:
        """Return the row of a term among the parameters; None when it is not in the model."""
        return self.systems + self.terms.index(term) if term in self.terms else None


def design(shown: Integers, outcome: Integers, systems: int, terms: tuple[str, ...]) -> Design:
    """Return the design of choices: `shown` (n, m) systems by slot or -1, `outcome` (n,) or -1."""
    sheets, kind = np.unique(shown, axis=0, return_inverse=True)
    slots = shown.shape[1]
    features = np.zeros((len(sheets), slots + 1, systems + len(terms)))
    there = np.zeros((len(sheets), slots + 1))
    for place, sheet in enumerate(sheets):
        used = sheet[sheet >= 0]
        for slot, system in enumerate(used):
            features[place, slot, system] = 1.0
            if "position" in terms:
                middle = (len(used) - 1) / 2
                features[place, slot, systems + terms.index("position")] = middle - slot
        there[place, : len(used)] = 1.0
        if "tie" in terms:
            features[place, slots, used] = 1 / len(used)
            features[place, slots, systems + terms.index("tie")] = 1.0
            there[place, slots] = 1.0
    chosen = np.where(outcome < 0, slots, outcome)
    return Design(features, there, kind.ravel(), chosen, systems, terms)


def fit(model: Design, weights: Floats) -> Floats:
    """Return the parameters (P, b) for weights (n, b) of the choices; nan where not converged."""
    counts = _counts(model, weights)
    estimates = np.zeros((weights.shape[1], model.parameters))
    for _ in range(STEPS):
        gradient, curvature = _derivatives(model, counts, estimates)
        step = np.linalg.solve(curvature, gradient[:, :, np.newaxis])[:, :, 0]
        size = np.abs(step).max(axis=1, keepdims=True)
        estimates = estimates + step * np.minimum(1.0, 2.0 / np.maximum(size, RIDGE))
        if size.max() < GRADIENT:
            break
    gradient, _ = _derivatives(model, counts, estimates)
    scale = counts.sum(axis=(1, 2))
    settled = np.abs(gradient).max(axis=1) <= 1e-6 * np.maximum(scale, 1.0)
    return np.where(settled[:, np.newaxis], estimates, np.nan).T


def finite(estimates: Floats) -> Floats:
    """Tell of parameters (P, b) whether each replicate has a finite estimate (1, b)."""
    with np.errstate(invalid="ignore"):
        return np.asarray((np.abs(estimates) < LIMIT).all(axis=0, keepdims=True))


def exists(model: Design) -> Reason | None:
    """Return why the choices have no unique finite estimate; None when they have one.

    Source: A. Albert & J. A. Anderson, Biometrika 71 (1984) 1: none exists when some direction
    never speaks against a choice made. Found by a linear program, exact for any number of terms.
    """
    from scipy.optimize import linprog

    cells = np.unique(np.stack([model.kind, model.chosen]), axis=1).T
    rows = np.concatenate([_against(model, int(kind), int(chosen)) for kind, chosen in cells])
    if np.linalg.matrix_rank(rows) < model.parameters - 1:  # strengths are relative
        return Reason.DISCONNECTED
    optimum = linprog(
        -rows.sum(axis=0), A_ub=np.concatenate([-rows, rows]),
        b_ub=np.concatenate([np.zeros(len(rows)), np.ones(len(rows))]), bounds=(None, None),
        method="highs",
    )
    return Reason.SEPARATED if optimum.status != 0 or -optimum.fun > 1e-7 else None


def _against(model: Design, kind: int, chosen: int) -> Floats:
    """Return features of the chosen alternative less those of each other one."""
    others = [
        place for place in range(model.features.shape[1])
        if place != chosen and model.there[kind, place]
    ]
    return np.asarray(model.features[kind, chosen] - model.features[kind, others])


def _counts(model: Design, weights: Floats) -> Floats:
    """Return how often each alternative was chosen (b, D, A)."""
    sheets, alternatives = model.there.shape
    cell = model.kind * alternatives + model.chosen
    tallies = np.zeros((sheets * alternatives, weights.shape[1]))
    np.add.at(tallies, cell, weights)
    return np.ascontiguousarray(tallies.T).reshape(-1, sheets, alternatives)


def _derivatives(model: Design, counts: Floats, estimates: Floats) -> tuple[Floats, Floats]:
    """Return gradient (b, P) and negative curvature (b, P, P) of the log likelihood.

    A spring on the sum of the strengths fixes their level without touching the likelihood; a
    tiny ridge keeps a replicate without a finite estimate solvable (it runs off and is dropped).
    """
    utility = np.einsum("dap,bp->bda", model.features, estimates)
    raised = np.exp(np.clip(utility, -200, 200)) * model.there
    chance = raised / raised.sum(axis=2, keepdims=True)
    total = counts.sum(axis=2)
    expected = chance * total[:, :, np.newaxis]
    gradient = np.einsum("bda,dap->bp", counts - expected, model.features)
    mean = np.einsum("bda,dap->bdp", chance, model.features)
    second = np.einsum("bda,dap,daq->bpq", expected, model.features, model.features, optimize=True)
    curvature = second - np.einsum("bd,bdp,bdq->bpq", total, mean, mean, optimize=True)
    level = np.zeros(model.parameters)
    level[: model.systems] = 1.0
    gradient -= estimates @ level[:, np.newaxis] * level
    curvature += np.outer(level, level) + RIDGE * np.eye(model.parameters)
    return gradient, curvature


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
    fitted = _fitted(choices, how)
    base = choices.systems.index(reference)
    systems = range(len(choices.systems))
    return BradleyTerry(
        reference=reference,
        n=len(choices.item),
        n_items=len(np.unique(choices.item)),
        n_raters=len(np.unique(choices.rater)),
        n_tied=int((choices.outcome == TIE).sum()),
        n_skipped=choices.skipped,
        strengths=_counted(choices, [_strength(fitted, system, base) for system in systems]),
        preferred_over_reference={
            choices.systems[system]: _over(fitted, system, base)
            for system in systems if system != base
        },
        position=_term(fitted, "position", Reason.SIDES_FIXED),
        tie=_term(fitted, "tie", Reason.NO_TIES),
        model=MODEL,
        reason=fitted.text if isinstance(fitted, Reason) else None,
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
            estimates = fit(model, weights[place])
            parts.append(np.where(finite(estimates), estimates, np.nan))
    return np.concatenate(parts, axis=1)


def _counted(choices: Choices, values: Sequence[Value]) -> tuple[Strength, ...]:
    decided = np.flatnonzero(choices.outcome != TIE)
    best = np.full(len(choices.outcome), TIE)
    best[decided] = choices.shown[decided, choices.outcome[decided]]
    strengths = []
    for index, name in enumerate(choices.systems):
        there = (choices.shown == index).any(axis=1)
        tied = int((there & (choices.outcome == TIE)).sum())
        strengths.append(
            Strength(name, values[index], int(there.sum()), int((best == index).sum()), tied)
        )
    return tuple(strengths)


def _strength(fitted: _Fitted | Reason, system: int, base: int) -> Value:
    if isinstance(fitted, Reason):
        return undefined(fitted)
    if system == base:
        return Value(0.0, 0.0, 0.0)
    point, drawn = fitted.point, fitted.drawn
    return with_interval(float(point[system, 0] - point[base, 0]), drawn[system] - drawn[base])


def _over(fitted: _Fitted | Reason, system: int, base: int) -> Value:
    if isinstance(fitted, Reason):
        return undefined(fitted)
    tie = fitted.model.row("tie")
    point, drawn = (
        _superiority(parameters[system] - parameters[base],
                     None if tie is None else parameters[tie])
        for parameters in (fitted.point, fitted.drawn)
    )
    return with_interval(float(point[0]), drawn)


def _superiority(distance: Floats, tie: Floats | None) -> Floats:
    """Return P(win) + P(tie)/2 of log strengths this far apart (b,)."""
    won, lost = np.exp(distance / 2), np.exp(-distance / 2)
    tied = np.zeros_like(won) if tie is None else np.exp(tie)
    return np.asarray((won + tied / 2) / (won + lost + tied))


def _term(fitted: _Fitted | Reason, name: str, absent: Reason) -> Value:
    if isinstance(fitted, Reason):
        return undefined(fitted)
    row = fitted.model.row(name)
    if row is None:
        return undefined(absent)
    return with_interval(float(fitted.point[row, 0]), fitted.drawn[row])
