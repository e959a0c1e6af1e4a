"""The JSON of the label figures as rows of tables and charts, and in one sentence."""

from collections.abc import Mapping, Sequence
from typing import Final

from cbt_core.analysis.labels import LabelResults
from cbt_core.stats.labels.reasons import translated
from pages.ui.results.verdicts import RELIABLE, TENTATIVE, Body, Figure, figure
from pages.ui.words import language, t

Row = dict[str, object]
SET_FIGURES: Final = ("alpha_masi", "alpha_jaccard")
SPAN_FIGURES: Final = ("char_alpha", "char_f1_pooled", "char_f1")
DETECTION: Final = ("accuracy", "precision", "recall", "specificity", "f1", "kappa")
SHIFTS: Final = (
    "effect", "similarity_before", "similarity_after", "alpha_before", "alpha_after",
    "alpha_difference", "blind_dropped", "machine_adopted",
)  # fmt: skip
ANSWERS: Final = ("confirmed", "changed", "rejected")


def part(body: Body, *keys: str) -> Body:
    """Return what stands under the keys; empty where nothing does."""
    found: object = body
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def names(found: LabelResults, words: str) -> dict[str, str]:
    """Return the labels' names by id."""
    return {label.id: label.name(words) for label in found.scheme.labels}


def row(one: Figure, **words: object) -> Row:
    """Return a figure as a line of a table; an undefined one has its reason."""
    why = translated(one.reason, language()) if one.reason else ""
    return {**words, "value": one.value, "low": one.low, "high": one.high, "why": why}


def set_rows(agreement: Body) -> list[Row]:
    """Return alpha of whole sets, and of characters where spans were marked."""
    spans = part(agreement, "spans")
    return [
        *(row(figure(agreement, key), name=t(f"label_results.{key}")) for key in SET_FIGURES),
        *(row(figure(spans, key), name=t(f"label_results.{key}")) for key in SPAN_FIGURES),
    ]


def span_pairs(agreement: Body) -> tuple[int, int]:
    """Return how many pairs of annotators share items with spans, and the fewest items shared."""
    pairs = _listed(part(agreement, "spans").get("char_f1_pairs"))
    return len(pairs), min((_whole(one.get("n")) for one in pairs), default=0)


def label_rows(agreement: Body, labels: Mapping[str, str]) -> list[Row]:
    """Return the figures of "any" and of every label; value, low, high are those of alpha."""
    bodies = {t("label_results.any"): part(agreement, "any")}
    bodies |= {name: part(agreement, "labels", key) for key, name in labels.items()}
    return [
        {
            **row(figure(body, "alpha_nominal"), name=name),
            "prevalence": body.get("prevalence"),
            "percent": figure(body, "percent_agreement").value,
            "ac1": figure(body, "ac1").value,
        }
        for name, body in bodies.items()
    ]


def prevalence_rows(agreement: Body, labels: Mapping[str, str]) -> list[Row]:
    """Return how often "any" (`whole`) and every label is given, with the interval."""
    bodies = [(t("label_results.any"), part(agreement, "any"), True)]
    bodies += [(name, part(agreement, "labels", key), False) for key, name in labels.items()]
    return [
        {"name": name, "value": body.get("prevalence"), "low": body.get("prevalence_low"),
         "high": body.get("prevalence_high"), "whole": whole}
        for name, body, whole in bodies
    ]  # fmt: skip


def kappa_rows(agreement: Body, pair: tuple[str, str], labels: Mapping[str, str]) -> list[Row]:
    """Return kappa of one pair of annotators, label by label."""
    bodies = {t("label_results.any"): part(agreement, "any")}
    bodies |= {name: part(agreement, "labels", key) for key, name in labels.items()}
    return [
        {"name": name, "value": one["kappa"], "low": one["low"], "high": one["high"],
         "why": translated(str(one["reason"]), language()) if one["reason"] else ""}
        for name, body in bodies.items()
        for one in _listed(body.get("kappa_pairs")) if (one["a"], one["b"]) == pair
    ]  # fmt: skip


def detection_rows(found: Body) -> list[Row]:
    """Return our figures of "any distortion" with the paper's beside them."""
    binary, paper = part(found, "binary"), part(found, "paper", "binary")
    reasons = part(binary, "reasons")
    return [
        {
            "name": t(f"label_results.{key}"), "value": binary.get(key),
            "low": part(binary, "intervals", key).get("low"),
            "high": part(binary, "intervals", key).get("high"),
            "paper": paper.get(key),
            "why": translated(str(reasons[key]), language()) if key in reasons else "",
        }
        for key in DETECTION
    ]  # fmt: skip


def detected_label_rows(found: Body, labels: Mapping[str, str]) -> list[Row]:
    """Return counts and figures of every label."""
    rows = []
    for key, name in labels.items():
        body = part(found, "per_label", key)
        cells = {cell: _whole(body.get(cell)) for cell in ("tp", "fp", "fn")}
        rows.append({
            "name": name, "gold": cells["tp"] + cells["fn"], "machine": cells["tp"] + cells["fp"],
            **{one: body.get(one) for one in ("precision", "recall", "f1", "kappa")},
        })
    return rows


def average_rows(found: Body) -> list[Row]:
    """Return the figures over all labels together."""
    return [
        {"name": t(f"label_results.{key}"),
         **{one: part(found, key).get(one) for one in ("precision", "recall", "f1")}}
        for key in ("micro", "macro", "macro_supported")
    ]


def shift_rows(anchoring: Body) -> list[Row]:
    """Return what changed between the rounds, with intervals."""
    told = []
    for key in SHIFTS:
        side = key.removeprefix("alpha_") if key.startswith("alpha_") else ""
        found = (
            figure(part(anchoring, "alpha_masi"), side) if side else figure(anchoring, key)
        )
        told.append(row(found, name=t(f"label_results.{key}")))
    return told


def adoption_rows(anchoring: Body, labels: Mapping[str, str]) -> list[Row]:
    """Return what was made of the proposals of every label that was proposed or given."""
    keys = ("answered", *ANSWERS, "confirmed_rate", "rejected_rate", "blind", "dropped", "added")
    rows = [
        {"name": name, **{key: part(anchoring, "labels", label).get(key) for key in keys}}
        for label, name in labels.items()
    ]
    return [one for one in rows if one["answered"] or one["blind"] or one["added"]]


def sets_reading(agreement: Body) -> str:
    """Return one sentence on alpha over label sets."""
    alpha = figure(agreement, "alpha_masi")
    if alpha.value is None:
        reason = translated(alpha.reason, language())
        return t("label_results.read_nothing", reason=reason)
    look = "weak"
    if alpha.value >= TENTATIVE:
        look = "reliable" if alpha.value >= RELIABLE else "tentative"
    return t(f"label_results.read_{look}", alpha=f"{alpha.value:.2f}")


def effect_reading(anchoring: Body) -> str:
    """Return one sentence on the anchoring effect; an interval that holds 0 decides nothing."""
    effect = figure(anchoring, "effect")
    if effect.value is None:
        reason = translated(effect.reason, language())
        return t("label_results.read_effect_undefined", reason=reason)
    look = "none"
    if effect.low is not None and effect.high is not None:
        look = "up" if effect.low > 0 else "down" if effect.high < 0 else "none"
    return t(f"label_results.read_effect_{look}", effect=f"{effect.value:+.2f}")


def _listed(found: object) -> Sequence[Mapping[str, object]]:
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _whole(found: object) -> int:
    return found if isinstance(found, int) else 0
