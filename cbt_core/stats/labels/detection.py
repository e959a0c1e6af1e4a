"""A model's labels against gold: what `labels evaluate` returns, the paper's Table 3 beside it.

Figures of a 2 x 2 table of a model against gold are computed for the sample and replicates alike.
What the CBT-LLM paper reports about its machine labels, and what follows from that: H. Na, CBT-LLM
(LREC-COLING 2024, arXiv 2403.16008), Tables 1 and 3. A figure that the paper does not give is None;
none is filled in.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from cbt_core.stats.labels.annotators import Setting, blocks
from cbt_core.stats.labels.label_sets import Crosswalked, Reason, membership, signature
from cbt_core.stats.ratings import Floats
from cbt_core.stats.values import Value, ratio, with_interval

CELLS: Final = ("tp", "fp", "fn", "tn")


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Items that gold and model both have (tp), the model alone (fp), gold alone (fn), none (tn).

    Arrays of one shape: one table, one per replicate, or one per label and replicate.
    """

    tp: Floats
    fp: Floats
    fn: Floats
    tn: Floats

    @property
    def total(self) -> Floats:
        """Return the number of items."""
        return self.tp + self.fp + self.fn + self.tn

    def summed(self) -> "Counts":
        """Return the tables of all labels added up (first axis)."""
        return Counts(*(getattr(self, cell).sum(axis=0) for cell in CELLS))

    def labels(self) -> "Counts":
        """Return the tables of the labels, without the first, which is "any distortion"."""
        return Counts(*(getattr(self, cell)[1:] for cell in CELLS))

    def at(self, index: int) -> "Counts":
        """Return the tables of one label."""
        return Counts(*(getattr(self, cell)[index] for cell in CELLS))


def joined(parts: Sequence[Counts]) -> Counts | None:
    """Return the tables (L + 1, b) of blocks of replicates side by side; None without any."""
    if not parts:
        return None
    return Counts(*(np.concatenate([getattr(one, cell) for one in parts], axis=1)
                    for cell in CELLS))


def precision(counts: Counts) -> Floats:
    """Return tp / (tp + fp)."""
    return ratio(counts.tp, counts.tp + counts.fp)


def recall(counts: Counts) -> Floats:
    """Return tp / (tp + fn)."""
    return ratio(counts.tp, counts.tp + counts.fn)


def f1(counts: Counts) -> Floats:
    """Return 2 tp / (2 tp + fp + fn)."""
    return ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def specificity(counts: Counts) -> Floats:
    """Return tn / (tn + fp)."""
    return ratio(counts.tn, counts.tn + counts.fp)


def accuracy(counts: Counts) -> Floats:
    """Return (tp + tn) / all."""
    return ratio(counts.tp + counts.tn, counts.total)


def kappa(counts: Counts) -> Floats:
    """Return Cohen's kappa of model and gold (J. Cohen 1960); nan where one of them is constant."""
    in_gold, out_gold = counts.tp + counts.fn, counts.fp + counts.tn
    in_model, out_model = counts.tp + counts.fp, counts.fn + counts.tn
    constant = (in_gold == 0) | (out_gold == 0) | (in_model == 0) | (out_model == 0)
    total = counts.total
    expected = in_gold * out_model + out_gold * in_model
    observed = (counts.fp + counts.fn) * total
    return 1 - ratio(observed, np.where(constant, 0.0, expected))


def prevalence_gold(counts: Counts) -> Floats:
    """Return the share of items that have it in gold."""
    return ratio(counts.tp + counts.fn, counts.total)


def prevalence_model(counts: Counts) -> Floats:
    """Return the share of items to which the model gives it."""
    return ratio(counts.tp + counts.fp, counts.total)


Compute = Callable[[Counts], Floats]

FIGURES: Final[dict[str, Compute]] = {
    "accuracy": accuracy, "precision": precision, "recall": recall, "specificity": specificity,
    "f1": f1, "kappa": kappa,
    "prevalence_gold": prevalence_gold, "prevalence_model": prevalence_model,
}  # fmt: skip
"""Every figure of one table, in the order of the JSON."""

AVERAGED: Final[dict[str, Compute]] = {"precision": precision, "recall": recall, "f1": f1}
"""Figures that are also summed up over labels."""

