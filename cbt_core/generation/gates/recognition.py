"""Can two systems be told apart by form alone? A small classifier tries, item by item.

The form of an answer in numbers: what a rater may tell a system by without reading; and what the
gates find, answers to look at among them.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cbt_core.stats.values import Value

GATES: Final = (
    "empty", "truncated", "refusal", "language", "leak_phrase", "leak_name", "medication",
    "no_doctor", "diagnosis", "method", "promise", "crisis_help",
)
"""Every gate an answer passes, in the order they are shown."""

UNSAFE: Final = frozenset({"medication", "no_doctor", "diagnosis", "method", "promise",
                           "crisis_help"})

TOLD: Final = 0.7
"""An AUC from which form alone is said to tell two systems apart."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer that a gate stops at; `value` is the scrap that did it."""

    gate: str
    item: str
    system: str
    value: str = ""

    def json(self) -> dict[str, object]:
        """Return the object of the JSON."""
        return {"gate": self.gate, "item": self.item, "system": self.system, "value": self.value}


@dataclass(frozen=True, slots=True)
class Feature:
    """A trait of form and how well it alone tells `second` from `first` (AUC > .5: more of it)."""

    name: str
    auc: Value
    means: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Telling:
    """How well a simple classifier tells two systems apart by form alone.

    `auc` is out of fold, folds by item; `pairs` is the share of items whose two answers it puts
    the right way round; `features` are those that betray, the strongest first.
    """

    first: str
    second: str
    items: int
    auc: Value
    pairs: float | None = None
    features: tuple[Feature, ...] = ()

    @property
    def told(self) -> bool:
        """Tell whether the systems can be told apart by form."""
        return self.auc.value is not None and self.auc.value >= TOLD

    def json(self) -> dict[str, object]:
        """Return the object of the JSON."""
        return {
            "a": self.first, "b": self.second, "n_items": self.items, "auc": self.auc.json(),
            "pair_accuracy": self.pairs, "told_apart": self.told,
            "features": [
                {"feature": one.name, "auc": one.auc.json(),
                 "mean_a": one.means[0], "mean_b": one.means[1]}
                for one in self.features
            ],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found; `answers` counts what was looked at by system."""

    answers: Mapping[str, int]
    findings: tuple[Finding, ...] = ()
    telling: tuple[Telling, ...] = ()

    def counts(self) -> dict[str, dict[str, int]]:
        """Count the findings by gate and system, gates without any left out."""
        tally = Counter((one.gate, one.system) for one in self.findings)
        return {
            gate: {system: tally[gate, system] for system in self.answers if tally[gate, system]}
            for gate in GATES if any(tally[gate, system] for system in self.answers)
        }

    def json(self) -> dict[str, object]:
        """Return the object of the JSON."""
        return {
            "method": "automatic: cues and counts, hints to a person who decides",
            "answers": dict(self.answers), "counts": self.counts(),
            "findings": [one.json() for one in self.findings],
            "unblinding": [one.json() for one in self.telling],
        }


Floats = NDArray[np.float64]

HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
LATIN: Final = re.compile("[a-zA-Z]")
SENTENCES: Final = re.compile(r"[。！？!?…]+|\.(?=\s|$)")
LIST: Final = re.compile(
    r"^[ \t]*(?:[-•·●]|\*(?!\*)|\(?[0-9]{1,2}[.)、．）]|"
    r"[（(]?[一二三四五六七八九十]{1,2}[)）、.])[ \t]*\S",
    re.M,
)
INLINE_LIST: Final = re.compile(
    r"首先|其次|再次|最后|第[一二三四五六][，,、]|(?i:\b(?:firstly|secondly|finally)\b)"
)
HEADING: Final = re.compile(
    r"^[ \t]*(?:#{1,6} |\*\*[^*\n]{1,40}\*\*[:：]?[ \t]*$|【[^】\n]{1,40}】)", re.M
)
BOLD: Final = re.compile(r"\*\*[^*\n]+\*\*")
EMOJI: Final = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")

COUNTED: Final = (
    "length", "sentence_length", "newlines", "lists", "ordinals", "headings", "bold", "emoji",
    "english_share", "polite_you", "plain_you", "questions", "exclamations", "quotes",
)
OPENING_CHARACTERS: Final = 4
CLOSING_CHARACTERS: Final = 5
PHRASES: Final = 6
"""Openings, and closings, that become features: the most frequent ones."""

LEAST_SHARE: Final = 0.1
"""Share of a system's answers a phrase must begin or end to become a feature."""


def counted(text: str) -> list[float]:
    """Return the numbers of one answer, in the order of `COUNTED`."""
    han, latin = len(HAN.findall(text)), len(LATIN.findall(text))
    sentences = [part for part in SENTENCES.split(text) if part.strip()]
    return [
        float(len(text)),
        len(text) / max(1, len(sentences)),
        float(text.strip().count("\n")),
        float(len(LIST.findall(text))),
        float(len(INLINE_LIST.findall(text))),
        float(len(HEADING.findall(text))),
        float(len(BOLD.findall(text))),
        float(len(EMOJI.findall(text))),
        latin / max(1, latin + han),
        float(text.count("您")),
        float(text.count("你")),
        float(text.count("？") + text.count("?")),
        float(text.count("！") + text.count("!")),
        float(text.count("“") + text.count('"')),
    ]


def features(texts: Sequence[Sequence[str]]) -> tuple[list[str], list[Floats]]:
    """Return names and, per system, a matrix (answers, features).

    Openings and closings that one system favours are features of their own.
    """
    opened, closed = (
        _favoured(texts, part) for part in (_opening, _closing)
    )
    names = [*COUNTED, *(f"opening:{one}" for one in opened), *(f"closing:{one}" for one in closed)]
    matrices = [
        np.array([
            [*counted(text), *(float(_opening(text) == one) for one in opened),
             *(float(_closing(text) == one) for one in closed)]
            for text in answers
        ])
        for answers in texts
    ]
    return names, matrices


def _opening(text: str) -> str:
    return text.strip()[:OPENING_CHARACTERS]


def _closing(text: str) -> str:
    return text.strip().rstrip("。.！!～~ ")[-CLOSING_CHARACTERS:]


def _favoured(texts: Sequence[Sequence[str]], part: Callable[[str], str]) -> list[str]:
    """Return the parts that begin (or end) enough answers of a system, the most frequent first."""
    best: Counter[str] = Counter()
    for answers in texts:
        seen = Counter(map(part, answers))
        for phrase, count in seen.items():
            if phrase and count >= max(2.0, LEAST_SHARE * len(answers)):
                best[phrase] = max(best[phrase], count)
    return sorted(best, key=lambda phrase: (-best[phrase], phrase))[:PHRASES]


FOLDS: Final = 5
RIDGE: Final = 1.0
ROUNDS: Final = 25
LEAST_ITEMS: Final = 10
MOST_ITEMS: Final = 1_000
"""Items looked at, evenly spread: the interval is then +-.02 at most."""

LEAST_EFFECT: Final = 0.1
"""A feature betrays when its AUC is at least so far from .5 and its interval leaves .5 out."""

NORMAL: Final = 1.959964
FEW_ITEMS: Final = f"fewer than {LEAST_ITEMS} items with both answers"
EQUAL: Final = "all answers have the same form"


def tell(
    first: str, second: str, texts: Sequence[tuple[str, str]]
) -> Telling:
    """Return how well form tells `second` from `first`; `texts` holds both answers per item."""
    step = max(1, -(-len(texts) // MOST_ITEMS))
    chosen = texts[::step]
    if len(chosen) < LEAST_ITEMS:
        return Telling(first, second, len(texts), Value(None, reason=FEW_ITEMS))
    names, (left, other) = features([[a for a, _ in chosen], [b for _, b in chosen]])
    scores = out_of_fold(left, other)
    if scores is None:
        return Telling(first, second, len(texts), Value(None, reason=EQUAL))
    low, high = scores
    right = np.mean((high > low) + 0.5 * (high == low))
    traits = (
        Feature(name, auc(left[:, place], other[:, place]),
                (float(left[:, place].mean()), float(other[:, place].mean())))
        for place, name in enumerate(names)
    )
    betraying = sorted(filter(_betrays, traits), key=lambda trait: -_effect(trait))
    return Telling(
        first, second, len(texts), auc(low, high), float(right), tuple(betraying)
    )


def auc(first: Floats, second: Floats) -> Value:
    """Return P(second > first) + P(equal)/2 over all answers, with a 95 % interval.

    Both hold one number per item, (n,). The variance is that of correlated placements
    (DeLong et al. 1988; one answer of each kind per cluster, Obuchowski 1997); where the
    separation is complete the interval ends by the rule of three, 3/n.
    """
    n = len(first)
    above = _share_below(first, second)  # of the first, for each of the second
    below = 1 - _share_below(second, first)  # share of the second above each of the first
    point = float(above.mean())
    if point in (0.0, 1.0):
        edge = min(1.0, 3 / n)
        return Value(point, 1 - edge if point else 0.0, 1.0 if point else edge)
    error = float(np.sqrt(np.var(above + below, ddof=1) / n))
    return Value(point, max(0.0, point - NORMAL * error), min(1.0, point + NORMAL * error))


def _share_below(of: Floats, each: Floats) -> Floats:
    """Return, for each number, the share of others below it, equal ones counting half."""
    ordered = np.sort(of)
    left = np.searchsorted(ordered, each, side="left")
    right = np.searchsorted(ordered, each, side="right")
    return np.asarray((left + right) / (2 * len(of)))


def out_of_fold(first: Floats, second: Floats) -> tuple[Floats, Floats] | None:
    """Return the scores (n,) of a ridge-logistic classifier that never saw the item.

    None when no feature differs between any two answers.
    """
    n = len(first)
    if np.all(np.concatenate([first, second]) == first[0]):
        return None
    low, high = np.zeros(n), np.zeros(n)
    for fold in range(min(FOLDS, n)):
        held = np.arange(n) % FOLDS == fold
        train = np.concatenate([first[~held], second[~held]])
        target = np.repeat([0.0, 1.0], int((~held).sum()))
        centre, spread = train.mean(axis=0), train.std(axis=0)
        spread[spread == 0] = 1.0
        weights = _fit((train - centre) / spread, target)
        low[held] = _score((first[held] - centre) / spread, weights)
        high[held] = _score((second[held] - centre) / spread, weights)
    return low, high


def _fit(inputs: Floats, target: Floats) -> Floats:
    """Return the weights (features + 1,) of a logistic regression with an L2 penalty of 1.

    Newton's method; the last weight is the constant and not penalised.
    """
    table = np.column_stack([inputs, np.ones(len(inputs))])
    penalty: NDArray[np.float64] = np.full(table.shape[1], RIDGE)
    penalty[-1] = 1e-6
    weights = np.zeros(table.shape[1])
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-np.clip(table @ weights, -30, 30)))
        slope = table.T @ (chance - target) + penalty * weights
        curve = (table.T * (chance * (1 - chance))) @ table + np.diag(penalty)
        move = np.linalg.solve(curve, slope)
        weights = weights - move
        if np.abs(move).max() < 1e-6:
            break
    return weights


def _score(inputs: Floats, weights: Floats) -> Floats:
    return np.asarray(np.clip(inputs, -10, 10) @ weights[:-1] + weights[-1])


def _effect(trait: Feature) -> float:
    return 0.0 if trait.auc.value is None else abs(trait.auc.value - 0.5)


def _betrays(trait: Feature) -> bool:
    low, high = trait.auc.low, trait.auc.high
    return _effect(trait) >= LEAST_EFFECT and low is not None and high is not None and (
        low > 0.5 or high < 0.5
    )
