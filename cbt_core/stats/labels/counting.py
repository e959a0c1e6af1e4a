"""Figures of a 2 x 2 table of a model against gold, for the sample and replicates alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.stats.labels.reasons import Reason
from cbt_core.stats.numbers import ratio
from cbt_core.stats.ratings import Floats

CELLS: Final = ("tp", "fp", "fn", "tn")


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Items that gold and model both have (tp), the model alone (fp), gold alone (fn), none (tn).

    Arrays of one shape: one table, one per replicate, or one per label and replicate.
    """

    tp: Floats
    fp: Floats
    fn: Floats
    tn: Floats

    @property
    def total(self) -> Floats:
        """Return the number of items."""
        return self.tp + self.fp + self.fn + self.tn

    def summed(self) -> "Counts":
        """Return the tables of all labels added up (first axis)."""
        return Counts(*(getattr(self, cell).sum(axis=0) for cell in CELLS))

    def labels(self) -> "Counts":
        """Return the tables of the labels, without the first, which is "any distortion"."""
        return Counts(*(getattr(self, cell)[1:] for cell in CELLS))

    def at(self, index: int) -> "Counts":
        """Return the tables of one label."""
        return Counts(*(getattr(self, cell)[index] for cell in CELLS))


def joined(parts: Sequence[Counts]) -> Counts | None:
    """Return the tables (L + 1, b) of blocks of replicates side by side; None without any."""
    if not parts:
        return None
    return Counts(*(np.concatenate([getattr(one, cell) for one in parts], axis=1)
                    for cell in CELLS))


def precision(counts: Counts) -> Floats:
    """Return tp / (tp + fp)."""
    return ratio(counts.tp, counts.tp + counts.fp)


def recall(counts: Counts) -> Floats:
    """Return tp / (tp + fn)."""
    return ratio(counts.tp, counts.tp + counts.fn)


def f1(counts: Counts) -> Floats:
    """Return 2 tp / (2 tp + fp + fn)."""
    return ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def specificity(counts: Counts) -> Floats:
    """Return tn / (tn + fp)."""
    return ratio(counts.tn, counts.tn + counts.fp)


def accuracy(counts: Counts) -> Floats:
    """Return (tp + tn) / all."""
    return ratio(counts.tp + counts.tn, counts.total)


def kappa(counts: Counts) -> Floats:
    """Return Cohen's kappa of model and gold (J. Cohen 1960); nan where one of them is constant."""
    in_gold, out_gold = counts.tp + counts.fn, counts.fp + counts.tn
    in_model, out_model = counts.tp + counts.fp, counts.fn + counts.tn
    constant = (in_gold == 0) | (out_gold == 0) | (in_model == 0) | (out_model == 0)
    total = counts.total
    expected = in_gold * out_model + out_gold * in_model
    observed = (counts.fp + counts.fn) * total
    return 1 - ratio(observed, np.where(constant, 0.0, expected))


def prevalence_gold(counts: Counts) -> Floats:
    """Return the share of items that have it in gold."""
    return ratio(counts.tp + counts.fn, counts.total)


def prevalence_model(counts: Counts) -> Floats:
    """Return the share of items to which the model gives it."""
    return ratio(counts.tp + counts.fp, counts.total)


Compute = Callable[[Counts], Floats]

FIGURES: Final[dict[str, Compute]] = {
    "accuracy": accuracy, "precision": precision, "recall": recall, "specificity": specificity,
    "f1": f1, "kappa": kappa,
    "prevalence_gold": prevalence_gold, "prevalence_model": prevalence_model,
}  # fmt: skip
"""Every figure of one table, in the order of the JSON."""

AVERAGED: Final[dict[str, Compute]] = {"precision": precision, "recall": recall, "f1": f1}
"""Figures that are also summed up over labels."""

REASONS: Final = {
    "precision": Reason.NEVER_PREDICTED, "recall": Reason.NEVER_IN_GOLD,
    "specificity": Reason.ALWAYS_IN_GOLD, "f1": Reason.IN_NEITHER, "kappa": Reason.ONE_ANSWER,
}  # fmt: skip
"""Why a figure of a table with items is undefined; without items nothing is defined."""
