"""What agreement figures say, in one sentence, for people who do not live with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cbt_core.stats.values import Value, translated
from pages.ui.words import language, t

RELIABLE: Final = 0.8
TENTATIVE: Final = 0.667
"""Krippendorff's customary limits for alpha (Content Analysis, 2004, p. 241)."""

BANDS: Final = ((0.0, "poor"), (0.2, "slight"), (0.4, "fair"), (0.6, "moderate"),
                (0.8, "substantial"))  # fmt: skip
"""Upper limits of J. R. Landis and G. G. Koch's words for kappa (Biometrics 33 (1977) 159)."""

MUCH: Final = 0.8
"""Raw agreement from which a low alpha points to skewed scores, not to disagreement."""

Body = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % limits; without a value there is a reason."""

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
        return self._list("pairs")

    @property
    def raters(self) -> Sequence[Body]:
        """Return the raters."""
        return self._list("raters")

    def _list(self, key: str) -> Sequence[Body]:
        found = self.body.get(key)
        return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def figure(body: Body, key: str) -> Figure:
    """Return a figure by its key."""
    found = body.get(key)
    if not isinstance(found, Mapping):
        return Figure(number(found), None, None, "")
    value, low, high = (number(found.get(part)) for part in ("value", "low", "high"))
    return Figure(value, low, high, str(found.get("reason") or ""))


def of_value(found: Value) -> Figure:
    """Return a value of the analysis as a figure."""
    return Figure(found.value, found.low, found.high, found.reason or "")


def reading(stats: Stats, *, nominal: bool = False) -> str:
    """Return one sentence on what the pooled figures of a scale say, by which benchmark."""
    percent = figure(stats.body, "percent_agreement")
    alpha = figure(stats.body, "alpha_nominal" if nominal else "alpha_ordinal")
    if alpha.value is None:
        reason = translated(alpha.reason, language())
        if percent.value is None:
            return t("results.read_nothing", reason=reason)
        return t("results.read_undefined", percent=f"{percent.value:.0%}", reason=reason)
    gwet = figure(stats.body, "ac1" if nominal else "ac2_quadratic").value
    values = {
        "alpha": f"{alpha.value:.2f}", "percent": f"{percent.value or 0:.0%}",
        "ac": "AC1" if nominal else "AC2", "gwet": "—" if gwet is None else f"{gwet:.2f}",
        "band": t(f"results.band_{band(alpha.value)}"),
    }
    return t(f"results.read_{_verdict(alpha.value, percent.value or 0.0)}", **values)


def _verdict(alpha: float, percent: float) -> str:
    if alpha < TENTATIVE and percent >= MUCH:
        return "paradox"
    if alpha >= RELIABLE:
        return "reliable"
    return "tentative" if alpha >= TENTATIVE else "weak"


def band(value: float) -> str:
    """Return Landis and Koch's word for a coefficient."""
    for limit, name in BANDS:
        if value < limit or (value == limit and limit > 0):
            return name
    return "almost_perfect"


def number(found: object) -> float | None:
    """Return a number of a JSON body; None where there is none."""
    return float(found) if isinstance(found, int | float) else None


def _count(body: Body, key: str) -> int:
    found = body.get(key)
    return found if isinstance(found, int) else 0
