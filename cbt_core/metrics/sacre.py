"""BLEU and chrF from match statistics of answers: kept per answer, summed at will.

The counting is sacrebleu's own.

BLEU and chrF of any set of answers are functions of sums of these rows, so intervals, paired tests
and a second run need no second scoring. `_cache_references` and `_extract_corpus_statistics` are
private to sacrebleu; a test holds them to its public scores (requirements pin the version).

BLEU (Papineni et al. 2002) and chrF (Popović 2015), as in sacrebleu, for many sums at once.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import numpy as np

from cbt_core.metrics.corpus import Task
from cbt_core.stats.ratings import Floats

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric

WORD_ORDER: Final = 4


def bleu(sums: Floats, *, effective_order: bool = False) -> Floats:
    """Return BLEU (b,), 0-100, of statistics (b, 10): lengths, correct 1-4, total 1-4.

    Exponential smoothing (sacrebleu's default): the k-th order without a match counts
    1 / 2^k matches. `effective_order` leaves out orders the answer is too short for: single
    answers are scored so, a corpus is not.
    """
    correct, total = sums[:, 2:6], sums[:, 6:10]
    reached = np.cumprod(total > 0, axis=1).astype(bool)
    unmatched = reached & (correct == 0)
    halvings = np.cumsum(unmatched, axis=1)
    matches = np.where(unmatched, 0.5**halvings, correct)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(reached, np.log(matches / total), 0.0)
    orders = reached.sum(axis=1)
    whole = (orders == WORD_ORDER) | effective_order
    mean = logs.sum(axis=1) / np.maximum(orders, 1)
    score = 100.0 * _brevity(sums[:, 0], sums[:, 1]) * np.exp(mean)
    return np.where(correct.any(axis=1) & whole, score, 0.0)


def _brevity(length: Floats, reference: Floats) -> Floats:
    ratio = reference / np.maximum(length, 1.0)
    return np.where(length > 0, np.exp(np.minimum(0.0, 1.0 - ratio)), 0.0)


CHARACTER_ORDER: Final = 6
BETA: Final = 2


def chrf(sums: Floats) -> Floats:
    """Return chrF (b,), 0-100, of statistics (b, 18): six times candidate, reference, match.

    Precision and recall are averaged over the orders both texts are long enough for, then
    combined with recall weighing BETA times as much.
    """
    counts = sums.reshape(len(sums), CHARACTER_ORDER, 3)
    candidate, reference, match = counts[:, :, 0], counts[:, :, 1], counts[:, :, 2]
    present = (candidate > 0) & (reference > 0)
    orders = np.maximum(present.sum(axis=1), 1)
    precision = np.where(present, match / np.maximum(candidate, 1), 0.0).sum(axis=1) / orders
    recall = np.where(present, match / np.maximum(reference, 1), 0.0).sum(axis=1) / orders
    weighed = BETA**2 * precision + recall
    score = 100.0 * (1 + BETA**2) * precision * recall / np.where(weighed > 0, weighed, 1.0)
    return np.where(weighed > 0, score, 0.0)


TOKENIZERS: Final = ("zh", "char", "13a")
"""How BLEU cuts a text: sacrebleu's names. chrF looks at characters and needs none."""

WIDTHS: Final = {"bleu": 10, "chrf": 18}
"""Columns of the statistics: BLEU [lengths 2, correct 4, total 4]; chrF 6 x [hyp, ref, match]."""


def sacrebleu_version() -> str:
    """Return the installed version: it is part of every signature."""
    return version("sacrebleu")


def made(metric: str, tokenize: str) -> "Metric":
    """Return sacrebleu's metric object with its defaults."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    return BLEU(tokenize=tokenize, force=True) if metric == "bleu" else CHRF()


def statistics(metric: str, tokenize: str, tasks: Sequence[Task]) -> list[Floats]:
    """Return, per task, the statistics (answers, WIDTHS[metric]) of its candidates.

    A task is one item: its references are cut and counted once for all its candidates.
    """
    counter = made(metric, tokenize)
    tables = []
    for task in tasks:
        columns = [[reference] for reference in task.references]
        known = counter._cache_references(columns)
        counter._ref_cache = known * len(task.candidates)
        rows = counter._extract_corpus_statistics(list(task.candidates), None)
        tables.append(np.array(rows, dtype=np.float64).reshape(-1, WIDTHS[metric]))
    return tables


def signature(metric: str, tokenize: str, references: Sequence[int]) -> str:
    """Return sacrebleu's signature for answers with these numbers of references."""
    counter = made(metric, tokenize)
    counts = set(references)
    counter.num_refs = counts.pop() if len(counts) == 1 else -1
    return str(counter.get_signature())
