"""One metric over all systems: rows of statistics per answer, made or taken from the cache."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from cbt_core.metrics import meteor, sacre, segmentation
from cbt_core.metrics.bleu import bleu
from cbt_core.metrics.bootstrap import Formula, averaged, mean
from cbt_core.metrics.cache import Cache
from cbt_core.metrics.chrf import chrf
from cbt_core.metrics.meteor import Synonyms
from cbt_core.metrics.pairing import Corpus, Task
from cbt_core.metrics.parallel import spread
from cbt_core.metrics.signature import line, references_told
from cbt_core.metrics.synonyms import digest as synonyms_digest
from cbt_core.stats.ratings import Floats

Step = Callable[[int, int], None]

FORMULAS: Final[Mapping[str, Formula]] = {"bleu": bleu, "chrf": chrf}
"""Corpus scores that are not means of answers; every other metric is a mean."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be computed, and how; `models` names a folder or hub id per metric."""

    metrics: tuple[str, ...]
    tokenize: str = "zh"
    models: Mapping[str, str] = field(default_factory=dict)
    bootstrap: int = 1000
    seed: int = 1
    layer: int | None = None
    idf: bool = False
    rescale: bool = False
    baseline: Path | None = None
    synonyms: Synonyms | None = None
    workers: int | None = None

    @property
    def lang(self) -> str:
        """Return the language the texts are taken to be in."""
        return "en" if self.tokenize == "13a" else "zh"


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric: rows (answers, k) and signature per system.

    `cut` is, per system, the share of answers of which a model could not read the end.
    """

    rows: Mapping[str, Floats]
    signatures: Mapping[str, str]
    formula: Formula
    cut: Mapping[str, float] = field(default_factory=dict)

    def each(self, system: str) -> Floats:
        """Return the score of each answer (answers,)."""
        if self.formula is bleu:
            return bleu(self.rows[system], effective_order=True)
        return self.formula(self.rows[system])

    def each_signature(self, system: str) -> str:
        """Return the signature of the scores of single answers."""
        found = self.signatures[system]
        return found.replace("eff:no", "eff:yes") if self.formula is bleu else found


Scores = Callable[[Sequence[Task]], list[Floats]]


def counted(
    metric: str, corpus: Corpus, plan: Plan, cache: Cache, step: Step | None
) -> Measured:
    """Return BLEU or chrF."""
    tokenize = plan.tokenize if metric == "bleu" else ""
    work = partial(sacre.statistics, metric, plan.tokenize)
    settings = f"{metric}|{tokenize}|sacrebleu-{sacre.sacrebleu_version()}"
    rows = gathered(corpus, cache, settings, pooled(work, plan, step))
    signatures = {
        system: sacre.signature(metric, plan.tokenize, reference_counts(corpus, system))
        for system in corpus.systems
    }
    return Measured(rows, signatures, FORMULAS[metric])


def meteored(corpus: Corpus, plan: Plan, cache: Cache, step: Step | None) -> Measured:
    """Return METEOR."""
    segment = segmentation.SEGMENTERS[plan.tokenize]
    synonyms = synonyms_digest(plan.synonyms) if plan.synonyms else ""
    parts = {
        "case": "lower",
        "seg": segmentation.told(segment),
        "stages": f"exact+syn#{synonyms}" if synonyms else "exact",
        "alpha": meteor.ALPHA, "beta": meteor.BETA, "gamma": meteor.GAMMA,
        "align": "nltk", "refs": "max",
    }  # fmt: skip
    work = partial(meteor.scores, segment, plan.synonyms)
    values = gathered(corpus, cache, f"meteor|{line(parts)}", pooled(work, plan, step))
    return Measured(
        {system: averaged(found[:, 0]) for system, found in values.items()},
        signed(corpus, parts), mean,
    )


def gathered(corpus: Corpus, cache: Cache, settings: str, score: Scores) -> dict[str, Floats]:
    """Return the rows (answers, k) of every system; only those not kept are scored."""
    found: dict[str, Floats] = {}
    for system in corpus.systems:
        kept = cache.get(corpus.digest(system), settings, len(corpus.keys_of(system)))
        if kept is not None:
            found[system] = kept
    missing = [system for system in corpus.systems if system not in found]
    found |= _scored(corpus, missing, score) if missing else {}
    for system in missing:
        cache.put(corpus.digest(system), settings, found[system])
    return {system: found[system] for system in corpus.systems}


def _scored(corpus: Corpus, systems: Sequence[str], score: Scores) -> dict[str, Floats]:
    tasks = corpus.tasks(systems)
    rows: dict[str, list[Floats]] = {system: [] for system in systems}
    for scores, (_, who) in zip(score([task for task, _ in tasks]), tasks, strict=True):
        for system, row in zip(who, scores, strict=True):
            rows[system].append(np.atleast_1d(row))
    return {system: np.vstack(parts) for system, parts in rows.items()}


def pooled(work: Scores, plan: Plan, step: Step | None) -> Scores:
    """Return `work` spread over the cores, telling how far it is."""

    def score(tasks: Sequence[Task]) -> list[Floats]:
        found: list[Floats] = []
        weight = sum(len(task.candidates) for task in tasks)
        for part in spread(work, tasks, weight=weight, workers=plan.workers):
            found.extend(part)
            if step:
                step(len(found), len(tasks))
        return found

    return score


def reference_counts(corpus: Corpus, system: str) -> list[int]:
    """Return how many references each answer of a system has."""
    return [len(corpus.references[key]) for key in corpus.keys_of(system)]


def signed(corpus: Corpus, parts: Mapping[str, object]) -> dict[str, str]:
    """Return the signature of each system: the settings after the number of references."""
    return {
        system: line({"nrefs": references_told(reference_counts(corpus, system)), **parts})
        for system in corpus.systems
    }
