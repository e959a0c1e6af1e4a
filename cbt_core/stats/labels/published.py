"""What the CBT-LLM paper reports about its machine labels, and what follows from that.

Source: H. Na, CBT-LLM (LREC-COLING 2024, arXiv 2403.16008), Tables 1 and 3. A figure that the paper
does not give is None; none is filled in.
"""

from typing import Final

from cbt_core.stats.labels.reasons import Reason

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
    """Return the paper's figures as they stand beside ours."""
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
