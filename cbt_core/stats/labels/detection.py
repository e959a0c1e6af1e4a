"""A model's labels against gold: the `labels evaluate` JSON, the paper's Table 3 beside it."""

import hashlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from cbt_core.stats.labels import counting
from cbt_core.stats.labels.agreement import Setting, blocks
from cbt_core.stats.labels.counting import AVERAGED, CELLS, FIGURES, Compute, Counts
from cbt_core.stats.labels.published import paper
from cbt_core.stats.labels.reasons import Reason
from cbt_core.stats.labels.sets import membership, signature
from cbt_core.stats.numbers import ratio
from cbt_core.stats.ratings import Floats
from cbt_core.stats.values import Value, with_interval

Json = dict[str, object]

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
    crosswalk: Mapping[str, object] | None = None


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


def evaluate(judged: Evaluation, setting: Setting) -> Json:
    """Return the `labels evaluate` JSON; intervals resample items.

    Zero divisions count as 0 in `macro` (over all labels) and in `macro_supported` (over the
    labels that gold has), and are null with a reason elsewhere.
    """
    rows = sorted(judged.rows, key=lambda row: row.item)
    table = _table(rows, judged.labels)
    drawn = [table.counts(weights)
             for weights in blocks(len(rows), setting, len(judged.labels) + 1)]
    result = _Result(table.counts(np.ones((len(rows), 1))), counting.joined(drawn))
    body: Json = {
        "signature": _signature(rows, judged, setting),
        "unit": UNIT,
        "gold_from": judged.gold_from,
        "gold_rules": _rules(rows),
        "flow": {**judged.flow, "items_judged": len(rows)},
        "n_items": len(rows),
        "n_items_labels": sum(not row.any_only for row in rows),
        "binary": result.binary(),
        "per_label": {label: result.label(at) for at, label in enumerate(judged.labels, start=1)},
        **result.averages(),
        "paper": paper(),
    }  # fmt: skip
    if judged.crosswalk is not None:
        body["crosswalk"] = dict(judged.crosswalk)
    _add_weighted(body, rows, table)
    return {**body, "reasons": _reasons(body)}


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

    def binary(self) -> Json:
        return _block(self.sample.at(0), self.drawn.at(0) if self.drawn else None)

    def label(self, at: int) -> Json:
        return _block(self.sample.at(at), self.drawn.at(at) if self.drawn else None)

    def averages(self) -> Json:
        sample, drawn = self.sample.labels(), self.drawn.labels() if self.drawn else None
        whole = drawn.summed() if drawn else None
        return {
            "micro": _figures(AVERAGED, sample.summed(), whole),
            "macro": _averaged(sample, drawn, supported=False),
            "macro_supported": _averaged(sample, drawn, supported=True),
        }


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


def _block(sample: Counts, drawn: Counts | None) -> Json:
    cells = {cell: int(getattr(sample, cell)[0]) for cell in CELLS}
    return {**cells, **_figures(FIGURES, sample, drawn)}


def _figures(wanted: Mapping[str, Compute], sample: Counts, drawn: Counts | None) -> Json:
    """Return figures as plain numbers or null, with `intervals` and `reasons` beside."""
    found = {
        key: _value(
            float(compute(sample)[0]), compute(drawn) if drawn else np.empty(0),
            counting.REASONS.get(key, Reason.NO_ITEMS) if sample.total[0] else Reason.NO_ITEMS,
        )
        for key, compute in wanted.items()
    }  # fmt: skip
    return _told(found)


def _averaged(sample: Counts, drawn: Counts | None, *, supported: bool) -> Json:
    """Return means over labels, undefined ones as 0; `supported`: only over labels in gold."""
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
    return {**_told(values), "n_labels": int(counted.sum())}


def _value(point: float, drawn: Floats, reason: Reason) -> Value:
    return Value(None, reason=reason.text) if np.isnan(point) else with_interval(point, drawn)


def _told(values: Mapping[str, Value]) -> Json:
    return {
        **{key: one.value for key, one in values.items()},
        "intervals": {key: {"low": one.low, "high": one.high} for key, one in values.items()},
        "reasons": {key: one.reason for key, one in values.items() if one.reason},
    }


def _reasons(body: Json) -> dict[str, str]:
    """Return every reason by the place of what it explains, e.g. ``binary.precision``."""
    found: dict[str, str] = {}
    blocks_of = {key: body[key] for key in ("binary", "micro", "macro", "macro_supported")}
    per_label = body["per_label"]
    if isinstance(per_label, dict):
        blocks_of |= {f"per_label.{label}": one for label, one in per_label.items()}
    for place, block in blocks_of.items():
        if isinstance(block, dict):
            found |= {f"{place}.{key}": why for key, why in block["reasons"].items()}
    return found


def _rules(rows: Sequence[JudgedRow]) -> dict[str, int]:
    rules = [row.rule for row in rows if row.rule]
    return {rule: rules.count(rule) for rule in sorted(set(rules))}


def _add_weighted(body: Json, rows: Sequence[JudgedRow], table: _Table) -> None:
    """Where items had unequal chances to be drawn: say so, and weight by 1 / chance."""
    chances = [row.chance for row in rows]
    known = [chance for chance in chances if chance]
    if len(known) < len(rows) or len(set(known)) < 2:
        return
    weights = 1 / np.array(known, dtype=np.float64)[:, np.newaxis]
    body["note"] = ENRICHED
    body["binary_weighted"] = _told({
        key: _value(float(compute(table.counts(weights).at(0))[0]), np.empty(0),
                    counting.REASONS.get(key, Reason.NO_ITEMS))
        for key, compute in FIGURES.items()
    })


ENRICHED = (
    "the items were drawn with unequal chances (for example enriched for risk): precision, accuracy"
    " and prevalence describe this sample; binary_weighted counts each item by 1 / its chance"
)


def _digest(rows: Sequence[JudgedRow], labels: Sequence[str]) -> str:
    found = hashlib.sha256("\0".join(labels).encode())
    for row in rows:
        line = [row.item, "|".join(sorted(row.gold)), "|".join(sorted(row.model))]
        line += [str(int(row.beyond_gold)), str(int(row.beyond_model)), str(row.chance)]
        line += ["any"] if row.any_only else []
        found.update("\0".join(line).encode() + b"\n")
    return found.hexdigest()
