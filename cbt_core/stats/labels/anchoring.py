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

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from cbt_core.stats.labels import annotators, label_sets
from cbt_core.stats.labels.annotators import Figure, LabelFigures, SetTable, Setting, blocks
from cbt_core.stats.labels.label_sets import LabelRow, LabelSets, Membership, gather, membership
from cbt_core.stats.labels.reasons import Reason
from cbt_core.stats.numbers import ratio
from cbt_core.stats.ratings import Floats, Integers

Json = dict[str, object]
ANSWERS: Final = ("confirmed", "changed", "rejected")
SHIFTS: Final = (
    "effect", "similarity_before", "similarity_after", "blind_dropped", "machine_adopted",
)  # fmt: skip


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


def anchoring(
    rounds: Sequence[TwoRounds], answers: Sequence[Answered], labels: Sequence[str],
    setting: Setting,
) -> Json:
    """Return agreement before and after, the anchoring effect, and adoption per label."""
    before, after = _sets(rounds, labels, late=False), _sets(rounds, labels, late=True)
    figures = {**_shifts(rounds, labels, before), **_agreements(before, after)}
    per_label = [LabelFigures(before), LabelFigures(after)]
    count = len(before.items)
    for weights in blocks(count, setting, max(one.widest for one in per_label)):
        for figure in figures.values():
            figure.add(weights)
        for one in per_label:
            one.add(weights)
    told = {key: figure.value().json() for key, figure in figures.items()}
    return {
        "n_items": count,
        "n_annotators": len(before.annotators),
        "n_pairs": len(rounds),
        **{key: told[key] for key in SHIFTS},
        "alpha_masi": {side: told[f"alpha_{side}"] for side in ("before", "after", "difference")},
        "labels": {
            label: {
                **adoption(rounds, answers, label),
                "before": _agreement(per_label[0], label), "after": _agreement(per_label[1], label),
            }
            for label in labels
        },
    }


def adoption(rounds: Sequence[TwoRounds], answers: Sequence[Answered], label: str) -> Json:
    """Count what was made of the machine's proposals of one label; rates are null without any."""
    counts = {answer: sum(one.label == label and one.answer == answer for one in answers)
              for answer in ANSWERS}
    total = sum(counts.values())
    return {
        "answered": total, **counts,
        **{f"{answer}_rate": counts[answer] / total if total else None for answer in ANSWERS},
        "blind": sum(label in one.before for one in rounds),
        "dropped": sum(label in one.before and label not in one.after for one in rounds),
        "added": sum(label in one.after and label not in one.before for one in rounds),
    }


def _agreement(figures: LabelFigures, label: str) -> Json:
    found = figures.json(label)
    return {key: found[key] for key in ("prevalence", "percent_agreement", "alpha_nominal", "ac1")}


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
