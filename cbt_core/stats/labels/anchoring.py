"""What seeing the machine's labels does to annotators: two rounds of the same eyes on one item.

Definitions, over (annotator, item) pairs with decided labels in both rounds: B the blind labels, A
those saved with the machine's proposals on the screen, M the machine's labels of the item; J is
the Jaccard similarity, 1 for two empty sets.

- similarity_before = mean of J(B, M), similarity_after = mean of J(A, M);
- effect = mean of J(A, M) - J(B, M): above 0, labels moved towards the machine (-1 to 1);
- blind_dropped = sum of |B - A| / sum of |B|: share of own labels given up;
- machine_adopted = sum of |(M - B) & A| / sum of |M - B|: share of the machine's labels not given
  before that are there afterwards.

The effect is a description: it holds honest correction and undue influence alike. Intervals
resample items, all annotators of an item together.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from cbt_core.stats.labels import annotators, label_sets
from cbt_core.stats.labels.annotators import (
    Figure,
    LabelAgreement,
    LabelFigures,
    SetTable,
    Setting,
    blocks,
)
from cbt_core.stats.labels.label_sets import (
    LabelRow,
    LabelSets,
    Membership,
    Reason,
    gather,
    membership,
)
from cbt_core.stats.ratings import Floats, Integers
from cbt_core.stats.values import Value, ratio

Json = dict[str, object]
ANSWERS: Final = ("confirmed", "changed", "rejected")


@dataclass(frozen=True, slots=True)
class TwoRounds:
    """One annotator's labels of one item before and after the machine's were shown."""

    item: str
    annotator: str
    before: Set[str]
    after: Set[str]
    machine: Set[str]


@dataclass(frozen=True, slots=True)
class Answered:
    """What one annotator made of one proposal: `confirmed`, `changed` or `rejected`."""

    label: str
    answer: str


@dataclass(frozen=True, slots=True)
class RoundAgreement:
    """Agreement on one label in one of the two rounds."""

    prevalence: float | None
    percent_agreement: Value
    alpha: Value
    ac1: Value

    def json(self) -> Json:
        """Return the object of the JSON."""
        return {
            "prevalence": self.prevalence, "percent_agreement": self.percent_agreement.json(),
            "alpha_nominal": self.alpha.json(), "ac1": self.ac1.json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What was made of a machine's proposals of one label: counts of answers, and of labels.

    `blind`: given before the proposals were seen, `dropped`: of those, not any more afterwards;
    `added`: only afterwards. Rates are None where nothing was answered.
    """

    confirmed: int
    changed: int
    rejected: int
    blind: int
    dropped: int
    added: int

    @property
    def answered(self) -> int:
        """Return how many proposals were answered."""
        return self.confirmed + self.changed + self.rejected

    @property
    def confirmed_rate(self) -> float | None:
        """Return the share of answers that confirmed."""
        return self._rate(self.confirmed)

    @property
    def changed_rate(self) -> float | None:
        """Return the share of answers that changed the label."""
        return self._rate(self.changed)

    @property
    def rejected_rate(self) -> float | None:
        """Return the share of answers that rejected."""
        return self._rate(self.rejected)

    def _rate(self, count: int) -> float | None:
        return count / self.answered if self.answered else None

    def json(self) -> Json:
        """Return the object of the JSON."""
        return {
            "answered": self.answered,
            "confirmed": self.confirmed, "changed": self.changed, "rejected": self.rejected,
            "confirmed_rate": self.confirmed_rate, "changed_rate": self.changed_rate,
            "rejected_rate": self.rejected_rate,
            "blind": self.blind, "dropped": self.dropped, "added": self.added,
        }


