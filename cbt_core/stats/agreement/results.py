"""What `agreement` returns: figures by scale and stratum, by pair of raters, by rater.

Its JSON is made at the edge, by `json()`; everybody else reads attributes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cbt_core.stats.ratings import POOLED
from cbt_core.stats.values import Value

POOLED_LABEL: Final = "includes differences between systems"

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class LeftOutRange:
    """Ordinal alpha when each rater in turn is left out; `rater` is who moves it the most."""

    low: float | None
    high: float | None
    rater: str | None
    reason: str | None = None

    def json(self) -> Json:
        """Return the object of the JSON."""
        body: Json = {"min": self.low, "max": self.high, "rater": self.rater}
        return body | ({"reason": self.reason} if self.reason else {})


@dataclass(frozen=True, slots=True)
class WithinSystems:
    """Figures whose expected disagreement is taken within each system."""

    alpha_ordinal: Value
    ac2_quadratic: Value

    def json(self) -> Json:
        """Return the object of the JSON."""
        return {
            "alpha_ordinal": self.alpha_ordinal.json(), "ac2_quadratic": self.ac2_quadratic.json(),
        }


@dataclass(frozen=True, slots=True)
class PairFigures:
    """Kappas of two raters over the `n` units they have in common, by their key."""

    a: str
    b: str
    n: int
    kappas: Mapping[str, Value]

    @property
    def kappa(self) -> Value:
        """Return Cohen's kappa."""
        return self.kappas["kappa"]

    @property
    def kappa_quadratic(self) -> Value:
        """Return kappa with quadratic weights; undefined where values are names."""
        return self.kappas["kappa_quadratic"]

    def json(self) -> Json:
        """Return the object of the JSON."""
        kappas = {key: value.json() for key, value in self.kappas.items()}
        return {"a": self.a, "b": self.b, "n": self.n, **kappas}


@dataclass(frozen=True, slots=True)
class RaterFigures:
    """One rater against the others; means, severity and drift are None on a nominal scale.

    `severity` and `drift` None: not known. Their intervals are None where values are names.
    """

    rater: str
    n: int
    mean: float | None
    severity: float | None
    drift: float | None
    seconds_median: float | None
    severity_interval: Value | None = None
    drift_interval: Value | None = None

    def json(self) -> Json:
        """Return the object of the JSON."""
        body: Json = {
            "rater": self.rater, "n": self.n, "mean": self.mean, "severity": self.severity,
            "drift": self.drift, "seconds_median": self.seconds_median,
        }
        if self.severity_interval is not None and self.drift_interval is not None:
            body["severity_interval"] = self.severity_interval.json()
            body["drift_interval"] = self.drift_interval.json()
        return body


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is to agree on in a stratum; a unit is complete with every rater's score."""

    n_items: int
    n_units: int
    n_pairable_units: int
    n_complete_units: int
    n_raters: int
    n_ratings: int

    def json(self) -> Json:
        """Return the counts as they stand in the JSON."""
        return {
            "n_items": self.n_items, "n_units": self.n_units,
            "n_pairable_units": self.n_pairable_units, "n_complete_units": self.n_complete_units,
            "n_raters": self.n_raters, "n_ratings": self.n_ratings,
        }


@dataclass(frozen=True, slots=True)
class Details:
    """What only the whole analysis of a stratum has; `within_systems` stands in the pooled one."""

    icc_1_n_ratings: int | None
    within_systems: WithinSystems | None
    left_out: LeftOutRange
    raters: tuple[RaterFigures, ...]


@dataclass(frozen=True, slots=True)
class StratumFigures:
    """The agreement on one scale, of one system or pooled; `values` are statistics by key.

    `nominal`: the values of the scale are names. `commonest`: share of the most frequent value
    among the scores that can be paired, None without any. `details` are None in the part that a
    live page shows.
    """

    name: str
    nominal: bool
    counts: Counts
    values: Mapping[str, Value]
    commonest: float | None
    pairs: tuple[PairFigures, ...]
    details: Details | None

    @property
    def percent_agreement(self) -> Value:
        """Return the share of agreeing pairs, averaged over units."""
        return self.values["percent_agreement"]

    @property
    def alpha(self) -> Value:
        """Return the alpha that is read on this scale: ordinal, nominal where values are names."""
        return self.values["alpha_nominal" if self.nominal else "alpha_ordinal"]

    @property
    def ac(self) -> Value:
        """Return Gwet's coefficient that is read beside alpha."""
        return self.values["ac1" if self.nominal else "ac2_quadratic"]

    @property
    def ac_name(self) -> str:
        """Return the name of that coefficient."""
        return "AC1" if self.nominal else "AC2"

    @property
    def raters(self) -> tuple[RaterFigures, ...]:
        """Return the raters, each against the others."""
        return self.details.raters if self.details else ()

    def json(self) -> Json:
        """Return the STATS object of the JSON."""
        body: Json = {"label": POOLED_LABEL} if self.name == POOLED else {}
        body |= self.counts.json()
        body |= {key: value.json() for key, value in self.values.items()}
        if self.details:
            body["icc_1_n_ratings"] = self.details.icc_1_n_ratings
            if self.details.within_systems:
                body["within_systems"] = self.details.within_systems.json()
            body["leave_one_rater_out"] = {"alpha_ordinal": self.details.left_out.json()}
        body["pairs"] = [pair.json() for pair in self.pairs]
        if self.details:
            body["raters"] = [rater.json() for rater in self.details.raters]
        return body


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far raters agree: by scale, then pooled and by system."""

    signature: str
    flow: Mapping[str, object]
    scales: Mapping[str, Mapping[str, StratumFigures]]

    def pooled(self, scale: str) -> StratumFigures:
        """Return the figures of a scale over all systems."""
        return self.scales[scale][POOLED]

    def told_apart(self, scale: str) -> list[StratumFigures]:
        """Return the strata in which the agreement on a scale is read: by system, else pooled.

        Pooled, a difference between systems would pass for agreement.
        """
        strata = self.scales[scale]
        return [one for name, one in strata.items() if name != POOLED] or [strata[POOLED]]

    def only_pooled(self) -> "Agreement":
        """Return it without the strata by system, as it is told while none may be told apart."""
        scales = {scale: {POOLED: strata[POOLED]} for scale, strata in self.scales.items()}
        return Agreement(self.signature, self.flow, scales)

    def json(self) -> Json:
        """Return the `agreement` JSON."""
        return {
            "signature": self.signature,
            "flow": dict(self.flow),
            "scales": {
                scale: {name: one.json() for name, one in strata.items()}
                for scale, strata in self.scales.items()
            },
        }
