"""Which analyses were planned: told from the protocol that stood at the first rating."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from cbt_core.domain.protocol import Analysis as Plan

SECTIONS: Final[Mapping[str, Sequence[str]]] = {
    "agreement": ("agreement", "alpha", "kappa", "ac1", "ac2", "icc", "一致"),
    "comparison": ("compar", "difference", "wilcoxon", "permutation", "比较", "差值", "差异"),
    "bradley_terry": ("bradley", "preference", "偏好"),
    "position": ("position", "side bias", "left slot", "位置"),
    "length": ("length", "长度", "字数"),
    "retest": ("retest", "test-retest", "repeat", "重测", "重复"),
    "blinding": ("blind", "guess", "盲"),
    "safety": ("safety", "flag", "harm", "安全"),
    "missingness": ("missing", "缺失"),
    "sensitivity": ("sensitivity", "leave-one-rater", "敏感性"),
    "metrics": ("metric", "bleu", "chrf", "meteor", "bleurt", "bertscore", "自动指标"),
    "judges": ("judge", "annotator test", "alt-test", "模型评判", "替代标注者"),
}
"""Sections of an analysis, and the words by which an entry of `planned` names them."""

EPSILON: Final = 0.15
"""The alternative annotator test's epsilon beside skilled people, when the plan names none."""

_EPSILON: Final = re.compile(r"(?:epsilon|ε)\s*[=:：]?\s*(0?\.\d+)", re.IGNORECASE)


def planned(plan: Plan) -> dict[str, bool]:
    """Return for every section whether an entry of `planned` names it; the rest is exploratory.

    A primary comparison named in the plan makes `comparison` planned.
    """
    entries = " \n".join(plan.planned).casefold()
    found = {name: any(word in entries for word in words) for name, words in SECTIONS.items()}
    found["comparison"] |= bool(plan.primary_scale and plan.primary_system)
    return found


def epsilon(plan: Plan) -> tuple[float, bool]:
    """Return the epsilon that an entry like ``judge: epsilon = .15`` declares, and if one does."""
    for entry in plan.planned:
        told = _EPSILON.search(entry)
        if told:
            return float(told.group(1)), True
    return EPSILON, False