@dataclass(frozen=True, slots=True)
class LabelShift:
    """One label: what was made of its proposals, and agreement on it in both rounds."""

    adoption: Adoption
    before: RoundAgreement
    after: RoundAgreement

    def json(self) -> Json:
        """Return the object of the JSON."""
        return {
            **self.adoption.json(), "before": self.before.json(), "after": self.after.json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchoring:
    """What seeing the machine's labels changed, over `n_pairs` (annotator, item) pairs."""

    n_items: int
    n_annotators: int
    n_pairs: int
    effect: Value
    similarity_before: Value
    similarity_after: Value
    blind_dropped: Value
    machine_adopted: Value
    alpha_before: Value
    alpha_after: Value
    alpha_difference: Value
    labels: Mapping[str, LabelShift]

    def json(self) -> Json:
        """Return the object of the JSON."""
        return {
            "n_items": self.n_items,
            "n_annotators": self.n_annotators,
            "n_pairs": self.n_pairs,
            "effect": self.effect.json(),
            "similarity_before": self.similarity_before.json(),
            "similarity_after": self.similarity_after.json(),
            "blind_dropped": self.blind_dropped.json(),
            "machine_adopted": self.machine_adopted.json(),
            "alpha_masi": {
                "before": self.alpha_before.json(), "after": self.alpha_after.json(),
                "difference": self.alpha_difference.json(),
            },
            "labels": {label: one.json() for label, one in self.labels.items()},
        }


def anchoring(
    rounds: Sequence[TwoRounds], answers: Sequence[Answered], labels: Sequence[str],
    setting: Setting,
) -> Anchoring:
    """Return agreement before and after, the anchoring effect, and adoption per label."""
    before, after = _sets(rounds, labels, late=False), _sets(rounds, labels, late=True)
    figures = {**_shifts(rounds, labels, before), **_agreements(before, after)}
    per_label = [LabelFigures(before), LabelFigures(after)]
    count = len(before.items)
    for weights in blocks(count, setting, max(one.widest for one in per_label)):
        for figure in figures.values():
            figure.add(weights)
        for round_figures in per_label:
            round_figures.add(weights)
    return Anchoring(
        n_items=count,
        n_annotators=len(before.annotators),
        n_pairs=len(rounds),
        **{key: figure.value() for key, figure in figures.items()},
        labels={
            label: LabelShift(
                adoption(rounds, answers, label),
                *(_round(one.agreement(label)) for one in per_label),
            )
            for label in labels
        },
    )


def adoption(rounds: Sequence[TwoRounds], answers: Sequence[Answered], label: str) -> Adoption:
    """Count what was made of the machine's proposals of one label."""
    return Adoption(
        **{answer: sum(one.label == label and one.answer == answer for one in answers)
           for answer in ANSWERS},
        blind=sum(label in one.before for one in rounds),
        dropped=sum(label in one.before and label not in one.after for one in rounds),
        added=sum(label in one.after and label not in one.before for one in rounds),
    )


def _round(agreement: LabelAgreement) -> RoundAgreement:
    return RoundAgreement(
        agreement.prevalence.value, agreement.percent_agreement, agreement.alpha, agreement.ac1
    )


def _sets(rounds: Sequence[TwoRounds], labels: Sequence[str], *, late: bool) -> LabelSets:
    return gather(
        [LabelRow(one.item, one.annotator, one.after if late else one.before) for one in rounds],
        labels,
    )


def _agreements(before: LabelSets, after: LabelSets) -> dict[str, Figure]:
    early, late = annotators.set_table(before), annotators.set_table(after)
    count = len(before.items)
    why = annotators.reason(early) if np.isnan(_point(early, count)) else annotators.reason(late)
    return {
        "alpha_before": Figure(count, partial(_alpha, early), annotators.reason(early)),
        "alpha_after": Figure(count, partial(_alpha, late), annotators.reason(late)),
        "alpha_difference": Figure(count, lambda w: _alpha(late, w) - _alpha(early, w), why),
    }


def _alpha(table: SetTable, weights: Floats) -> Floats:
    return annotators.alphas(table, weights)["alpha_masi"]


def _point(table: SetTable, count: int) -> float:
    return float(_alpha(table, np.ones((count, 1)))[0])


def _shifts(
    rounds: Sequence[TwoRounds], labels: Sequence[str], sets: LabelSets
) -> dict[str, Figure]:
    place = {key: at for at, key in enumerate(sets.items)}
    item = np.array([place[one.item] for one in rounds], dtype=np.int64)
    blind, late, machine = (
        membership([getattr(one, part) for one in rounds], labels)
        for part in ("before", "after", "machine")
    )
    pairs = _summed(item, np.ones(len(rounds)), sets)
    was = _summed(item, _similarity(blind, machine), sets)
    became = _summed(item, _similarity(late, machine), sets)
    new = machine & ~blind
    shares = {
        "similarity_before": (was, pairs, Reason.NO_SECOND_ROUND),
        "similarity_after": (became, pairs, Reason.NO_SECOND_ROUND),
        "effect": (became - was, pairs, Reason.NO_SECOND_ROUND),
        "blind_dropped": (_counted(item, blind & ~late, sets), _counted(item, blind, sets),
                          Reason.NO_BLIND_LABELS if rounds else Reason.NO_SECOND_ROUND),
        "machine_adopted": (_counted(item, new & late, sets), _counted(item, new, sets),
                            Reason.NOTHING_TO_ADOPT if rounds else Reason.NO_SECOND_ROUND),
    }
    return {
        key: Figure(len(sets.items), partial(_share, above, below), reason)
        for key, (above, below, reason) in shares.items()
    }


def _similarity(first: Membership, second: Membership) -> Floats:
    return label_sets.jaccard(*label_sets.paired(first, second))


def _summed(item: Integers, values: Floats, sets: LabelSets) -> Floats:
    return np.bincount(item, weights=values, minlength=len(sets.items)).astype(np.float64)


def _counted(item: Integers, held: Membership, sets: LabelSets) -> Floats:
    return _summed(item, held.sum(axis=1).astype(np.float64), sets)


def _share(above: Floats, below: Floats, weights: Floats) -> Floats:
    return ratio(above @ weights, below @ weights)
