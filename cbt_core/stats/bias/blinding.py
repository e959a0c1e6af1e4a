"""How far people could tell what they saw: blinding indices of counts, and of a study's guesses.

Sources: K. E. James et al., Statistics in Medicine 15 (1996) 1421; H. Bang, L. Ni, C. E. Davis,
Controlled Clinical Trials 25 (2004) 143. 95 % two-sided normal intervals.

Of a study: one record per shown pair, never one per arm. Side by side one guess answers for both
answers, so counting arms would double n. A rater guesses many times, so intervals resample raters.
A right guess can be a verdict on quality: guesses are crossed with the preference of the same task.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.stats import resampling
from cbt_core.stats.ratings import Floats, Integers
from cbt_core.stats.resampling import Bootstrap, Truths
from cbt_core.stats.values import NORMAL, Reason, Value, ratio, undefined

WRONG: Final = 0.5
"""James' weight of a wrong guess; a right one has 0, don't know 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Guesses:
    """Counts of guesses: `counts` (K, K), guessed by true arm; `dont_know` (K,) per true arm."""

    arms: tuple[str, ...]
    counts: Integers
    dont_know: Integers


@dataclass(frozen=True, slots=True)
class Index:
    """A blinding index with standard error and limits; `value` None has a `reason`."""

    value: float | None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None

    def json(self) -> dict[str, object]:
        """Return the object of the JSON."""
        return {
            "value": self.value, "se": self.se, "low": self.low, "high": self.high,
            "reason": self.reason,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ArmCounts:
    """Guesses about one arm: all of them, right, wrong, don't know."""

    n: int
    correct: int
    wrong: int
    dont_know: int

    def json(self) -> dict[str, object]:
        """Return the object of the JSON."""
        return {
            "n": self.n, "correct": self.correct, "wrong": self.wrong,
            "dont_know": self.dont_know,
        }


@dataclass(frozen=True, slots=True)
class CountedBlinding:
    """Blinding of a table of counts: James overall; Bang, its form for K arms, counts by arm."""

    james: Index
    bang: Mapping[str, Index]
    bang_generalised: Mapping[str, Index]
    counts: Mapping[str, ArmCounts]

    def json(self) -> dict[str, object]:
        """Return the `blinding` JSON."""
        return {
            "james": self.james.json(),
            "bang": {arm: index.json() for arm, index in self.bang.items()},
            "bang_generalised": {arm: one.json() for arm, one in self.bang_generalised.items()},
            "counts": {arm: count.json() for arm, count in self.counts.items()},
        }


def blinding(guesses: Guesses) -> CountedBlinding:
    """Return the indices of James and Bang (and its form for K arms), with the counts."""
    names = dict(enumerate(guesses.arms))
    return CountedBlinding(
        james=james(guesses),
        bang={name: bang(guesses, arm) for arm, name in names.items()},
        bang_generalised={
            name: bang(guesses, arm, generalised=True) for arm, name in names.items()
        },
        counts={name: _arm_counts(guesses, arm) for arm, name in names.items()},
    )


def _arm_counts(guesses: Guesses, arm: int) -> ArmCounts:
    given, right = int(guesses.counts[:, arm].sum()), int(guesses.counts[arm, arm])
    unknown = int(guesses.dont_know[arm])
    return ArmCounts(given + unknown, right, given - right, unknown)


def bang(guesses: Guesses, arm: int, *, generalised: bool = False) -> Index:
    """Return (correct - wrong) / n of an arm, n with don't know; -1 to 1, 0 = guessing with K = 2.

    Generalised: (correct - wrong / (K - 1)) / n, which is 0 at pure guessing for any K.
    """
    correct = int(guesses.counts[arm, arm])
    wrong = int(guesses.counts[:, arm].sum()) - correct
    size = correct + wrong + int(guesses.dont_know[arm])
    if size == 0:
        return Index(None, reason=Reason.NO_GUESSES.text)
    if correct + wrong == 0:
        return Index(None, reason=Reason.ONLY_DONT_KNOW.text)
    scale = 1 / (len(guesses.arms) - 1) if generalised else 1.0
    value = (correct - scale * wrong) / size
    # A guess scores 1, -scale or 0; the variance of a mean of such scores.
    variance = ((correct + scale**2 * wrong) / size - value**2) / size
    return _framed(value, variance)


def james(guesses: Guesses) -> Index:
    """Return James' index, 0 to 1: 1 = everyone says don't know, .5 = guessing, 0 = all right."""
    if len(guesses.arms) != 2:
        return Index(None, reason=Reason.NOT_TWO_ARMS.text)
    cells = np.vstack([guesses.counts, guesses.dont_know]).astype(np.float64)
    size = cells.sum()
    if size == 0:
        return Index(None, reason=Reason.NO_GUESSES.text)
    if guesses.counts.sum() == 0:
        return Index(1.0, 0.0, 1.0, 1.0)
    shares = cells / size
    if not _chance(shares) > 0:
        return Index(None, reason=Reason.NO_CHANCE_DISAGREEMENT.text)
    return _framed(_james(shares), _james_variance(shares, float(size)))


def _chance(shares: Floats) -> float:
    guessed, true = shares[:2].sum(axis=1), shares[:2].sum(axis=0)
    return WRONG * float(guessed[0] * true[1] + guessed[1] * true[0])


def _james(shares: Floats) -> float:
    """Return the index of cell shares (3, 2): two guesses and don't know by two true arms."""
    dont_know = float(shares[2].sum())
    known = 1 - dont_know
    observed = WRONG * float(shares[0, 1] + shares[1, 0]) / known
    expected = _chance(shares) / known**2
    kappa = (observed - expected) / expected
    return (1 + dont_know + known * kappa) / 2


def _james_variance(shares: Floats, size: float) -> float:
    """Return the variance by the delta method of multinomial shares; the gradient is exact."""
    known = float(shares[:2].sum())
    guessed, true = shares[:2].sum(axis=1), shares[:2].sum(axis=0)
    wrong = WRONG * float(shares[0, 1] + shares[1, 0])
    chance = _chance(shares)
    # James = (1 + P + known * (wrong * known / chance - 1)) / 2 with known = 1 - P, hence
    # James = 1 - known + wrong * known^2 / (2 * chance).
    gradient = np.zeros((3, 2))
    gradient[:2] = -1 + wrong * known / chance
    gradient[[0, 1], [1, 0]] += WRONG * known**2 / (2 * chance)
    slope = WRONG * (true[::-1][:, np.newaxis] + guessed[::-1])  # d chance / d share (guess, true)
    gradient[:2] -= wrong * known**2 / (2 * chance**2) * slope
    mean = float((shares * gradient).sum())
    return (float((shares * gradient**2).sum()) - mean**2) / size


def _framed(value: float, variance: float) -> Index:
    error = float(np.sqrt(max(variance, 0.0)))
    return Index(float(value), error, float(value - NORMAL * error), float(value + NORMAL * error))


DONT_KNOW: Final = -1
CHANCE: Final = 0.5
FEW_RATERS: Final = 5
PREFERRED: Final = {"target": 1.0, "tie": 0.0, "other": -1.0}
"""Which answer of the pair was preferred; nan = no preference was given."""


@dataclass(frozen=True, slots=True, eq=False)
class PairGuesses:
    """Guesses on tasks with two answers of which exactly one is of a system under study, (n,).

    `target`: the slot (0 or 1) of that answer, `system` its system; `chosen`: the slot guessed or
    `DONT_KNOW`; `preference` as in `PREFERRED`. `left_out` counts guesses on other tasks.
    """

    rater: Integers
    system: Integers
    target: Integers
    chosen: Integers
    preference: Floats
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class GuessRow:
    """One row of guesses crossed with preference: how often right, wrong, don't know."""

    preference: str
    correct: int
    wrong: int
    dont_know: int


@dataclass(frozen=True, slots=True)
class StudyBlinding:
    """How far raters could tell the system under study; all intervals resample raters.

    `pair_accuracy`: right guesses among decided ones, .5 at guessing. `follows_preference`: share
    of guesses that named the preferred answer, among tasks with both. `bang_generalised` is per
    system under study; `bang`, `james` need exactly two arms (there, the record is the answer on
    the left: its true arm and the arm it was taken for). `interpretation`: codes of wording
    section `stats`.
    """

    n: int
    n_raters: int
    n_dont_know: int
    n_left_out: int
    pair_accuracy: Value
    accuracy_by_rater: dict[str, tuple[int, int]]
    dont_know_share: Value
    bang: dict[str, Value]
    james: Value
    bang_generalised: dict[str, Value]
    with_preference: tuple[GuessRow, ...]
    follows_preference: Value
    interpretation: tuple[str, ...]


def study_blinding(
    guesses: PairGuesses, *, arms: tuple[str, ...], raters: Mapping[int, str],
    systems: Mapping[int, str], how: Bootstrap,
) -> StudyBlinding:
    """Return the blinding of a study.

    `arms`: all systems of the study, the first one the baseline; `raters`, `systems`: index to
    code or name.
    """
    decided = guesses.chosen != DONT_KNOW
    right = (guesses.chosen == guesses.target) & decided
    accuracy, follows = _accuracy(guesses, right, decided, how), _follows(guesses, how)
    indices, present = _indices(guesses, arms, how), np.unique(guesses.rater)
    return StudyBlinding(
        n=len(decided),
        n_raters=len(present),
        n_dont_know=int((~decided).sum()),
        n_left_out=guesses.left_out,
        pair_accuracy=accuracy,
        accuracy_by_rater={raters[int(one)]: _told(guesses, right, decided, one)
                           for one in present},
        dont_know_share=_dont_know(guesses, decided, how),
        bang={name: indices[place] for place, name in enumerate(arms)} if len(arms) == 2 else {},
        james=indices[-1],
        bang_generalised={systems[int(one)]: _bang(guesses, guesses.system == one, how)
                          for one in np.unique(guesses.system)},
        with_preference=_crossed(guesses, right, decided),
        follows_preference=follows,
        interpretation=_interpretation(accuracy, follows, indices[-1], len(present)),
    )


def _dont_know(guesses: PairGuesses, decided: Truths, how: Bootstrap) -> Value:
    spared = (~decided).astype(np.float64)
    return resampling.mean(guesses.rater, spared, how=how, reason=Reason.NO_GUESSES)


def _accuracy(guesses: PairGuesses, right: Truths, decided: Truths, how: Bootstrap) -> Value:
    return resampling.mean(
        guesses.rater[decided], right[decided].astype(np.float64), how=how,
        reason=Reason.ONLY_DONT_KNOW if len(decided) else Reason.NO_GUESSES,
    )


def _told(
    guesses: PairGuesses, right: Truths, decided: Truths, rater: int
) -> tuple[int, int]:
    """Return how many of a rater's decided guesses are right, and how many there are."""
    own_guesses = guesses.rater == rater
    return int((right & own_guesses).sum()), int((decided & own_guesses).sum())


def _bang(guesses: PairGuesses, chosen: Truths, how: Bootstrap) -> Value:
    """Return (correct - wrong) / n of pairs; with two answers shown K - 1 is 1."""
    rows = np.flatnonzero(chosen)
    decided = guesses.chosen[rows] != DONT_KNOW
    if not decided.any():
        return undefined(Reason.ONLY_DONT_KNOW if len(rows) else Reason.NO_GUESSES)
    score = np.where(decided, np.where(guesses.chosen == guesses.target, 1.0, -1.0)[rows], 0.0)
    return resampling.mean(guesses.rater[rows], score, how=how, reason=Reason.NO_GUESSES)


def _indices(guesses: PairGuesses, arms: tuple[str, ...], how: Bootstrap) -> list[Value]:
    """Return Bang of the baseline, Bang of the system, James; the answer on the left is guessed."""
    if len(arms) != 2:
        return [undefined(Reason.NOT_TWO_ARMS)] * 3
    true = (guesses.target == 0).astype(np.int64)
    guessed = np.where(guesses.chosen == DONT_KNOW, 2, (guesses.chosen == 0).astype(np.int64))
    cells = np.stack([
        ((guessed == row) & (true == arm)).astype(np.float64) for row in range(3) for arm in (0, 1)
    ])
    reasons = [*(_bang_reason(true == arm) for arm in (0, 1)), _james_reason(guesses)]
    return resampling.estimates(guesses.rater, cells, _both, how=how, reasons=reasons)


def _bang_reason(chosen: Truths) -> Reason:
    return Reason.ONLY_DONT_KNOW if chosen.any() else Reason.NO_GUESSES


def _james_reason(guesses: PairGuesses) -> Reason:
    return Reason.NO_CHANCE_DISAGREEMENT if len(guesses.chosen) else Reason.NO_GUESSES


def _both(sums: Floats) -> Floats:
    """Return Bang of arm 0, of arm 1 and James (3, b) from cells (6, b): guess by true arm."""
    cells = sums.reshape(3, 2, -1)
    size = cells.sum(axis=0)
    spoken = cells[:2].sum(axis=0)
    right = np.stack([cells[0, 0], cells[1, 1]])
    bang = ratio(2 * right - spoken, np.where(spoken > 0, size, 0.0))
    shares = ratio(cells, size.sum(axis=0))
    known = shares[:2].sum(axis=(0, 1))
    guessed, true = shares[:2].sum(axis=1), shares[:2].sum(axis=0)
    chance = WRONG * (guessed[0] * true[1] + guessed[1] * true[0])
    wrong = WRONG * (shares[0, 1] + shares[1, 0])
    james = 1 - known + ratio(wrong * known**2, 2 * chance)
    return np.concatenate([bang, np.where(known == 0, 1.0, james)[np.newaxis, :]])


def _crossed(guesses: PairGuesses, right: Truths, decided: Truths) -> tuple[GuessRow, ...]:
    rows = []
    for name, value in (*PREFERRED.items(), ("none", np.nan)):
        here = np.isnan(guesses.preference) if np.isnan(value) else guesses.preference == value
        rows.append(GuessRow(
            name, int((here & right).sum()), int((here & decided & ~right).sum()),
            int((here & ~decided).sum()),
        ))
    return tuple(rows)


def _follows(guesses: PairGuesses, how: Bootstrap) -> Value:
    both = (guesses.chosen != DONT_KNOW) & (np.abs(guesses.preference) == 1)
    guessed_target = guesses.chosen[both] == guesses.target[both]
    same = guessed_target == (guesses.preference[both] == 1)
    return resampling.mean(
        guesses.rater[both], same.astype(np.float64), how=how, reason=Reason.NO_PREFERENCES
    )


def _interpretation(
    accuracy: Value, follows: Value, james: Value, raters: int
) -> tuple[str, ...]:
    """Return what may be said, and no more: codes of wording section `stats`."""
    codes = [_accuracy_code(accuracy)]
    if accuracy.low is not None and raters < FEW_RATERS:
        codes.append("blinding_few_raters")
    if follows.low is not None and follows.low > CHANCE:
        codes.append("blinding_follows_preference")
    if james.value is not None:
        codes.append("blinding_james_guard")
    return tuple(codes)


def _accuracy_code(accuracy: Value) -> str:
    if accuracy.low is None or accuracy.high is None:
        return "blinding_cannot_tell"
    if accuracy.low > CHANCE:
        return "blinding_above"
    return "blinding_below" if accuracy.high < CHANCE else "blinding_includes_half"
