"""Simulated past labels of the demonstration: two annotators who do not always agree.

Nobody gave these labels: they are drawn from the figures in ``simulated_labels.toml``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import Final

from cbt_core.demo.texts import FOLDER, MarkedItem, MarkedQuote, demo_distortions
from cbt_core.instruments.reading import Table, parse_toml, read_text

SEED: Final = 3
"""The draw the demonstration shows."""

SHARES: Final = ("keeps", "confuses", "trims", "adds", "adopts", "rejects")


@dataclass(frozen=True, slots=True)
class SimulatedMark:
    """A label an annotator gave to a quote; `trimmed`: without the quote's first words."""

    mark: MarkedQuote
    trimmed: bool = False


@dataclass(frozen=True, slots=True)
class SimulatedLabels:
    """What one simulated annotator saved for one item: alone, and of each machine label.

    `adopted` stands beside the item's machine labels; `seconds` is the time of the first round.
    """

    item: str
    annotator: str
    marks: tuple[SimulatedMark, ...]
    unsure: bool
    adopted: tuple[bool, ...]
    certainty: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Annotator:
    code: str
    share: Mapping[str, float]
    seconds: float


@cache
def _figures() -> tuple[tuple[_Annotator, ...], dict[str, str]]:
    table = parse_toml(read_text(FOLDER / "simulated_labels.toml"), "simulated_labels.toml")
    table.only("annotators", "confused")
    confused = table.child("confused")
    return (
        tuple(_annotator(one) for one in table.children("annotators")),
        {label: confused.text(label) for label in confused.content},
    )


def _annotator(table: Table) -> _Annotator:
    return _Annotator(
        table.text("code"),
        {name: table.number(name, low=0, high=1) for name in SHARES},
        table.number("seconds", low=1, high=3600),
    )


def simulated_annotators() -> tuple[str, ...]:
    """Return the codes of the simulated annotators."""
    return tuple(one.code for one in _figures()[0])


def simulated_labels(seed: int = SEED) -> tuple[SimulatedLabels, ...]:
    """Return what the simulated annotators saved for every item: simulated, not collected."""
    annotators, confused = _figures()
    return tuple(
        _labels(item, who, confused, seed) for item in demo_distortions() for who in annotators
    )


def _labels(
    item: MarkedItem, who: _Annotator, confused: Mapping[str, str], seed: int
) -> SimulatedLabels:
    chance = Random(f"{seed}/{item.item}/{who.code}")
    kept = [one for one in item.reference if chance.random() < who.share["keeps"]]
    wrong = [one for one in item.machine if not _is_right(one, item)]
    added = [one for one in wrong if chance.random() < who.share["adds"]]
    marks = [
        SimulatedMark(_named(one, who, confused, chance), chance.random() < who.share["trims"])
        for one in (*kept, *added)
    ]
    return SimulatedLabels(
        item=item.item,
        annotator=who.code,
        marks=tuple(marks),
        unsure=bool(item.reference) and not marks,
        adopted=tuple(_adopts(one, item, who, chance) for one in item.machine),
        certainty=chance.choice([1, 2, 2, 3, 3]),
        seconds=round(who.seconds * chance.lognormvariate(0.0, 0.3), 1),
    )


def _named(
    one: MarkedQuote, who: _Annotator, confused: Mapping[str, str], chance: Random
) -> MarkedQuote:
    is_mistaken = chance.random() < who.share["confuses"] and one.label in confused
    return replace(one, label=confused[one.label]) if is_mistaken else one


def _adopts(one: MarkedQuote, item: MarkedItem, who: _Annotator, chance: Random) -> bool:
    if _is_right(one, item):
        return chance.random() >= who.share["rejects"]
    return chance.random() < who.share["adopts"]


def _is_right(one: MarkedQuote, item: MarkedItem) -> bool:
    """Tell whether a careful reader would give this label to words around these."""
    return any(
        true.label == one.label and (true.quote.zh in one.quote.zh or one.quote.zh in true.quote.zh)
        for true in item.reference
    )
