"""The whole analysis of a study, as far as its stage allows: what the report and its pages show.

Before the lock only what no system's score can be read from; from the lock on, by system under
masked names, the first of them as the reference; true names, the protocol's baseline and the
blinding indices only once the study is unblinded. Which analyses were planned is told from the
protocol that stood at the first rating.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Final

from cbt_core.analysis import machine, parts
from cbt_core.analysis import parts as inputs
from cbt_core.analysis.parts import Flow, flow
from cbt_core.analysis.rows import Facts, rating_sets
from cbt_core.domain.protocol import Analysis as Plan
from cbt_core.domain.protocol import Protocol
from cbt_core.domain.study import Stage
from cbt_core.errors import StudyError
from cbt_core.stats.agreement.figures import agreement
from cbt_core.stats.agreement.raters import RetestOfScale
from cbt_core.stats.agreement.results import Agreement
from cbt_core.stats.bias.blinding import StudyBlinding
from cbt_core.stats.bias.missingness import Bounds, Missing, tally
from cbt_core.stats.comparison.bradley_terry import BradleyTerry, bradley_terry
from cbt_core.stats.comparison.contrasts import Comparison, compare
from cbt_core.stats.comparison.safety import Safety
from cbt_core.stats.comparison.sensitivity import Sensitivity, sensitivity
from cbt_core.stats.ratings import Ratings
from cbt_core.stats.resampling import Bootstrap
from cbt_core.stats.values import Reason


@dataclass(frozen=True, slots=True)
class Amendment:
    """A protocol version after the first: when and why, and which parts changed.

    `after_first_rating`: a deviation from the plan that stood when the first score came in.
    """

    version: int
    at: str
    actor: str
    reason: str
    changed: tuple[str, ...]
    after_first_rating: bool


@dataclass(frozen=True, slots=True)
class Registered:
    """How the plan stands to the data.

    `digest`, `at`: the protocol in force and when it was stored; `before`: that was before the
    first rating (or there is none yet). `intact`: its stored text still has this digest.
    `plan_digest`, `plan_version`: the protocol that was in force at the first rating, from which
    planned and exploratory are told apart. `declared_at`, `declared_digest`: when
    `study register` froze the plan, and which; None when it did not.
    """

    digest: str
    at: str
    first_rating_at: str | None
    before: bool
    intact: bool
    plan_digest: str
    plan_version: int
    declared_at: str | None
    declared_digest: str | None
    amendments: tuple[Amendment, ...]

    @property
    def deviations(self) -> tuple[Amendment, ...]:
        """Return the amendments after the first rating."""
        return tuple(one for one in self.amendments if one.after_first_rating)


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
    named = {name: any(word in entries for word in words) for name, words in SECTIONS.items()}
    named["comparison"] |= bool(plan.primary_scale and plan.primary_system)
    return named


def epsilon(plan: Plan) -> tuple[float, bool]:
    """Return the epsilon that an entry like ``judge: epsilon = .15`` declares, and if one does."""
    for entry in plan.planned:
        declared = _EPSILON.search(entry)
        if declared:
            return float(declared.group(1)), True
    return EPSILON, False


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
        return not self.facts.setup.study.stage.is_closed

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
            baseline = self.facts.baseline
            return baseline if baseline in self.ratings.systems else self.ratings.systems[0]
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
        raise StudyError("export.nothing_rated")
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


Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Analysis:
    """Every section of a study's analysis; a section that may not be shown yet is None.

    `withheld` says why, by section.
    `reference` is what systems are compared with: the baseline once unblinded, the first masked
    name before (which tells nothing of which system it is). `planned`: section to whether the plan
    names it, the rest is exploratory. `metrics`, `judges` are None when nothing is stored.
    """

    slug: str
    title: str
    stage: Stage
    language: str
    masked: bool
    systems: tuple[str, ...]
    reference: str | None
    primary: tuple[str, str] | None
    scales: tuple[str, ...]
    nominal: frozenset[str]
    flow: Flow
    agreement: Agreement
    comparison: Comparison | None
    bradley_terry: BradleyTerry | None
    position: parts.Position
    length: Mapping[str, parts.Length] | None
    retest: Mapping[str, RetestOfScale]
    blinding: StudyBlinding | None
    safety: Mapping[str, Safety] | None
    missingness: tuple[Missing, ...]
    missing_bounds: tuple[Bounds, ...] | None
    sensitivity: Sensitivity
    metrics: machine.Metrics | None
    judges: tuple[machine.JudgeResult, ...] | None
    planned: Mapping[str, bool]
    plan: tuple[str, ...]
    registered: Registered
    withheld: Mapping[str, str]
    signature: str

    def json(self) -> Json:
        """Return everything as plain values that JSON can hold."""
        fields = asdict(self)
        fields["nominal"] = sorted(self.nominal)
        fields["agreement"] = self.agreement.json()
        fields["comparison"] = self.comparison.json() if self.comparison else None
        return fields


def analysis_of(work: Work, fixed: Registered) -> Analysis:
    """Return the whole analysis of a study from its rows, read once."""
    study, agreed = work.facts.setup.study, _agreement(work)
    return Analysis(
        slug=study.slug, title=study.title, stage=study.stage, language=study.language,
        masked=study.stage != Stage.UNBLINDED,
        systems=() if work.open else work.ratings.systems,
        reference=work.reference, primary=work.primary,
        scales=tuple(work.values), nominal=work.nominal,
        flow=flow(work.facts),
        agreement=agreed,
        comparison=_comparison(work),
        bradley_terry=_bradley_terry(work),
        position=parts.position(work.facts, work.ordered, work.how),
        length=_length(work),
        retest=parts.retests(work.facts, tuple(work.values), work.nominal, work.how),
        blinding=_blinding(work),
        safety=_safety(work),
        missingness=tally(inputs.asked_cells(work.facts, by_system=not work.open)),
        missing_bounds=_missing_bounds(work),
        sensitivity=_sensitivity(work),
        metrics=_metrics(work),
        judges=_judges(work),
        planned=planned(work.plan.analysis),
        plan=work.plan.analysis.planned,
        registered=fixed,
        withheld=_withheld(work.open, study.stage == Stage.UNBLINDED),
        signature=_signature(work, agreed.signature),
    )


def _length(work: Work) -> dict[str, parts.Length] | None:
    if work.open:
        return None
    return parts.length(work.facts, work.ratings, work.ordered, work.reference or "", work.how)


def _blinding(work: Work) -> StudyBlinding | None:
    """Return the blinding once names are known: whether a guess is right tells them."""
    if work.facts.setup.study.stage != Stage.UNBLINDED:
        return None
    return parts.blinding(work.facts, work.how)


def _safety(work: Work) -> dict[str, Safety] | None:
    return None if work.open else parts.safeties(work.facts, work.reference, work.how)


def _missing_bounds(work: Work) -> tuple[Bounds, ...] | None:
    if work.reference is None:
        return None
    return parts.missing_bounds(work.facts, work.ordered, work.reference)


def _sensitivity(work: Work) -> Sensitivity:
    return sensitivity(
        work.sets, main="analysis", values=work.values, nominal=work.nominal,
        reference=work.reference, how=work.how,
    )


def _metrics(work: Work) -> machine.Metrics | None:
    if work.open:
        return None
    return machine.metrics(work.facts, work.ratings, work.ordered, work.how)


def _judges(work: Work) -> tuple[machine.JudgeResult, ...] | None:
    if work.open:
        return None
    declared = epsilon(work.plan.analysis)
    return machine.judges(work.facts, work.ratings, work.nominal, epsilon=declared, how=work.how)


def _agreement(work: Work) -> Agreement:
    agreed = agreement(
        work.ratings, values=work.values, nominal=work.nominal,
        bootstrap=work.how.replicates, seed=work.how.seed,
    )
    return agreed.only_pooled() if work.open else agreed


def _comparison(work: Work) -> Comparison | None:
    if work.reference is None or not work.ordered:
        return None
    return compare(
        work.ratings, baseline=work.reference,
        values={scale: work.values[scale] for scale in work.ordered},
        bootstrap=work.how.replicates, seed=work.how.seed, primary=work.primary,
    )


def _bradley_terry(work: Work) -> BradleyTerry | None:
    if work.reference is None:
        return None
    return bradley_terry(inputs.choices(work.facts), reference=work.reference, how=work.how)


def _withheld(closed: bool, unblinded: bool) -> dict[str, str]:
    """Return why sections are None, by section, in English as all reasons are.

    `cbt_core.stats.values.translated` gives the Chinese words.
    """
    late = (
        "comparison", "bradley_terry", "length", "safety", "missing_bounds", "metrics", "judges",
    )
    reasons = dict.fromkeys(late, Reason.NOT_YET_LOCKED.text) if closed else {}
    return reasons if unblinded else {**reasons, "blinding": Reason.NOT_UNBLINDED.text}


def _signature(work: Work, of_ratings: str) -> str:
    """Return the agreement's signature with the protocol and a digest of all other rows."""
    facts = work.facts
    rows = (
        sorted(facts.preferences.items()),
        sorted((key, flag.slot, flag.severity, flag.kind)
               for key, flags in facts.flags.items() for flag in flags),
        [(g.task_id, g.choice) for g in facts.guesses],
        [(m.answer_id, m.metric, m.signature, m.value) for m in facts.metrics],
        [(j.answer_id, j.judge, j.scale, j.value) for j in facts.judges],
        sorted(facts.characters.items()),
        [(line.task_id, line.revision, line.outcome, line.state) for line in facts.material.lines],
    )
    rest = sha256(repr(rows).encode()).hexdigest()
    return f"{of_ratings}|protocol:#{facts.setup.digests.protocol[:8]}|more:#{rest[:8]}"
