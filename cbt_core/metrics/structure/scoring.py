"""Structure of answers: one at a time, as scores per answer, and of a whole system."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from cbt_core.metrics.structure.figures import Figures, distinct, figures, units_of
from cbt_core.metrics.structure.steps import STEPS, Mark, marks
from cbt_core.stats.ratings import Floats
from cbt_core.stats.resampling import blocks
from cbt_core.stats.values import Value, with_interval

METHOD: Final = "automatic: rules and counts, no human judgement"
COUNTED: Final = (
    "length", "sentences", "sentence_length", "distinct_1", "distinct_2", "rare_characters",
    "paragraphs", "list_items", "headings", "bold", "emoji", "questions", "english_share",
)
NO_ANSWERS: Final = "no answers"
NO_HAN: Final = "no Chinese characters"
CORPUS_ONLY: Final = "no interval: distinct-n of a corpus depends on its size"
SIGNATURE: Final = "structure|steps:rules.v1|distinct:char(zh),word(en)|rare:gb2312-1"


@dataclass(frozen=True, slots=True)
class Structure:
    """What one answer shows: the steps with a place for each, and its counts."""

    steps: tuple[int, ...]
    marks: tuple[Mark, ...]
    figures: Figures


def structure(text: str, language: str = "zh") -> Structure:
    """Return what can be seen of an answer's structure; automatic, never a judgement."""
    found = marks(text, language)
    return Structure(
        tuple(sorted({mark.step for mark in found})), found, figures(text, language)
    )


def structure_scores(answers: Sequence[str], language: str = "zh") -> dict[str, list[float]]:
    """Return a score per answer for each measure.

    `step_1` … `step_5` are 0 or 1, `steps` counts them (0 to 5); the others are those of
    `Figures`, NaN where a text has none (the share of rare characters in an English answer).
    """
    found = [structure(answer, language) for answer in answers]
    scores: dict[str, list[float]] = {
        f"step_{step}": [float(step in one.steps) for one in found] for step in STEPS
    }
    scores["steps"] = [float(len(one.steps)) for one in found]
    counts = [asdict(one.figures) for one in found]
    for name in COUNTED:
        values = (one[name] for one in counts)
        scores[name] = [float("nan") if value is None else float(value) for value in values]
    return scores


def summary(
    answers: Sequence[str], language: str = "zh", *, bootstrap: int = 1000, seed: int = 1
) -> dict[str, object]:
    """Return the means of a system's answers with 95 % intervals that resample answers.

    `distinct_1_corpus` and `distinct_2_corpus` take all answers as one text (no interval: they
    fall with its size, so compare corpora of one size only).
    """
    scores = structure_scores(answers, language)
    found: dict[str, object] = {
        name: value.json() for name, value in _means(scores, bootstrap, seed).items()
    }
    units = [units_of(answer, language) for answer in answers]
    for size in (1, 2):
        found[f"distinct_{size}_corpus"] = _corpus_distinct(units, size).json()
    return {
        "method": METHOD, "signature": f"{SIGNATURE}|lang:{language}|boot:{bootstrap}|seed:{seed}",
        "n_answers": len(answers), "scores": found,
    }


def _corpus_distinct(units: Sequence[Sequence[str]], size: int) -> Value:
    joined = [unit for one in units for unit in one]
    if not joined:
        return Value(None, reason=NO_ANSWERS)
    return Value(distinct(joined, size), reason=CORPUS_ONLY)


def _means(scores: Mapping[str, Sequence[float]], bootstrap: int, seed: int) -> dict[str, Value]:
    """Return the mean of each measure with its percentile interval."""
    names = list(scores)
    table = np.array([scores[name] for name in names], dtype=np.float64)  # (measures, answers)
    if not table.shape[1]:
        return dict.fromkeys(names, Value(None, reason=NO_ANSWERS))
    replicates = _replicates(table, bootstrap, seed)
    found = {}
    for name, row, drawn in zip(names, table, replicates, strict=True):
        known = row[~np.isnan(row)]
        found[name] = (
            with_interval(float(known.mean()), drawn) if len(known) else Value(None, reason=NO_HAN)
        )
    return found


def _replicates(table: Floats, bootstrap: int, seed: int) -> Floats:
    """Return the means of resampled answers (measures, replicates); nan where none is known."""
    known = ~np.isnan(table)
    filled = np.where(known, table, 0.0)
    parts = [np.empty((len(table), 0))]
    for weights in blocks(table.shape[1], replicates=bootstrap, seed=seed):
        counts = known.astype(np.float64) @ weights
        with np.errstate(invalid="ignore", divide="ignore"):
            parts.append(np.asarray(filled @ weights / counts))
    return np.concatenate(parts, axis=1)
