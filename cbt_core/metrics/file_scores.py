"""Automatic metrics from files: read, score, write JSON and the scores of each answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import isnan
from pathlib import Path

from cbt_core.domain.study import Problem
from cbt_core.errors import StudyError
from cbt_core.files.writer import write_json, write_lines
from cbt_core.metrics.corpus import read_corpus
from cbt_core.metrics.measures import Cache, Plan
from cbt_core.metrics.meteor import read_synonyms
from cbt_core.metrics.score_table import Cell, Comparison, Outcome, Step, score

TEXT_DIGEST = 16
"""Hexadecimal digits that tell whether a study holds the very answer that was scored."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The outcome and doubts about the files; `failed` when no metric has a value."""

    outcome: Outcome
    warnings: tuple[Problem, ...]

    @property
    def failed(self) -> bool:
        """Tell whether not one score could be computed."""
        cells = [cell for row in self.outcome.cells.values() for cell in row.values()]
        return all(cell.value is None for cell in cells)


def score_files(
    candidates: Sequence[Path],
    references: Path,
    plan: Plan,
    *,
    out: Path,
    segments: Path | None = None,
    cache: Path | None = None,
    step: Step | None = None,
) -> Scored:
    """Score the answers of some files against references and write the JSON of `score`.

    `segments` gets one JSON line per answer and metric, for `study import-metrics`.

    Raises:
        StudyError: a file cannot be read or written; problems name FILE:ROW.
    """
    read = read_corpus(candidates, references)
    outcome = score(read.corpus, plan, cache=Cache(cache), step=step)
    write_json(as_json(outcome), out)
    if segments is not None:
        write_segments(outcome, segments)
    return Scored(outcome, read.warnings)


def synonyms_from(path: Path | None) -> dict[str, frozenset[str]] | None:
    """Return the synonyms of a file; None without one.

    Raises:
        StudyError: it cannot be read, or holds no group of synonyms.
    """
    if path is None:
        return None
    try:
        synonyms = read_synonyms(path.read_text("utf-8-sig").splitlines())
    except UnicodeDecodeError:
        synonyms = read_synonyms(path.read_text("gb18030", errors="replace").splitlines())
    except OSError as error:
        raise StudyError("metrics.synonyms_missing", file=path) from error
    if not synonyms:
        raise StudyError("metrics.synonyms_empty", file=path)
    return dict(synonyms)


def as_json(outcome: Outcome) -> dict[str, object]:
    """Return the JSON of `score`; reasons are in English, as in every file we write."""
    corpus = outcome.corpus
    return {
        "signature": outcome.signature,
        "counts": {
            "items_with_reference": len(corpus.keys),
            "answers": {system: len(corpus.keys_of(system)) for system in corpus.systems},
            "common": len(corpus.common(corpus.systems)),
        },
        "systems": {
            system: {name: _cell(cell) for name, cell in row.items()}
            for system, row in outcome.cells.items()
        },
        "comparisons": [_comparison(one) for one in outcome.comparisons],
        "family_size": outcome.family,
    }


def write_segments(outcome: Outcome, out: Path) -> None:
    """Write one JSON line per answer and metric, whole or not at all.

    Raises:
        StudyError: the place cannot be written.
    """
    write_lines(_segments(outcome), out)


def text_digest(text: str) -> str:
    """Return a short digest of an answer: the file of segments holds no text."""
    return sha256(text.encode()).hexdigest()[:TEXT_DIGEST]


def _segments(outcome: Outcome) -> Iterator[dict[str, object]]:
    corpus = outcome.corpus
    for name, measured in outcome.measured.items():
        for system in corpus.systems:
            values = measured.each(system).tolist()
            for key, value in zip(corpus.keys_of(system), values, strict=True):
                yield {
                    "id": key,
                    "system": system,
                    "metric": name,
                    "value": None if isnan(value) else value,
                    "signature": measured.each_signature(system),
                    "answer_digest": text_digest(corpus.answers[system][key]),
                }


def _cell(cell: Cell) -> dict[str, object]:
    fields: dict[str, object] = {
        "value": cell.value, "low": cell.low, "high": cell.high, "signature": cell.signature,
        "reason": None if cell.reason is None else str(cell.reason),
    }
    return fields if cell.cut is None else {**fields, "truncated": cell.cut}


def _comparison(pair: Comparison) -> dict[str, object]:
    return {
        "a": pair.a, "b": pair.b, "metric": pair.metric, "n_items": pair.items,
        "difference": pair.difference, "low": pair.low, "high": pair.high,
        "p": pair.p, "p_bootstrap": pair.p_bootstrap,
        "reason": None if pair.reason is None else str(pair.reason),
    }
