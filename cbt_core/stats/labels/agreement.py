"""How far annotators agree: all figures of the `labels agreement` JSON, intervals over items."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from cbt_core.stats import resampling
from cbt_core.stats.labels import set_alpha, spans
from cbt_core.stats.labels.per_label import LabelFigures
from cbt_core.stats.labels.reasons import Reason, undefined
from cbt_core.stats.labels.sets import ANY, LabelSets, signature
from cbt_core.stats.labels.spans import Documents, SpanTable
from cbt_core.stats.ratings import Floats
from cbt_core.stats.signature import SHOWN
from cbt_core.stats.values import Value, with_interval

Json = dict[str, object]
Compute = Callable[[Floats], Floats]
SPAN_FIGURES: Final = ("char_alpha", "char_f1_pooled", "char_f1")


@dataclass(frozen=True, slots=True)
class Setting:
    """How figures are computed and named: `bootstrap` 0 leaves the intervals out.

    `scheme`, `study`, `analysed` (which labels) stand in the signature.
    """

    bootstrap: int = 1000
    seed: int = 1
    scheme: str = ""
    study: str = ""
    analysed: str = ""

    def told(self) -> dict[str, object]:
        """Return the end of the signature."""
        return {"scheme": self.scheme, "boot": self.bootstrap, "seed": self.seed}


def labels_agreement(
    sets: LabelSets, setting: Setting, documents: Documents | None = None
) -> Json:
    """Return the `labels agreement` JSON: alpha over sets, figures per label, spans.

    Two empty sets agree. The same rows, labels and seed give the same figures.
    """
    together = _Together(sets, documents)
    for weights in blocks(len(sets.items), setting, together.widest):
        together.add(weights)
    return {
        "signature": signature(sets.digest, {
            "study": setting.study, "set": setting.analysed, "items": len(sets.items),
            "annotators": len(sets.annotators), "labels": len(sets.labels),
            "spans": f"#{documents.digest[:SHOWN]}" if documents else "", **setting.told(),
        }),
        "flow": dict(sets.flow),
        "n_items": len(sets.items),
        "n_annotators": len(sets.annotators),
        "n_sets": len(sets.item),
        "n_pairable_items": int((np.bincount(sets.item) > 1).sum()) if len(sets.item) else 0,
        **together.json(),
    }  # fmt: skip


def blocks(items: int, setting: Setting, widest: int) -> Iterator[Floats]:
    """Yield item weights (items, b) of all replicates."""
    yield from resampling.blocks(
        items, replicates=setting.bootstrap if items else 0, seed=setting.seed, widest=widest
    )


class Figure:
    """One figure: of the data as they are, and of every replicate as blocks come in."""

    def __init__(self, items: int, compute: Compute, reason: Reason) -> None:
        """Compute it of the data as they are; `reason` stands where that is undefined."""
        self._compute = compute
        self._reason = reason
        self._point = float(compute(np.ones((items, 1)))[0])
        self._parts: list[Floats] = []

    def add(self, weights: Floats) -> None:
        """Compute it of one block of item weights (I, b)."""
        self._parts.append(self._compute(weights))

    def value(self) -> Value:
        """Return it with its interval, or the reason why it is undefined."""
        if np.isnan(self._point):
            return undefined(self._reason)
        drawn = np.concatenate(self._parts) if self._parts else np.empty(0)
        return with_interval(self._point, drawn)


class _Together:
    """Everything that is computed from the same draws of items."""

    def __init__(self, sets: LabelSets, documents: Documents | None) -> None:
        self._sets = sets
        self._table = set_alpha.set_table(sets)
        self._labels = LabelFigures(sets)
        self._alphas: list[dict[str, Floats]] = []
        tables = _span_tables(sets, documents)
        self._spans = {name: _span_figures(len(sets.items), one) for name, one in tables.items()}
        self._pairs = tables[ANY].told if tables else ()
        self.widest = max([
            self._table.widest, self._labels.widest, *(one.widest for one in tables.values())
        ])

    def add(self, weights: Floats) -> None:
        self._alphas.append(set_alpha.alphas(self._table, weights))
        self._labels.add(weights)
        for pair in self._spans.values():
            for figure in pair.values():
                figure.add(weights)

    def json(self) -> Json:
        points = set_alpha.alphas(self._table, np.ones((len(self._sets.items), 1)))
        return {
            **{key: self._alpha(key, float(point[0])).json() for key, point in points.items()},
            "any": self._labels.json(ANY),
            "labels": {label: self._labels.json(label) for label in self._sets.labels},
            "spans": self._span_json(),
        }

    def _alpha(self, key: str, point: float) -> Value:
        if np.isnan(point):
            return undefined(set_alpha.reason(self._table))
        drawn = [part[key] for part in self._alphas]
        return with_interval(point, np.concatenate(drawn) if drawn else np.empty(0))

    def _span_json(self) -> Json:
        if not self._spans:
            absent = undefined(Reason.NO_SPANS_FILE).json()
            return {**dict.fromkeys(SPAN_FIGURES, absent), "char_f1_pairs": []}
        told: dict[str, Json] = {
            name: {key: figure.value().json() for key, figure in pair.items()}
            for name, pair in self._spans.items()
        }
        pairs = [{"a": one.a, "b": one.b, "n": one.n, "f1": one.f1} for one in self._pairs]
        return {**told.pop(ANY), "char_f1_pairs": pairs, "labels": told}


def _span_tables(sets: LabelSets, documents: Documents | None) -> dict[str, SpanTable]:
    if documents is None:
        return {}
    return {
        ANY: spans.span_table(sets, documents),
        **{label: spans.span_table(sets, documents, label) for label in sets.labels},
    }


def _span_figures(items: int, table: SpanTable) -> dict[str, Figure]:
    return {
        "char_alpha": Figure(items, partial(spans.char_alpha, table), spans.alpha_reason(table)),
        "char_f1_pooled": Figure(
            items, partial(spans.char_f1_pooled, table), spans.f1_reason(table)
        ),
        "char_f1": Figure(items, partial(spans.char_f1, table), spans.f1_reason(table)),
    }

