"""Match statistics of answers by sacrebleu's own counting: kept per answer, summed at will.

BLEU and chrF of any set of answers are functions of sums of these rows, so intervals, paired tests
and a second run need no second scoring. `_cache_references` and `_extract_corpus_statistics` are
private to sacrebleu; a test holds them to its public scores (requirements pin the version).
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import numpy as np

from cbt_core.metrics.pairing import Task
from cbt_core.stats.ratings import Floats

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric

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
    found = []
    for task in tasks:
        columns = [[reference] for reference in task.references]
        known = counter._cache_references(columns)
        counter._ref_cache = known * len(task.candidates)
        rows = counter._extract_corpus_statistics(list(task.candidates), None)
        found.append(np.array(rows, dtype=np.float64).reshape(-1, WIDTHS[metric]))
    return found


def signature(metric: str, tokenize: str, references: Sequence[int]) -> str:
    """Return sacrebleu's signature for answers with these numbers of references."""
    counter = made(metric, tokenize)
    counts = set(references)
    counter.num_refs = counts.pop() if len(counts) == 1 else -1
    return str(counter.get_signature())
