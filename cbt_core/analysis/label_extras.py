"""Two figures that rest on packages of their own: gamma, and gold by Dawid-Skene or MACE.

The packages are heavy and not installed with Concord; they are imported only when asked for.
"""

import importlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

import numpy as np
import pandas as pd

from cbt_core.errors import StudyError
from cbt_core.files.writer import Column, Table, csv_bytes, write_whole
from cbt_core.stats.labels.label_sets import LabelSets
from cbt_core.stats.labels.reasons import Reason, undefined
from cbt_core.stats.labels.spans import Documents, SpanRow
from cbt_core.stats.ratings import Floats
from cbt_core.stats.values import Value, with_interval

Json = dict[str, object]

GAMMA: Final = "pygamma-agreement"
CROWD: Final = "crowd-kit"
AGGREGATORS: Final = ("dawid-skene", "mace")
ITERATIONS: Final = 100
COLUMNS: Final = (
    Column("item_id", "text"),
    Column("gold", "text"),
    Column("rule", "text"),
)


@dataclass(frozen=True, slots=True)
class Gamma:
    """The mean of gamma over the `n_documents` in which it could be computed."""

    mean: Value
    n_documents: int

    def json(self) -> Json:
        """Return the object of the JSON."""
        return {**self.mean.json(), "n_documents": self.n_documents, "package": GAMMA}


@dataclass(frozen=True, slots=True)
class Aggregated:
    """Gold inferred from all annotators: by which method, of how many items."""

    method: str
    items: int

    def json(self) -> Json:
        """Return the object of the JSON."""
        return {"method": self.method, "items": self.items}


def gamma(sets: LabelSets, documents: Documents, *, seed: int, bootstrap: int) -> Gamma:
    """Return the mean over documents of gamma, with an interval over documents.

    Documents count where two annotators decided and each marked a span: gamma compares how spans
    are placed and named. Source: Y. Mathet et al., Computational Linguistics 41 (2015).

    Raises:
        StudyError: the package is not installed, or cannot work with these spans.
    """
    package = _needed("pygamma_agreement", GAMMA)
    segment = _needed("pyannote.core", GAMMA).Segment
    np.random.seed(seed)  # the package draws from numpy's global generator
    with _silenced():
        found = [_of_document(package, segment, one) for one in _marked(sets, documents)]
    values = np.array(found, dtype=np.float64)
    mean = (
        with_interval(float(values.mean()), _means(values, seed=seed, bootstrap=bootstrap))
        if len(values) else undefined(Reason.NOTHING_MARKED)
    )  # fmt: skip
    return Gamma(mean, len(values))


def aggregate(sets: LabelSets, *, method: str, seed: int, out: Path) -> Aggregated:
    """Write the labels that `dawid-skene` or `mace` infers for each item.

    Each label is inferred by itself, as given or not.

    Raises:
        StudyError: the package is not installed or fails, or `out` cannot be written.
    """
    package = _needed("crowdkit.aggregation.classification", CROWD)
    frame = pd.DataFrame({
        "task": [sets.items[at] for at in sets.item],
        "worker": [sets.annotators[at] for at in sets.annotator],
    })
    inferred: dict[str, Mapping[str, int]] = {}
    for at, label in enumerate(sets.labels):
        given = frame.assign(label=sets.given[:, at].astype(int))
        inferred[label] = _fitted(package, method, seed, given)
    rows = [
        (item, "|".join(label for label in sets.labels if inferred[label][item]), method)
        for item in sets.items
    ]
    write_whole(out, [csv_bytes(Table("gold", COLUMNS, rows))])
    return Aggregated(method, len(rows))


def _needed(module: str, package: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise StudyError("labels.no_extra", package=package) from error


def _fitted(
    package: ModuleType, method: str, seed: int, given: pd.DataFrame
) -> Mapping[str, int]:
    if given["label"].nunique() < 2:  # nothing to infer: everybody says the same
        return dict.fromkeys(given["task"], int(given["label"].iloc[0]))
    try:
        model = (
            package.MACE(n_iter=ITERATIONS, random_state=seed) if method == "mace"
            else package.DawidSkene(n_iter=ITERATIONS)
        )  # fmt: skip
        return {str(task): int(label) for task, label in model.fit_predict(given).items()}
    except (ValueError, KeyError, IndexError, ZeroDivisionError) as error:
        raise StudyError("labels.extra_failed", package=CROWD) from error


def _marked(sets: LabelSets, documents: Documents) -> list[list[SpanRow]]:
    """Return the spans of each document in which at least two annotators marked something."""
    decided = {(sets.items[item], sets.annotators[annotator])
               for item, annotator in zip(sets.item, sets.annotator, strict=True)}
    by_item: dict[str, list[SpanRow]] = {}
    for span in documents.spans:
        if (span.item, span.annotator) in decided:
            by_item.setdefault(span.item, []).append(span)
    return [spans for _, spans in sorted(by_item.items())
            if len({span.annotator for span in spans}) > 1]


def _of_document(
    package: ModuleType, segment: Callable[[int, int], object], spans: Sequence[SpanRow]
) -> float:
    continuum = package.Continuum()
    for span in spans:
        continuum.add(span.annotator, segment(span.start, span.end), span.label)
    try:
        measure = package.CombinedCategoricalDissimilarity()
        return float(continuum.compute_gamma(measure).gamma)
    except (ValueError, AssertionError, ZeroDivisionError) as error:
        raise StudyError("labels.extra_failed", package=GAMMA) from error


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep the package's warnings about its solver, one per sample, off the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _means(values: Floats, *, seed: int, bootstrap: int) -> Floats:
    random = np.random.default_rng(seed)
    drawn = random.integers(len(values), size=(bootstrap, len(values)))
    return np.asarray(values[drawn].mean(axis=1))
