"""Where the demonstration's files lie, and the distortions marked in its questions."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from cbt_core.domain.instrument import Text
from cbt_core.instruments.reading import Table, parse_toml, read_text

FOLDER: Final = Path(__file__).parent

BASELINE: Final = "baseline"
"""The system that gives kind, sensible advice without CBT structure."""

CBT: Final = "cbt"
"""The system whose answers go through the five steps of a CBT answer."""

TITLE: Final = Text(zh="演示研究：CBT 式回答", en="Demonstration: CBT-style answers")


@dataclass(frozen=True, slots=True)
class MarkedQuote:
    """A label and the words it rests on; they stand exactly once in the item's description."""

    label: str
    quote: Text


@dataclass(frozen=True, slots=True)
class MarkedItem:
    """The distortions of one item.

    `reference` is what a careful reader would mark; `machine` is simulated: what a model might
    propose, nearly half of it wrong.
    """

    item: str
    reference: tuple[MarkedQuote, ...]
    machine: tuple[MarkedQuote, ...]


def demo_file(language: str) -> Path:
    """Return the wide study file in `zh` or `en`; both hold the same items and systems."""
    return FOLDER / f"study.{language}.jsonl"


def demo_protocol() -> Path:
    """Return the protocol file of the demonstration."""
    return FOLDER / "protocol.toml"


@cache
def demo_distortions() -> tuple[MarkedItem, ...]:
    """Return the labels (scheme burns-12) of every item, in the order of the study file."""
    table = parse_toml(read_text(FOLDER / "distortions.toml"), "distortions.toml")
    table.only("scheme", "items")
    return tuple(_marked(one) for one in table.children("items"))


def _marked(table: Table) -> MarkedItem:
    table.only("id", "reference", "machine")
    return MarkedItem(table.text("id"), _quotes(table, "reference"), _quotes(table, "machine"))


def _quotes(table: Table, key: str) -> tuple[MarkedQuote, ...]:
    return tuple(MarkedQuote(one.text("label"), one.words("quote")) for one in table.children(key))
