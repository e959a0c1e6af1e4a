"""Maximum likelihood of choices among the answers of a sheet, for many weightings at once.

A conditional logit: every alternative (each answer, and the tie) has a row of features; chances
are proportional to exp(features @ parameters). Strengths sum to zero.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.stats.ratings import Floats, Integers
from cbt_core.stats.reasons import Reason

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
    found = np.zeros((weights.shape[1], model.parameters))
    for _ in range(STEPS):
        gradient, curvature = _derivatives(model, counts, found)
        step = np.linalg.solve(curvature, gradient[:, :, np.newaxis])[:, :, 0]
        size = np.abs(step).max(axis=1, keepdims=True)
        found = found + step * np.minimum(1.0, 2.0 / np.maximum(size, RIDGE))
        if size.max() < GRADIENT:
            break
    gradient, _ = _derivatives(model, counts, found)
    scale = counts.sum(axis=(1, 2))
    settled = np.abs(gradient).max(axis=1) <= 1e-6 * np.maximum(scale, 1.0)
    return np.where(settled[:, np.newaxis], found, np.nan).T


def finite(found: Floats) -> Floats:
    """Tell of parameters (P, b) whether each replicate has a finite estimate (1, b)."""
    with np.errstate(invalid="ignore"):
        return np.asarray((np.abs(found) < LIMIT).all(axis=0, keepdims=True))


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
    found = linprog(
        -rows.sum(axis=0), A_ub=np.concatenate([-rows, rows]),
        b_ub=np.concatenate([np.zeros(len(rows)), np.ones(len(rows))]), bounds=(None, None),
        method="highs",
    )
    return Reason.SEPARATED if found.status != 0 or -found.fun > 1e-7 else None


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
    found = np.zeros((sheets * alternatives, weights.shape[1]))
    np.add.at(found, cell, weights)
    return np.ascontiguousarray(found.T).reshape(-1, sheets, alternatives)


def _derivatives(model: Design, counts: Floats, found: Floats) -> tuple[Floats, Floats]:
    """Return gradient (b, P) and negative curvature (b, P, P) of the log likelihood.

    A spring on the sum of the strengths fixes their level without touching the likelihood; a
    tiny ridge keeps a replicate without a finite estimate solvable (it runs off and is dropped).
    """
    utility = np.einsum("dap,bp->bda", model.features, found)
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
    gradient -= found @ level[:, np.newaxis] * level
    curvature += np.outer(level, level) + RIDGE * np.eye(model.parameters)
    return gradient, curvature
