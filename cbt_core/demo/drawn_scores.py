"""Scores drawn for any instrument: what a simulated rater would have saved. Nobody gave them.

The text of an answer plays no part, and no system is better than another: a difference between
systems in what is drawn here is chance.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from cbt_core.demo.simulated import ANSWER_SPREAD, CHANCE, ITEM_SPREAD
from cbt_core.domain.instrument import Instrument, Scale

USUAL: Final = 1.1
"""The usual score, on a scale from 0 to 2; other scales are stretched to their own length."""

SEVERITY: Final = 0.15
TIE: Final = "tie"
CLOSE: Final = 0.3
"""Two answers felt this much alike, on a scale from 0 to 2, are a tie."""

SECONDS: Final = 110.0
"""The usual time a rater spends on one answer."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One task as a simulated rater meets it; `places` maps slot to a name of what stands there.

    `task` tells repeats of one item apart.
    """

    task: str
    item: str
    rater: str
    places: Mapping[str, str]


def drawn_entries(shown: Shown, instrument: Instrument, seed: int) -> dict[str, object]:
    """Return scores, steps and preference as the rating sheet sends them.

    Item, answer and rater each have a draw of their own, so that raters agree in part; the same
    task and seed give the same entries.
    """
    chance = Random(f"{seed}/{shown.task}/{shown.item}/{shown.rater}")
    felt = {slot: _felt(shown, name, seed) for slot, name in shown.places.items()}
    on_answers = [scale for scale in instrument.scales if scale.level == "answer"]
    return {
        "scores": {slot: _scores(on_answers, value, chance) for slot, value in felt.items()},
        "task_scores": _scores(
            (scale for scale in instrument.scales if scale.level == "task"),
            sum(felt.values()) / len(felt), chance,
        ),
        "steps": {
            slot: {step.id: chance.choice(instrument.step_values).value
                   for step in instrument.steps}
            for slot in felt
        },
        "preference": _preferred(felt, chance),
    }


def drawn_seconds(shown: Shown, seed: int) -> float:
    """Return the seconds of attention the simulated rater spends on the task."""
    chance = Random(f"{seed}/{shown.task}/{shown.rater}/seconds")
    return round(SECONDS * len(shown.places) * chance.lognormvariate(0.0, 0.25), 1)


def _felt(shown: Shown, answer: str, seed: int) -> float:
    """Return how good an answer seems to a rater, on a scale from 0 to 2, before rounding."""
    return (
        USUAL
        + Random(f"{seed}/{shown.item}").gauss(0.0, ITEM_SPREAD)
        + Random(f"{seed}/{shown.item}/{answer}").gauss(0.0, ANSWER_SPREAD)
        - Random(f"{seed}/{shown.rater}").gauss(0.0, SEVERITY)
    )


def _scores(scales: Iterable[Scale], felt: float, chance: Random) -> dict[str, int]:
    return {scale.id: _value(scale, felt + chance.gauss(0.0, CHANCE)) for scale in scales}


def _value(scale: Scale, felt: float) -> int:
    values = sorted(choice.value for choice in scale.values)
    last = len(values) - 1
    return values[min(last, max(0, round(felt * last / 2)))]


def _preferred(felt: Mapping[str, float], chance: Random) -> str:
    """Return the slot felt to be best, or a tie."""
    now = {slot: value + chance.gauss(0.0, CHANCE) for slot, value in felt.items()}
    best, *others = sorted(now.values(), reverse=True)
    if others and best - others[0] < CLOSE:
        return TIE
    return max(now, key=now.__getitem__)