REASONS: Final = {
    "precision": Reason.NEVER_PREDICTED, "recall": Reason.NEVER_IN_GOLD,
    "specificity": Reason.ALWAYS_IN_GOLD, "f1": Reason.IN_NEITHER, "kappa": Reason.ONE_ANSWER,
}  # fmt: skip
"""Why a figure of a table with items is undefined; without items nothing is defined."""

Json = dict[str, object]

PREVALENCE: Final = 12_136 / 22_327
"""Table 1: entries with at least one label, of all entries (54.4 %)."""

ENTRIES: Final = 22_327
SAMPLE: Final = 500
TABLE_3: Final = {"accuracy": 0.69, "recall": 0.93, "f1": 0.65}
UNKNOWN: Final = ("tp", "fp", "fn", "tn", "precision", "specificity", "kappa")

IMPLIED: Final = {
    "precision": (0.492, 0.507),
    "specificity": (0.570, 0.595),
    "kappa": (0.407, 0.421),
    "prevalence_gold": (0.298, 0.322),
    "prevalence_model": (0.562, 0.590),
}
"""Least and largest value over every 2 x 2 table of 500 that fits the three rounded figures."""


def paper() -> Json:
    """Return the paper's figures as they stand beside ours in the JSON."""
    return {
        "source": "CBT-LLM (arXiv 2403.16008), Tables 1 and 3",
        "prevalence": {"any": PREVALENCE, "n": ENTRIES},
        "binary": {
            "n": SAMPLE, **TABLE_3, **dict.fromkeys(UNKNOWN),
            "reasons": dict.fromkeys(UNKNOWN, Reason.NOT_PUBLISHED.text),
        },
        "implied": {
            "about": "not in the paper: follows from its rounded figures if they describe one "
            "binary task (any distortion or none)",
            **{key: {"low": low, "high": high} for key, (low, high) in IMPLIED.items()},
        },
    }  # fmt: skip


UNIT = "item (question with its description)"
FILE = "file"


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """One item: its gold labels, the model's, and by which rule gold was found where known.

    `beyond_gold`, `beyond_model`: a label was there that the scheme of the evaluation does not
    know; it counts as a distortion, but as no label. `any_only`: gold says that there is a
    distortion and not which; the item counts for "any distortion" and for no label. `chance`:
    probability with which the item was drawn, where known.
    """

    item: str
    gold: Set[str]
    model: Set[str]
    rule: str = ""
    beyond_gold: bool = False
    beyond_model: bool = False
    chance: float | None = None
    any_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Rows to judge, the scheme's `labels`, and what is told with the figures."""

    rows: Sequence[JudgedRow]
    labels: Sequence[str]
    gold_from: str = FILE
    flow: Mapping[str, int] = field(default_factory=dict)
    crosswalk: Crosswalked | None = None


