"""The queue of adjudication: the items on which annotators are most apart, first.

First the label sets: the mean over pairs of annotators of the MASI distance (0 the same, 1
nothing in common). A pair in which somebody is unsure counts 1: that item needs a decision. Then
the spans: the mean over pairs of 1 minus the F1 of labelled characters. Items alike on both stand
in a seeded order, so that an item's place tells nothing else.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import combinations
from typing import Final, Literal

import numpy as np

from cbt_core.domain.labels import LabelMark
from cbt_core.domain.people import Person
from cbt_core.services import guard
from cbt_core.services.studies.study_setup import current
from cbt_core.stats.labels.label_sets import masi
from db import adjudications, results, tasks
from db.adjudications import QueueAsked, QueueLine, Standing
from db.engine import Connection, Database
from db.results import BlindLine

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
        if adjudications.is_whole(connection, study_id):
            return
    with database.writing(study_id) as connection:
        fresh = adjudications.new_items(connection, study_id)
        adjudications.add_standings(connection, study_id, {
            key: _place(seed, study_id, key) if is_main else None
            for key, is_main in fresh.items()
        })
        behind = dict(adjudications.behind(connection, study_id))
        opinions = _opinions(connection, study_id, list(behind))
        adjudications.put_standings(connection, _standings(opinions, behind))


def label_distances(items: Sequence[Sequence[Opinion]]) -> list[float]:
    """Return the mean MASI distance between the annotators of each item; 0 below two of them."""
    owners, sizes, unsure = [], [], []
    for place, opinions in enumerate(items):
        for opinion, other in combinations(opinions, 2):
            first, second = opinion.labels or frozenset(), other.labels or frozenset()
            owners.append(place)
            sizes.append((len(first & second), len(first), len(second)))
            unsure.append(opinion.labels is None or other.labels is None)
    if not owners:
        return [0.0] * len(items)
    common, first_size, second_size = np.array(sizes, dtype=np.float64).T
    distances = np.where(unsure, 1.0, 1.0 - masi(common, first_size, second_size))
    sums = np.bincount(owners, distances, len(items))
    pairs = np.bincount(owners, minlength=len(items))
    return [round(float(one), 9) for one in sums / np.maximum(pairs, 1)]


def span_distance(opinions: Sequence[Opinion]) -> float:
    """Return the mean over pairs of 1 minus the F1 of labelled characters; 0 below two."""
    distances = [_apart(one.marks, other.marks) for one, other in combinations(opinions, 2)]
    return round(sum(distances) / len(distances), 9) if distances else 0.0


def _apart(marks: frozenset[Mark], other: frozenset[Mark]) -> float:
    total = len(marks) + len(other)
    return 1.0 - 2 * len(marks & other) / total if total else 0.0


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
        line for line in results.blind_round(connection, study_id, few)
        if line.item_id in wanted and line.outcome != "skipped"
    ]
    ids = None if few is None else [line.submission_id for line in lines]
    labels = results.labels(connection, study_id, ids)
    spans = results.spans(connection, study_id, ids)
    opinions: dict[int, list[Opinion]] = defaultdict(list)
    for line in lines:
        opinions[line.item_id].append(Opinion(
            _label_set(line, labels),
            frozenset(
                (one.field, place, one.label)
                for one in spans.get(line.submission_id, ())
                for place in range(one.start, one.end)
            ),
        ))
    return opinions


def _label_set(
    line: BlindLine, labels: Mapping[int, Sequence[LabelMark]]
) -> frozenset[str] | None:
    if not line.is_vote:
        return None
    return frozenset(mark.label for mark in labels.get(line.submission_id, ()))


Show = Literal["waiting", "decided", "all"]

FEWEST_VOTERS: Final = 2
PER_PAGE: Final = 25
SHOWN_CHARACTERS: Final = 80
"""How much of a question stands in the queue."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One item of the queue. `changed`: labels came or changed after the decision."""

    item: str
    question: str
    annotators: int
    disagreement: float
    outcome: str | None
    changed: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """A page of the queue; `total` of the kind shown, `waiting` and `decided` of the whole study.

    `has_blind_round` is false in a study of corrections: gold then comes from decisions alone.
    """

    rows: tuple[Waiting, ...]
    start: int
    total: int
    waiting: int
    decided: int
    has_blind_round: bool


def queue(
    database: Database, person: Person, *, slug: str, show: Show = "waiting", search: str = "",
    start: int = 0, count: int = PER_PAGE, now: datetime,
) -> Queue:
    """Return a page of the queue, the greatest disagreement first.

    `waiting` holds items with two blind submissions and more and no decision; `all` also those
    with fewer, to be decided where it is asked for. Items the person labels are left out.
    """
    lead = guard.as_lead(database, person, study=slug, act="adjudication_queue", now=now)
    with lead.reading() as (connection, study):
        setup = current(connection, study.id)
    refresh(database, study.id, setup.protocol.design.seed)
    with lead.reading() as (connection, study):
        voter = _labels_here(connection, person, study.id)
        asked = {
            "waiting": QueueAsked(fewest_voters=FEWEST_VOTERS, decided=False, without_person=voter),
            "decided": QueueAsked(fewest_voters=0, decided=True, without_person=voter),
        }
        chosen = QueueAsked(
            fewest_voters=FEWEST_VOTERS if show == "waiting" else 0,
            decided={"waiting": False, "decided": True, "all": None}[show],
            search=search.strip(), without_person=voter,
        )
        counts = {
            name: adjudications.count_queue(connection, study.id, one)
            for name, one in asked.items()
        }
        is_plain = show in counts and not chosen.search
        total = (
            counts[show] if is_plain
            else adjudications.count_queue(connection, study.id, chosen)
        )
        lines = adjudications.queue_page(connection, study.id, chosen, start=start, count=count)
    return Queue(
        tuple(_waiting(line) for line in lines), start, total, counts["waiting"],
        counts["decided"], setup.protocol.label_mode != "correct",
    )


def _labels_here(connection: Connection, person: Person, study_id: int) -> int | None:
    """Return the person's id where it matters: somebody who labels nothing costs no look-up."""
    if person.is_terminal:
        return None
    labels = tasks.labels_items(connection, study_id=study_id, person_id=person.id)
    return person.id if labels else None


def _waiting(line: QueueLine) -> Waiting:
    last = max(json.loads(line.seen), default=0) if line.seen else 0
    return Waiting(
        line.key, line.question[:SHOWN_CHARACTERS], line.voters, line.disagreement, line.outcome,
        changed=line.outcome is not None and line.newest > last,
    )
