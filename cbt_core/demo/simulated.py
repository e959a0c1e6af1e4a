"""Simulated past ratings of the demonstration, so that every page shows something.

Nobody gave these scores: they are drawn from the figures in ``simulated.toml``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final

from cbt_core.demo.texts import BASELINE, CBT, FOLDER
from cbt_core.domain.instrument import Text
from cbt_core.domain.study import ImportedItem, Risk
from cbt_core.instruments.reading import Table, parse_toml, read_text

SCALES: Final = ("relevance", "structure", "helpfulness")
TIE: Final = "tie"
SEED: Final = 2
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
    items: Iterable[ImportedItem], seed: int = SEED
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
    found: dict[tuple[str, str], tuple[SimulatedFlag, ...]] = {}
    for one in tables:
        key = one.text("item"), one.text("rater")
        flag = SimulatedFlag(
            one.text("system"), one.text("kind"), one.text("severity"), one.words("quote")
        )
        found[key] = (*found.get(key, ()), flag)
    return found
