"""Splits without leakage: what is nearly the same stays together, a study's items stay out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.generation.dataset.near_texts import (
    SHORTEST_TELLING,
    Pair,
    groups,
    near_pairs,
    plain,
    question_matches,
)

SPLITS: Final = ("train", "validation", "test")
TOLERANCE: Final = 1e-6

Asked = tuple[str, str]
"""A question and its description."""


@dataclass(frozen=True, slots=True)
class Split:
    """Which rows (by place) went where, and what was left out for standing in a study."""

    parts: Mapping[str, tuple[int, ...]]
    excluded: Mapping[str, tuple[int, ...]]
    groups: int
    largest_group: int


def split(
    asked: Sequence[Asked],
    *,
    shares: Sequence[float],
    seed: int,
    against: Mapping[str, Sequence[Asked]] | None = None,
) -> Split:
    """Share rows out to train, validation and test.

    Rows that are nearly the same (and those nearly the same as these) form a group and stay
    together. Groups come largest first, in random order among equals, each to the part that
    lacks most of its share: the shares are met as near as the groups allow. Rows like an item
    of a study in `against` go nowhere.

    Raises:
        StudyError: the shares are not three numbers that sum to 1.
    """
    check_shares(shares)
    excluded = {
        name: tuple(match.text for match in question_matches(asked, items))
        for name, items in sorted((against or {}).items())
    }
    gone = {place for places in excluded.values() for place in places}
    together = [
        [place for place in group if place not in gone]
        for group in groups(len(asked), [*_near(asked), *_same_question(asked)])
    ]
    together = [group for group in together if group]
    parts = _share_out(together, shares, seed)
    return Split(
        {name: tuple(sorted(parts[name])) for name in SPLITS}, excluded, len(together),
        max(map(len, together), default=0),
    )


def leaks_between(asked: Sequence[Asked], parts: Mapping[str, Sequence[int]]) -> int:
    """Count the rows of a part that nearly stand in another: 0 for what `split` returns."""
    leaks = 0
    for number, name in enumerate(SPLITS):
        own_rows = [asked[place] for place in parts[name]]
        others = [asked[place] for other in SPLITS[:number] for place in parts[other]]
        leaks += len(question_matches(own_rows, others))
    return leaks


def check_shares(shares: Sequence[float]) -> None:
    """Refuse shares that are not three numbers from 0 to 1 with sum 1.

    Raises:
        StudyError: they are not.
    """
    fit = len(shares) == len(SPLITS) and all(0 <= share <= 1 for share in shares)
    if not fit or abs(sum(shares) - 1) > TOLERANCE:
        raise StudyError("dataset.shares")


def _near(asked: Sequence[Asked]) -> list[Pair]:
    return near_pairs([f"{question}\n{description}" for question, description in asked])


def _same_question(asked: Sequence[Asked]) -> list[Pair]:
    """Return pairs of rows that ask the same with another description."""
    first: dict[str, int] = {}
    pairs = []
    for place, (question, _) in enumerate(asked):
        bare = plain(question)
        if len(bare) >= SHORTEST_TELLING and first.setdefault(bare, place) != place:
            pairs.append(Pair(first[bare], place, 1.0))
    return pairs


def _share_out(
    together: Sequence[Sequence[int]], shares: Sequence[float], seed: int
) -> dict[str, list[int]]:
    order = list(together)
    Random(seed).shuffle(order)
    order.sort(key=len, reverse=True)
    total = sum(map(len, order))
    wanted = {name: share * total for name, share in zip(SPLITS, shares, strict=True)}
    parts: dict[str, list[int]] = {name: [] for name in SPLITS}
    for group in order:
        name = max(SPLITS, key=lambda one: wanted[one] - len(parts[one]))
        parts[name].extend(group)
    return parts
