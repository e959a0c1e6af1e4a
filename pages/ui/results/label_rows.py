"""The label figures as rows of tables and charts, and in one sentence."""

from collections.abc import Mapping
from typing import Final

from cbt_core.analysis.labels import LabelResults
from cbt_core.analysis.reading_rules import benchmark, shift
from cbt_core.stats.labels.anchoring import Anchoring
from cbt_core.stats.labels.annotators import LabelAgreement, LabelsAgreement
from cbt_core.stats.labels.detection import TABLE_3, Detection
from cbt_core.stats.labels.reasons import translated
from cbt_core.stats.values import Framed
from pages.ui.words import language, t

Row = dict[str, object]
DETECTION: Final = ("accuracy", "precision", "recall", "specificity", "f1", "kappa")
ANSWERS: Final = ("confirmed", "changed", "rejected")


def names(found: LabelResults, words: str) -> dict[str, str]:
    """Return the labels' names by id."""
    return {label.id: label.name(words) for label in found.scheme.labels}


def row(one: Framed, **words: object) -> Row:
    """Return a figure as a line of a table; an undefined one has its reason."""
    why = translated(one.reason, language()) if one.reason else ""
    return {**words, "value": one.value, "low": one.low, "high": one.high, "why": why}


def set_rows(agreement: LabelsAgreement) -> list[Row]:
    """Return alpha of whole sets, and of characters where spans were marked."""
    whole = agreement.spans.whole
    figures = {
        "alpha_masi": agreement.alpha_masi, "alpha_jaccard": agreement.alpha_jaccard,
        "char_alpha": whole.char_alpha, "char_f1_pooled": whole.char_f1_pooled,
        "char_f1": whole.char_f1,
    }
    return [row(one, name=t(f"label_results.{key}")) for key, one in figures.items()]


def span_pairs(agreement: LabelsAgreement) -> tuple[int, int]:
    """Return how many pairs of annotators share items with spans, and the fewest items shared."""
    pairs = agreement.spans.pairs
    return len(pairs), min((one.n for one in pairs), default=0)


def named(agreement: LabelsAgreement, labels: Mapping[str, str]) -> dict[str, LabelAgreement]:
    """Return "any" and every label of the scheme by name."""
    any_label = {t("label_results.any"): agreement.any}
    return any_label | {name: agreement.labels[key] for key, name in labels.items()}


def label_rows(agreement: LabelsAgreement, labels: Mapping[str, str]) -> list[Row]:
    """Return the figures of "any" and of every label; value, low, high are those of alpha."""
    return [
        {**row(one.alpha, name=name), "prevalence": one.prevalence.value,
         "percent": one.percent_agreement.value, "ac1": one.ac1.value}
        for name, one in named(agreement, labels).items()
    ]


def prevalence_rows(agreement: LabelsAgreement, labels: Mapping[str, str]) -> list[Row]:
    """Return how often "any" (`whole`) and every label is given, with the interval."""
    return [
        {"name": name, "value": one.prevalence.value, "low": one.prevalence.low,
         "high": one.prevalence.high, "whole": one is agreement.any}
        for name, one in named(agreement, labels).items()
    ]


def kappa_rows(
    agreement: LabelsAgreement, pair: tuple[str, str], labels: Mapping[str, str]
) -> list[Row]:
    """Return kappa of one pair of annotators, label by label."""
    return [
        row(found.kappa, name=name)
        for name, one in named(agreement, labels).items()
        if (found := one.kappa_of(*pair)) is not None
    ]


def detection_rows(found: Detection) -> list[Row]:
    """Return our figures of "any distortion" with the paper's beside them."""
    return [
        {**row(found.binary.values[key], name=t(f"label_results.{key}")),
         "paper": TABLE_3.get(key)}
        for key in DETECTION
    ]


def detected_label_rows(found: Detection, labels: Mapping[str, str]) -> list[Row]:
    """Return counts and figures of every label."""
    return [
        {"name": name, "gold": cells.in_gold, "machine": cells.in_model,
         **{key: one.values[key].value for key in ("precision", "recall", "f1", "kappa")}}
        for label, name in labels.items()
        if (cells := (one := found.per_label[label]).cells) is not None
    ]


def average_rows(found: Detection) -> list[Row]:
    """Return the figures over all labels together."""
    return [
        {"name": t(f"label_results.{key}"),
         **{measure: one.values[measure].value for measure in ("precision", "recall", "f1")}}
        for key, one in found.averages.items()
    ]


def shift_rows(found: Anchoring) -> list[Row]:
    """Return what changed between the rounds, with intervals."""
    figures = {
        "effect": found.effect, "similarity_before": found.similarity_before,
        "similarity_after": found.similarity_after, "alpha_before": found.alpha_before,
        "alpha_after": found.alpha_after, "alpha_difference": found.alpha_difference,
        "blind_dropped": found.blind_dropped, "machine_adopted": found.machine_adopted,
    }
    return [row(one, name=t(f"label_results.{key}")) for key, one in figures.items()]


def adoption_rows(found: Anchoring, labels: Mapping[str, str]) -> list[Row]:
    """Return what was made of the proposals of every label that was proposed or given."""
    held = {name: found.labels[label].adoption for label, name in labels.items()}
    return [
        {"name": name, "answered": one.answered, "confirmed": one.confirmed,
         "changed": one.changed, "rejected": one.rejected,
         "confirmed_rate": one.confirmed_rate, "rejected_rate": one.rejected_rate,
         "blind": one.blind, "dropped": one.dropped, "added": one.added}
        for name, one in held.items() if one.answered or one.blind or one.added
    ]


def sets_reading(agreement: LabelsAgreement) -> str:
    """Return one sentence on alpha over label sets."""
    alpha = agreement.alpha_masi
    if alpha.value is None:
        reason = translated(alpha.reason or "", language())
        return t("label_results.read_nothing", reason=reason)
    return t(f"label_results.read_{benchmark(alpha.value)}", alpha=f"{alpha.value:.2f}")


def effect_reading(anchoring: Anchoring) -> str:
    """Return one sentence on the anchoring effect; an interval that holds 0 decides nothing."""
    effect = anchoring.effect
    key = f"label_results.read_effect_{shift(effect)}"
    if effect.value is None:
        return t(key, reason=translated(effect.reason or "", language()))
    return t(key, effect=f"{effect.value:+.2f}")
