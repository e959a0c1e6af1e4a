"""Tables for heat maps: which labels come together, and which one reader sees for another's."""

from collections.abc import Iterable, Sequence, Set

import numpy as np

from cbt_core.stats.ratings import Integers


def cooccurrence(sets: Iterable[Set[str]], labels: Sequence[str]) -> Integers:
    """Return how many sets hold both labels (L, L); the diagonal counts each label alone."""
    place = {label: at for at, label in enumerate(labels)}
    found = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for given in sets:
        held = [place[label] for label in given if label in place]
        found[np.ix_(held, held)] += 1
    return found


def confusion(pairs: Iterable[tuple[Set[str], Set[str]]], labels: Sequence[str]) -> Integers:
    """Return how often the second reader has column j where the first has row i (L + 1, L + 1).

    Several labels may fit one text, so a label both have counts on the diagonal; of the rest, each
    label of the first meets each of the second. A label that meets nothing counts against "none",
    the last row and column; two empty sets count there on the diagonal.
    """
    place = {label: at for at, label in enumerate(labels)}
    none = len(labels)
    found = np.zeros((none + 1, none + 1), dtype=np.int64)
    for first, second in pairs:
        for label in first & second:
            found[place[label], place[label]] += 1
        left = [place[label] for label in first - second] or [none]
        right = [place[label] for label in second - first] or [none]
        if left != [none] or right != [none] or not first:
            found[np.ix_(left, right)] += 1
    return found
