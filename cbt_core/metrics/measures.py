"""The metrics by name: measured over all answers, in parallel; nothing is scored twice."""

import contextlib
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from cbt_core.errors import StudyError
from cbt_core.files.writer import put_whole
from cbt_core.metrics import encoder, meteor, sacre, segmentation
from cbt_core.metrics.bootstrap import Formula, averaged, mean
from cbt_core.metrics.corpus import Corpus, Task
from cbt_core.metrics.encoder import Unavailable
from cbt_core.metrics.meteor import Synonyms
from cbt_core.metrics.meteor import digest as synonyms_digest
from cbt_core.metrics.sacre import bleu, chrf
from cbt_core.metrics.structure import SIGNATURE, STEPS, structure_scores
from cbt_core.stats.ratings import SHOWN, Floats
from cbt_core.version import VERSION

if TYPE_CHECKING:
    from cbt_core.metrics.bertscore import BertScore


Part = TypeVar("Part")
Result = TypeVar("Result")

CHUNK: Final = 250
"""Items per piece of work: large enough to be worth sending, small enough to share out evenly."""

WORTH_A_POOL: Final = 1_000
"""Answers below which starting processes costs more than it saves."""


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spread(
    work: Callable[[Sequence[Part]], list[Result]],
    parts: Sequence[Part],
    *,
    weight: int,
    workers: int | None = None,
) -> Iterator[list[Result]]:
    """Yield the results of `work` on consecutive pieces of `parts`, in order.

    `work` must be a module's function (or a partial of one); `weight` is how many answers there
    are in all. Processes are spawned, not forked: another library may hold threads.
    """
    pieces = [parts[at : at + CHUNK] for at in range(0, len(parts), CHUNK)]
    count = min(workers or cores(), len(pieces))
    if count < 2 or weight < WORTH_A_POOL:
        yield from map(work, pieces)
        return
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, pieces)


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of kept statistics; None keeps nothing."""

    folder: Path | None = None

    def get(self, answers: str, settings: str, items: int) -> Floats | None:
        """Return the rows (items, k) kept for these answers under these settings, if any."""
        if self.folder is None:
            return None
        try:
            rows = np.load(self._file(answers, settings), allow_pickle=False)
        except (OSError, ValueError, EOFError):  # absent, or cut short: it is made again
            return None
        sound = rows.ndim == 2 and len(rows) == items and rows.dtype == np.float64
        return rows if sound else None

    def put(self, answers: str, settings: str, rows: Floats) -> None:
        """Keep rows; a folder that cannot be written is no reason to fail."""
        if self.folder is None:
            return
        content = io.BytesIO()
        np.save(content, rows, allow_pickle=False)
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            put_whole(self._file(answers, settings), [content.getvalue()])

    def _file(self, answers: str, settings: str) -> Path:
        name = sha256(f"{answers}|{settings}".encode()).hexdigest()
        return (self.folder or Path()) / f"{name}.npy"


def line(parts: Mapping[str, object]) -> str:
    """Return ``name:value|name:value``, as sacrebleu writes it."""
    return "|".join(f"{name}:{value}" for name, value in parts.items())


def references_told(counts: list[int]) -> str:
    """Return how many references the answers have: a number, or ``var``."""
    return str(counts[0]) if len(set(counts)) == 1 else "var"


def of_run(corpus: Corpus, metrics: tuple[str, ...], *, bootstrap: int, seed: int) -> str:
    """Return the signature of a whole table."""
    digests = ",".join(f"{system}={corpus.digest(system)}" for system in corpus.systems)
    return line({
        "data": "#" + sha256(digests.encode()).hexdigest()[:SHOWN],
        "systems": len(corpus.systems),
        "items": len(corpus.keys),
        "metrics": ",".join(metrics),
        "boot": bootstrap,
        "seed": seed,
        "v": VERSION,
    })


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
        signature = self.signatures[system]
        return signature.replace("eff:no", "eff:yes") if self.formula is bleu else signature


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
    tables: dict[str, Floats] = {}
    for system in corpus.systems:
        kept = cache.get(corpus.digest(system), settings, len(corpus.keys_of(system)))
        if kept is not None:
            tables[system] = kept
    missing = [system for system in corpus.systems if system not in tables]
    tables |= _scored(corpus, missing, score) if missing else {}
    for system in missing:
        cache.put(corpus.digest(system), settings, tables[system])
    return {system: tables[system] for system in corpus.systems}


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
        scores: list[Floats] = []
        weight = sum(len(task.candidates) for task in tasks)
        for part in spread(work, tasks, weight=weight, workers=plan.workers):
            scores.extend(part)
            if step:
                step(len(scores), len(tasks))
        return scores

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


DISTINCT: Final = "distinct"
STRUCTURE: Final = "structure"


def structured(
    metric: str, corpus: Corpus, plan: Plan, cache: Cache, step: Step | None
) -> dict[str, Measured]:
    """Return `distinct_1`, `distinct_2`; or `structure` (share of the five steps) and its parts.

    The parts are `structure_step_1` … `structure_step_5` (share of answers that show the step) and
    counts such as `structure_length`, in their own units.
    """
    names = tuple(structure_scores([], plan.lang))
    work = partial(rows, plan.lang)
    tables = gathered(corpus, cache, f"{SIGNATURE}|{plan.lang}|{names}", pooled(work, plan, step))
    columns = {_structure_name(name): at for at, name in enumerate(names)}
    signatures = dict.fromkeys(corpus.systems, f"{SIGNATURE}|lang:{plan.lang}|automatic")
    return {
        name: Measured(
            {system: averaged(table[:, at] / (len(STEPS) if name == STRUCTURE else 1))
             for system, table in tables.items()},
            signatures, mean,
        )
        for name, at in columns.items()
        if name.startswith(metric)
    }


def rows(lang: str, tasks: Sequence[Task]) -> list[Floats]:
    """Return, per task, the measures (answers, measures) of its candidates; NaN where none."""
    tables = []
    for task in tasks:
        scores = structure_scores(task.candidates, lang)
        tables.append(np.array(list(scores.values()), dtype=np.float64).T)
    return tables


def _structure_name(name: str) -> str:
    if name.startswith(DISTINCT):
        return name
    return STRUCTURE if name == "steps" else f"{STRUCTURE}_{name}"


def modelled(
    metric: str, corpus: Corpus, plan: Plan, cache: Cache, step: Step | None
) -> Measured:
    """Return BERTScore or BLEURT.

    Raises:
        Unavailable: no model was named, it is missing or unfit, or it failed.
        ImportError: a package it needs is not installed.
    """
    name = plan.models.get(metric)
    if name is None:
        raise Unavailable(f"metrics.{metric}_unnamed")
    try:
        run = _bertscore if metric == "bertscore" else _bleurt
        return run(corpus, plan, cache, step)
    except (StudyError, ImportError):
        raise
    except Exception as error:  # whatever a damaged checkpoint or a full memory makes torch raise
        raise Unavailable(
            "metrics.model_failed", metric=metric, name=name, cause=type(error).__name__
        ) from error


def _bertscore(corpus: Corpus, plan: Plan, cache: Cache, step: Step | None) -> Measured:
    from cbt_core.metrics.bertscore import BertScore, Settings

    model = BertScore(
        Settings(plan.models["bertscore"], plan.layer, idf=plan.idf, rescale=plan.rescale,
                 baseline=plan.baseline, lang=plan.lang)
    )
    references = [text for key in corpus.keys for text in corpus.references[key]]
    parts = _bertscore_parts(model, plan)
    settings = f"bertscore|{line(parts)}|{model.baseline}"
    if plan.idf:
        settings += "|" + ",".join(corpus.digest(system) for system in corpus.systems)

    def score(tasks: Sequence[Task]) -> list[Floats]:
        return model.scores(tasks, idf_over=references, step=step)

    return _measured(corpus, parts, gathered(corpus, cache, settings, score))


def _bertscore_parts(model: "BertScore", plan: Plan) -> dict[str, object]:
    return {
        "model": f"{_model_name(plan.models['bertscore'])}#{model.digest}",
        "layer": model.layer,
        "idf": "yes" if plan.idf else "no",
        "rescale": "yes" if plan.rescale else "no",
        "refs": "max",
        "precision": _precision(),
        "definition": f"bert-score-{version('bert-score')}",
        "transformers": version("transformers"),
    }


def _bleurt(corpus: Corpus, plan: Plan, cache: Cache, step: Step | None) -> Measured:
    from cbt_core.metrics.bleurt import Bleurt

    name = plan.models["bleurt"]
    model = Bleurt(name)
    parts = {
        "model": f"{_model_name(name)}#{model.digest}", "refs": "max", "precision": _precision(),
        "transformers": version("transformers"),
    }  # fmt: skip

    def score(tasks: Sequence[Task]) -> list[Floats]:
        return model.scores(tasks, step)

    return _measured(corpus, parts, gathered(corpus, cache, f"bleurt|{line(parts)}", score))


def _measured(
    corpus: Corpus, parts: Mapping[str, object], tables: dict[str, Floats]
) -> Measured:
    return Measured(
        {system: averaged(rows[:, 0]) for system, rows in tables.items()},
        signed(corpus, parts), mean,
        {system: float(rows[:, 1].mean()) for system, rows in tables.items()},
    )


def _model_name(name: str) -> str:
    """Return a model as a signature names it: no path of somebody's machine."""
    return name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def _precision() -> str:
    return "bf16" if str(encoder.precision(encoder.device())).endswith("bfloat16") else "fp32"