@dataclass(frozen=True, slots=True)
class Cells:
    """Items that gold and model both have, the model alone, gold alone, none of them."""

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def in_gold(self) -> int:
        """Return how many items have it in gold."""
        return self.tp + self.fn

    @property
    def in_model(self) -> int:
        """Return to how many items the model gives it."""
        return self.tp + self.fp

    def json(self) -> Json:
        """Return the counts as they stand in the JSON."""
        return {"tp": self.tp, "fp": self.fp, "fn": self.fn, "tn": self.tn}


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one or several 2 x 2 tables by key; `cells` of a single table of whole items.

    `n_labels`: over how many labels a mean is taken.
    """

    values: Mapping[str, Value]
    cells: Cells | None = None
    n_labels: int | None = None

    def json(self) -> Json:
        """Return plain numbers or null, with `intervals` and `reasons` beside."""
        body: Json = self.cells.json() if self.cells else {}
        body |= {
            **{key: one.value for key, one in self.values.items()},
            "intervals": {key: {"low": one.low, "high": one.high}
                          for key, one in self.values.items()},
            "reasons": self.reasons,
        }
        return body if self.n_labels is None else {**body, "n_labels": self.n_labels}

    @property
    def reasons(self) -> dict[str, str]:
        """Return why figures, or only their limits, are missing, by key."""
        return {key: one.reason for key, one in self.values.items() if one.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """A model against gold: any distortion, every label, over labels.

    `weighted` counts each item by 1 / its chance, where items had unequal chances to be drawn.
    """

    signature: str
    gold_from: str
    gold_rules: Mapping[str, int]
    flow: Mapping[str, int]
    n_items: int
    n_items_labels: int
    binary: Measured
    per_label: Mapping[str, Measured]
    micro: Measured
    macro: Measured
    macro_supported: Measured
    crosswalk: Crosswalked | None
    weighted: Measured | None

    @property
    def averages(self) -> dict[str, Measured]:
        """Return the figures over all labels, by name."""
        return {
            "micro": self.micro, "macro": self.macro, "macro_supported": self.macro_supported,
        }

    def json(self) -> Json:
        """Return the `labels evaluate` JSON."""
        body: Json = {
            "signature": self.signature,
            "unit": UNIT,
            "gold_from": self.gold_from,
            "gold_rules": dict(self.gold_rules),
            "flow": dict(self.flow),
            "n_items": self.n_items,
            "n_items_labels": self.n_items_labels,
            "binary": self.binary.json(),
            "per_label": {label: one.json() for label, one in self.per_label.items()},
            **{name: one.json() for name, one in self.averages.items()},
            "paper": paper(),
        }
        if self.crosswalk is not None:
            body["crosswalk"] = self.crosswalk.json()
        if self.weighted is not None:
            body |= {"note": ENRICHED, "binary_weighted": self.weighted.json()}
        return {**body, "reasons": self._reasons()}

    def _reasons(self) -> dict[str, str]:
        """Return every reason by the place of what it explains, e.g. ``binary.precision``."""
        places = {"binary": self.binary, **self.averages}
        places |= {f"per_label.{label}": one for label, one in self.per_label.items()}
        return {
            f"{place}.{key}": why for place, one in places.items()
            for key, why in one.reasons.items()
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """What both, gold and the model have (L + 1, I): the first row is "any distortion".

    `known` (2, I): which items count for it (all), and which for the labels.
    """

    both: csr_array
    gold: csr_array
    model: csr_array
    known: csr_array

    def counts(self, weights: Floats) -> Counts:
        """Return the tables (L + 1, b) for item weights (I, b)."""
        both, in_gold, in_model = (
            np.asarray(part @ weights) for part in (self.both, self.gold, self.model)
        )
        known = np.asarray(self.known @ weights)
        total = np.concatenate([known[:1], np.repeat(known[1:], len(both) - 1, axis=0)])
        return Counts(both, in_model - both, in_gold - both, total - in_gold - in_model + both)


def evaluate(judged: Evaluation, setting: Setting) -> Detection:
    """Return how a model stands to gold; intervals resample items.

    Zero divisions count as 0 in `macro` (over all labels) and in `macro_supported` (over the
    labels that gold has), and are undefined with a reason elsewhere.
    """
    rows = sorted(judged.rows, key=lambda row: row.item)
    table = _table(rows, judged.labels)
    drawn = [table.counts(weights)
             for weights in blocks(len(rows), setting, len(judged.labels) + 1)]
    result = _Result(table.counts(np.ones((len(rows), 1))), joined(drawn))
    return Detection(
        signature=_signature(rows, judged, setting),
        gold_from=judged.gold_from,
        gold_rules=_rules(rows),
        flow={**judged.flow, "items_judged": len(rows)},
        n_items=len(rows),
        n_items_labels=sum(not row.any_only for row in rows),
        binary=result.table(0),
        per_label={label: result.table(at) for at, label in enumerate(judged.labels, start=1)},
        micro=result.micro(),
        macro=result.macro(supported=False),
        macro_supported=result.macro(supported=True),
        crosswalk=judged.crosswalk,
        weighted=_weighted(rows, table),
    )


def _signature(rows: Sequence[JudgedRow], judged: Evaluation, setting: Setting) -> str:
    return signature(_digest(rows, judged.labels), {
        "study": setting.study, "set": setting.analysed, "items": len(rows),
        "labels": len(judged.labels), "gold": judged.gold_from.replace("|", "/"),
        **setting.told(),
    })  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Result:
    """Tables of the sample (L + 1, 1) and of the replicates (L + 1, B); None without any."""

    sample: Counts
    drawn: Counts | None

    def table(self, at: int) -> Measured:
        """Return the figures of one table; the first is that of "any distortion"."""
        sample = self.sample.at(at)
        cells = Cells(*(int(getattr(sample, cell)[0]) for cell in CELLS))
        return Measured(_figures(FIGURES, sample, self.drawn.at(at) if self.drawn else None), cells)

    def micro(self) -> Measured:
        """Return the figures of the tables of all labels added up."""
        whole = self.drawn.labels().summed() if self.drawn else None
        return Measured(_figures(AVERAGED, self.sample.labels().summed(), whole))

    def macro(self, *, supported: bool) -> Measured:
        """Return means over labels, undefined ones as 0; `supported`: only over those in gold."""
        drawn = self.drawn.labels() if self.drawn else None
        return _averaged(self.sample.labels(), drawn, supported=supported)


def _table(rows: Sequence[JudgedRow], labels: Sequence[str]) -> _Table:
    gold = membership([row.gold for row in rows], labels)
    model = membership([row.model for row in rows], labels)
    any_gold = np.array([bool(row.gold) or row.beyond_gold or row.any_only for row in rows], bool)
    any_model = np.array([bool(row.model) or row.beyond_model for row in rows], bool)
    known = np.array([not row.any_only for row in rows], bool).reshape(-1, 1)
    in_gold = np.column_stack([any_gold, gold & known])
    in_model = np.column_stack([any_model, model & known])
    counted = np.column_stack([np.ones_like(known), known])
    return _Table(*(csr_array(part.T.astype(np.float64))
                    for part in (in_gold & in_model, in_gold, in_model, counted)))


def _figures(
    wanted: Mapping[str, Compute], sample: Counts, drawn: Counts | None
) -> dict[str, Value]:
    return {
        key: _value(
            float(compute(sample)[0]), compute(drawn) if drawn else np.empty(0),
            REASONS.get(key, Reason.NO_ITEMS) if sample.total[0] else Reason.NO_ITEMS,
        )
        for key, compute in wanted.items()
    }  # fmt: skip


def _averaged(sample: Counts, drawn: Counts | None, *, supported: bool) -> Measured:
    def mean(compute: Compute, counts: Counts) -> Floats:
        counted = (counts.tp + counts.fn > 0) if supported else np.ones(counts.tp.shape, bool)
        values = np.where(counted, np.nan_to_num(compute(counts)), 0.0)
        return np.where(
            counts.total.max(axis=0, initial=0) > 0,
            ratio(values.sum(axis=0), counted.sum(axis=0).astype(np.float64)), np.nan,
        )  # fmt: skip

    reason = Reason.NEVER_IN_GOLD if supported and sample.total.any() else Reason.NO_ITEMS
    values = {
        key: _value(
            float(mean(compute, sample)[0]), mean(compute, drawn) if drawn else np.empty(0), reason
        )
        for key, compute in AVERAGED.items()
    }
    counted = sample.tp + sample.fn > 0 if supported else np.ones(sample.tp.shape, bool)
    return Measured(values, n_labels=int(counted.sum()))


def _value(point: float, drawn: Floats, reason: Reason) -> Value:
    return Value(None, reason=reason.text) if np.isnan(point) else with_interval(point, drawn)


def _rules(rows: Sequence[JudgedRow]) -> dict[str, int]:
    rules = [row.rule for row in rows if row.rule]
    return {rule: rules.count(rule) for rule in sorted(set(rules))}


def _weighted(rows: Sequence[JudgedRow], table: _Table) -> Measured | None:
    """Return the figures weighted by 1 / chance, where items had unequal chances to be drawn."""
    known = [row.chance for row in rows if row.chance]
    if len(known) < len(rows) or len(set(known)) < 2:
        return None
    weights = 1 / np.array(known, dtype=np.float64)[:, np.newaxis]
    counts = table.counts(weights).at(0)
    return Measured({
        key: _value(float(compute(counts)[0]), np.empty(0), REASONS.get(key, Reason.NO_ITEMS))
        for key, compute in FIGURES.items()
    })


ENRICHED = (
    "the items were drawn with unequal chances (for example enriched for risk): precision, accuracy"
    " and prevalence describe this sample; binary_weighted counts each item by 1 / its chance"
)


def _digest(rows: Sequence[JudgedRow], labels: Sequence[str]) -> str:
    checksum = hashlib.sha256("\0".join(labels).encode())
    for row in rows:
        line = [row.item, "|".join(sorted(row.gold)), "|".join(sorted(row.model))]
        line += [str(int(row.beyond_gold)), str(int(row.beyond_model)), str(row.chance)]
        line += ["any"] if row.any_only else []
        checksum.update("\0".join(line).encode() + b"\n")
    return checksum.hexdigest()
