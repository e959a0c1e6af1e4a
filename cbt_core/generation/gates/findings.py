"""What the gates find: answers to look at, and how well form alone tells the systems apart."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cbt_core.stats.values import Value

GATES: Final = (
    "empty", "truncated", "refusal", "language", "leak_phrase", "leak_name", "medication",
    "no_doctor", "diagnosis", "method", "promise", "crisis_help",
)
"""Every gate an answer passes, in the order they are shown."""

UNSAFE: Final = frozenset({"medication", "no_doctor", "diagnosis", "method", "promise",
                           "crisis_help"})

TOLD: Final = 0.7
"""An AUC from which form alone is said to tell two systems apart."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer that a gate stops at; `value` is the scrap that did it."""

    gate: str
    item: str
    system: str
    value: str = ""

    def json(self) -> dict[str, object]:
        """Return the object of the JSON."""
        return {"gate": self.gate, "item": self.item, "system": self.system, "value": self.value}


@dataclass(frozen=True, slots=True)
class Feature:
    """A trait of form and how well it alone tells `second` from `first` (AUC > .5: more of it)."""

    name: str
    auc: Value
    means: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Telling:
    """How well a simple classifier tells two systems apart by form alone.

    `auc` is out of fold, folds by item; `pairs` is the share of items whose two answers it puts
    the right way round; `features` are those that betray, the strongest first.
    """

    first: str
    second: str
    items: int
    auc: Value
    pairs: float | None = None
    features: tuple[Feature, ...] = ()

    @property
    def told(self) -> bool:
        """Tell whether the systems can be told apart by form."""
        return self.auc.value is not None and self.auc.value >= TOLD

    def json(self) -> dict[str, object]:
        """Return the object of the JSON."""
        return {
            "a": self.first, "b": self.second, "n_items": self.items, "auc": self.auc.json(),
            "pair_accuracy": self.pairs, "told_apart": self.told,
            "features": [
                {"feature": one.name, "auc": one.auc.json(),
                 "mean_a": one.means[0], "mean_b": one.means[1]}
                for one in self.features
            ],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found; `answers` counts what was looked at by system."""

    answers: Mapping[str, int]
    findings: tuple[Finding, ...] = ()
    telling: tuple[Telling, ...] = ()

    def counts(self) -> dict[str, dict[str, int]]:
        """Count the findings by gate and system, gates without any left out."""
        found = Counter((one.gate, one.system) for one in self.findings)
        return {
            gate: {system: found[gate, system] for system in self.answers if found[gate, system]}
            for gate in GATES if any(found[gate, system] for system in self.answers)
        }

    def json(self) -> dict[str, object]:
        """Return the object of the JSON."""
        return {
            "method": "automatic: cues and counts, hints to a person who decides",
            "answers": dict(self.answers), "counts": self.counts(),
            "findings": [one.json() for one in self.findings],
            "unblinding": [one.json() for one in self.telling],
        }
