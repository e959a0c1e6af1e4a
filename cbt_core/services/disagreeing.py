"""How far the annotators of an item are apart: what orders the queue of adjudication.

First the label sets: the mean over pairs of annotators of the MASI distance (0 the same, 1 nothing
in common). A pair in which somebody is unsure counts 1: that item needs a decision. Then the
spans: the mean over pairs of 1 minus the F1 of labelled characters. Items alike on both stand in a
seeded order, so that an item's place tells nothing else.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from typing import Final

import numpy as np

from cbt_core.stats.labels.similarity import masi
from db import label_lines, label_standings
from db.engine import Connection, Database
from db.label_lines import BlindLine
from db.label_standings import Standing

READ_WHOLE_FROM: Final = 400
"""From so many changed items on the whole study is read at once."""

Mark = tuple[str, int, str]
"""One labelled character: field, place, label."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one annotator said alone; `labels` is None where the annotator was unsure."""

    labels: frozenset[str] | None
    marks: frozenset[Mark]


def refresh(database: Database, study_id: int, seed: int) -> None:
    """Bring what is kept for the queue up to date: only what was labelled since is read.

    A queue that is up to date costs three look-ups and no writing.
    """
    with database.reading() as connection:
        if label_standings.is_whole(connection, study_id):
            return
    with database.writing(study_id) as connection:
        fresh = label_standings.new_items(connection, study_id)
        label_standings.add(connection, study_id, {
            key: _place(seed, study_id, key) if is_main else None
            for key, is_main in fresh.items()
        })
        behind = dict(label_standings.behind(connection, study_id))
        opinions = _opinions(connection, study_id, list(behind))
        label_standings.put(connection, _standings(opinions, behind))


def label_distances(items: Sequence[Sequence[Opinion]]) -> list[float]:
    """Return the mean MASI distance between the annotators of each item; 0 below two of them."""
    owners, sizes, unsure = [], [], []
    for place, opinions in enumerate(items):
        for one, other in combinations(opinions, 2):
            first, second = one.labels or frozenset(), other.labels or frozenset()
            owners.append(place)
            sizes.append((len(first & second), len(first), len(second)))
            unsure.append(one.labels is None or other.labels is None)
    if not owners:
        return [0.0] * len(items)
    common, first_size, second_size = np.array(sizes, dtype=np.float64).T
    distances = np.where(unsure, 1.0, 1.0 - masi(common, first_size, second_size))
    sums = np.bincount(owners, distances, len(items))
    pairs = np.bincount(owners, minlength=len(items))
    return [round(float(one), 9) for one in sums / np.maximum(pairs, 1)]


def span_distance(opinions: Sequence[Opinion]) -> float:
    """Return the mean over pairs of 1 minus the F1 of labelled characters; 0 below two."""
    found = [_apart(one.marks, other.marks) for one, other in combinations(opinions, 2)]
    return round(sum(found) / len(found), 9) if found else 0.0


def _apart(one: frozenset[Mark], other: frozenset[Mark]) -> float:
    total = len(one) + len(other)
    return 1.0 - 2 * len(one & other) / total if total else 0.0


def _place(seed: int, study_id: int, item_id: int) -> str:
    return sha256(f"{seed}/adjudicate/{study_id}/{item_id}".encode()).hexdigest()[:16]


def _standings(
    opinions: Mapping[int, Sequence[Opinion]], newest: Mapping[int, int]
) -> list[Standing]:
    keys = list(newest)
    distances = label_distances([opinions.get(key, ()) for key in keys])
    return [
        Standing(key, len(opinions.get(key, ())), apart, span_distance(opinions.get(key, ())),
                 newest[key])
        for key, apart in zip(keys, distances, strict=True)
    ]


def _opinions(
    connection: Connection, study_id: int, item_ids: Sequence[int]
) -> dict[int, list[Opinion]]:
    """Return what the annotators of these items said alone; skipped texts are no opinions."""
    few = item_ids if len(item_ids) < READ_WHOLE_FROM else None
    wanted = set(item_ids)
    lines = [
        line for line in label_lines.blind_round(connection, study_id, few)
        if line.item_id in wanted and line.outcome != "skipped"
    ]
    ids = None if few is None else [line.submission_id for line in lines]
    labels = label_lines.labels(connection, study_id, ids)
    spans = label_lines.spans(connection, study_id, ids)
    found: dict[int, list[Opinion]] = defaultdict(list)
    for line in lines:
        found[line.item_id].append(Opinion(
            _label_set(line, labels),
            frozenset(
                (one.field, place, one.label)
                for one in spans.get(line.submission_id, ())
                for place in range(one.start, one.end)
            ),
        ))
    return found


def _label_set(
    line: BlindLine, labels: Mapping[int, Sequence[tuple[str, bool, str]]]
) -> frozenset[str] | None:
    if not line.is_vote:
        return None
    return frozenset(name for name, _, _ in labels.get(line.submission_id, ()))
