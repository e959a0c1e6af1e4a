"""What the sections of an analysis are computed from: sets of ratings, plan, what may be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cbt_core.domain.protocol import Protocol
from cbt_core.domain.study import Stage
from cbt_core.errors import StudyError
from cbt_core.services.study_analysis_facts import Facts, rating_sets
from cbt_core.stats.clustered import Bootstrap
from cbt_core.stats.ratings import Ratings

AFTER_LOCK: Final = (Stage.LOCKED, Stage.UNBLINDED)


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """Rows and sets of a study; `plan` is the protocol in force at the first rating.

    `values`: every value of the scales that were rated; `nominal`: those whose values are names.
    """

    facts: Facts
    sets: Mapping[str, Ratings]
    values: Mapping[str, tuple[float, ...]]
    nominal: frozenset[str]
    plan: Protocol
    how: Bootstrap

    @property
    def open(self) -> bool:
        """Tell whether the study is not locked yet, so that no system may be told apart."""
        return self.facts.setup.study.stage not in AFTER_LOCK

    @property
    def ratings(self) -> Ratings:
        """Return the analysis set."""
        return self.sets["analysis"]

    @property
    def ordered(self) -> list[str]:
        """Return the scales that are not nominal."""
        return [scale for scale in self.values if scale not in self.nominal]

    @property
    def reference(self) -> str | None:
        """Return what systems are compared with; None while they may not be told apart."""
        if self.open or len(self.ratings.systems) < 2:
            return None
        if self.facts.setup.study.stage == Stage.UNBLINDED:
            told = self.facts.baseline
            return told if told in self.ratings.systems else self.ratings.systems[0]
        return min(self.ratings.systems, key=lambda name: (len(name), name))

    @property
    def primary(self) -> tuple[str, str] | None:
        """Return the primary comparison (scale, system) where names may be known."""
        plan = self.plan.analysis
        wanted = (plan.primary_scale, self.facts.primary_system or "")
        known = wanted[0] in self.ordered and wanted[1] in self.ratings.systems
        return wanted if known and wanted[1] != self.reference else None


def work_of(facts: Facts, plan: Protocol, bootstrap: int | None) -> Work:
    """Return what the sections of a study are computed from.

    Raises:
        StudyError: nothing has been rated.
    """
    sets, setup = rating_sets(facts), facts.setup
    rated = sets["analysis"]
    if not rated.rows:
        raise StudyError("exporting.nothing_rated")
    replicates = setup.protocol.analysis.bootstrap if bootstrap is None else bootstrap
    return Work(
        facts=facts,
        sets=sets,
        values={
            scale.id: tuple(float(choice.value) for choice in scale.values)
            for scale in setup.instrument.scales
            if scale.id in rated.values
        },
        nominal=frozenset(
            scale.id for scale in setup.instrument.scales
            if scale.measure == "nominal" and scale.id in rated.values
        ),
        plan=plan,
        how=Bootstrap(replicates, setup.protocol.design.seed),
    )
