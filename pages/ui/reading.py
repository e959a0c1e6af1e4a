"""What agreement figures say, in one sentence, for people who do not live with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cbt_core.stats.reasons import translated
from pages.ui.wording import language, t

RELIABLE: Final = 0.8
TENTATIVE: Final = 0.667
"""Krippendorff's customary limits for alpha (Content Analysis, 2004, p. 241)."""

MUCH: Final = 0.8
"""Raw agreement from which a low alpha points to skewed scores, not to disagreement."""

Body = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the `agreement` JSON; without a value there is a reason."""

    value: float | None
    low: float | None
    high: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Stats:
    """The figures of one scale and stratum."""

    body: Body

    @staticmethod
    def of(agreement: Body, scale: str, stratum: str) -> "Stats | None":
        """Return the stratum of a scale; None when it is not there."""
        scales = agreement.get("scales")
        strata = scales.get(scale) if isinstance(scales, Mapping) else None
        found = strata.get(stratum) if isinstance(strata, Mapping) else None
        return Stats(found) if isinstance(found, Mapping) else None

    @property
    def items(self) -> int:
        """Return how many items have a score."""
        return _count(self.body, "n_items")

    @property
    def ratings(self) -> int:
        """Return how many scores there are."""
        return _count(self.body, "n_ratings")

    @property
    def pairs(self) -> Sequence[Body]:
        """Return the pairs of raters."""
        found = self.body.get("pairs")
        return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def figure(body: Body, key: str) -> Figure:
    """Return a figure by its key."""
    found = body.get(key)
    if not isinstance(found, Mapping):
        return Figure(None, None, None, "")
    value, low, high = (_number(found.get(part)) for part in ("value", "low", "high"))
    return Figure(value, low, high, str(found.get("reason") or ""))


def reading(stats: Stats) -> str:
    """Return one sentence on what the pooled figures of a scale say."""
    percent, alpha = figure(stats.body, "percent_agreement"), figure(stats.body, "alpha_ordinal")
    if alpha.value is None:
        if percent.value is None:
            return t("results.read_nothing", reason=translated(alpha.reason, language()))
        return t("results.read_undefined", percent=f"{percent.value:.0%}",
                 reason=translated(alpha.reason, language()))
    values = {"alpha": f"{alpha.value:.2f}", "percent": f"{percent.value or 0:.0%}"}
    if alpha.value < TENTATIVE and (percent.value or 0) >= MUCH:
        return t("results.read_paradox", **values)
    if alpha.value >= RELIABLE:
        return t("results.read_reliable", **values)
    if alpha.value >= TENTATIVE:
        return t("results.read_tentative", **values)
    return t("results.read_weak", **values)


def _count(body: Body, key: str) -> int:
    found = body.get(key)
    return found if isinstance(found, int) else 0


def _number(found: object) -> float | None:
    return float(found) if isinstance(found, int | float) else None
