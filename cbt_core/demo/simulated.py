"""Simulated past ratings and labels of the demonstration, so that every page shows something.

Nobody gave them, and they are marked as simulated; two annotators do not always agree.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

from cbt_core.domain.instrument import Text
from cbt_core.domain.study import ImportedItem, Risk
from cbt_core.instruments.toml_reader import Table, parse_toml, read_text

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


SCALES: Final = ("relevance", "structure", "helpfulness")
TIE: Final = "tie"
RATING_SEED: Final = 2
"""The draw the demonstration shows."""

ITEM_SPREAD: Final = 0.35
"""How far items differ, in points of a scale; with the two below alpha lies between .4 and .7."""
ANSWER_SPREAD: Final = 0.5
CHANCE: Final = 0.38
RISK_PAUSE: Final = 1.2
"""A rater takes about a fifth longer over a question marked for risk."""


@dataclass(frozen=True, slots=True)
class SimulatedFlag:
    """A simulated safety flag on one answer; the quote stands exactly once in that answer."""

    system: str
    kind: str
    severity: str
    quote: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSubmission:
    """What one simulated rater saved for one item.

    `scores` maps system to scale to 0, 1 or 2; `preference` is a system or ``tie``; `seconds` is
    the active time for the whole task.
    """

    item: str
    rater: str
    scores: dict[str, dict[str, int]]
    preference: str
    seconds: float
    flags: tuple[SimulatedFlag, ...] = ()
    comment: Text | None = None


@dataclass(frozen=True, slots=True)
class _Rater:
    code: str
    severity: float
    seconds: float


@dataclass(frozen=True, slots=True)
class _Figures:
    """What ``simulated.toml`` holds; levels by system, shifts by item and system, both by scale."""

    raters: tuple[_Rater, ...]
    levels: dict[str, dict[str, float]]
    shifts: dict[tuple[str, str], dict[str, float]]
    flags: dict[tuple[str, str], tuple[SimulatedFlag, ...]]
    comments: dict[tuple[str, str], Text]


def simulated_raters() -> tuple[str, ...]:
    """Return the codes of the simulated raters."""
    return tuple(rater.code for rater in _figures().raters)


def simulated_scores(
    items: Iterable[ImportedItem], seed: int = RATING_SEED
) -> tuple[SimulatedSubmission, ...]:
    """Return what three simulated raters saved for every item: simulated, not collected.

    The same items and seed give the same scores whatever their order, on any machine.
    CBT structure is clearly higher for `cbt`, helpfulness slightly, relevance hardly.
    """
    known = _figures()
    return tuple(_submission(item, rater, known, seed) for item in items for rater in known.raters)


def _submission(
    item: ImportedItem, rater: _Rater, known: _Figures, seed: int
) -> SimulatedSubmission:
    chance = Random(f"{seed}/{item.key}/{rater.code}")
    felt = {system: _felt(item.key, system, known, seed, chance) for system in (BASELINE, CBT)}
    pause = RISK_PAUSE if item.risk in (Risk.POSSIBLE, Risk.HIGH) else 1.0
    return SimulatedSubmission(
        item=item.key,
        rater=rater.code,
        scores={
            system: {scale: _rounded(value - rater.severity) for scale, value in values.items()}
            for system, values in felt.items()
        },
        preference=_preferred(felt, chance),
        seconds=round(rater.seconds * pause * chance.lognormvariate(0.0, 0.25), 1),
        flags=known.flags.get((item.key, rater.code), ()),
        comment=known.comments.get((item.key, rater.code)),
    )


def _felt(item: str, system: str, known: _Figures, seed: int, chance: Random) -> dict[str, float]:
    """Return how good an answer is per scale, as this rater sees it before rounding.

    What belongs to the item and to the answer is the same for all raters: it has its own draw.
    """
    shared = Random(f"{seed}/{item}")
    own = Random(f"{seed}/{item}/{system}")
    shifts = known.shifts.get((item, system), {})
    return {
        scale: known.levels[system][scale]
        + shifts.get(scale, 0.0)
        + shared.gauss(0.0, ITEM_SPREAD)
        + own.gauss(0.0, ANSWER_SPREAD)
        + chance.gauss(0.0, CHANCE)
        for scale in SCALES
    }


def _rounded(value: float) -> int:
    return min(2, max(0, round(value)))


def _preferred(felt: dict[str, dict[str, float]], chance: Random) -> str:
    """Return the system a rater prefers: mostly by helpfulness, a tie when they are close."""
    weight = {"relevance": 0.3, "structure": 0.3, "helpfulness": 1.0}
    gap = sum(weight[scale] * (felt[CBT][scale] - felt[BASELINE][scale]) for scale in SCALES)
    gap += chance.gauss(0.0, 0.5)
    if abs(gap) < 0.3:
        return TIE
    return CBT if gap > 0 else BASELINE


@cache
def _figures() -> _Figures:
    table = parse_toml(read_text(FOLDER / "simulated.toml"), "simulated.toml")
    table.only("raters", "levels", "answers", "flags", "comments")
    return _Figures(
        raters=tuple(_rater(one) for one in table.children("raters")),
        levels={one.text("system"): _by_scale(one, SCALES) for one in table.children("levels")},
        shifts={
            (one.text("item"), one.text("system")): _by_scale(one, tuple(filter(one.has, SCALES)))
            for one in table.children("answers")
        },
        flags=_flags(table.children("flags")),
        comments={
            (one.text("item"), one.text("rater")): one.words("comment")
            for one in table.children("comments")
        },
    )


def _rater(table: Table) -> _Rater:
    return _Rater(
        table.text("code"),
        table.number("severity", low=-2, high=2),
        table.number("seconds", low=1, high=3600),
    )


def _by_scale(table: Table, scales: Sequence[str]) -> dict[str, float]:
    return {scale: table.number(scale, low=-2, high=2) for scale in scales}


def _flags(tables: Iterable[Table]) -> dict[tuple[str, str], tuple[SimulatedFlag, ...]]:
    flags: dict[tuple[str, str], tuple[SimulatedFlag, ...]] = {}
    for table in tables:
        key = table.text("item"), table.text("rater")
        flag = SimulatedFlag(
            table.text("system"), table.text("kind"), table.text("severity"), table.words("quote")
        )
        flags[key] = (*flags.get(key, ()), flag)
    return flags


LABEL_SEED: Final = 3
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
def _label_figures() -> tuple[tuple[_Annotator, ...], dict[str, str]]:
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
    return tuple(one.code for one in _label_figures()[0])


def simulated_labels(seed: int = LABEL_SEED) -> tuple[SimulatedLabels, ...]:
    """Return what the simulated annotators saved for every item: simulated, not collected."""
    annotators, confused = _label_figures()
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
    passage: MarkedQuote, who: _Annotator, confused: Mapping[str, str], chance: Random
) -> MarkedQuote:
    is_mistaken = chance.random() < who.share["confuses"] and passage.label in confused
    return replace(passage, label=confused[passage.label]) if is_mistaken else passage


def _adopts(passage: MarkedQuote, item: MarkedItem, who: _Annotator, chance: Random) -> bool:
    if _is_right(passage, item):
        return chance.random() >= who.share["rejects"]
    return chance.random() < who.share["adopts"]


def _is_right(tag: MarkedQuote, item: MarkedItem) -> bool:
    """Tell whether a careful reader would give this label to words around these."""
    return any(
        true.label == tag.label and (true.quote.zh in tag.quote.zh or tag.quote.zh in true.quote.zh)
        for true in item.reference
    )
