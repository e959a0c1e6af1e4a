"""The whole analysis of a study, as far as its stage allows: what the report and its pages show.

Before the lock only what no system's score can be read from; from the lock on, by system under
masked names, the first of them as the reference; true names, the protocol's baseline and the
blinding indices only once the study is unblinded.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256

from cbt_core.domain.people import Person
from cbt_core.domain.study import Role, Stage
from cbt_core.errors import Refused
from cbt_core.files.protocol import parse_protocol
from cbt_core.services import study_analysis_inputs as inputs
from cbt_core.services import study_analysis_parts as parts
from cbt_core.services.registration import Registered, registered
from cbt_core.services.studies import current, led_by
from cbt_core.services.study_analysis_facts import read
from cbt_core.services.study_analysis_flow import Flow, flow
from cbt_core.services.study_analysis_plan import epsilon, planned
from cbt_core.services.study_analysis_work import AFTER_LOCK, Work, work_of
from cbt_core.stats.agreement import agreement
from cbt_core.stats.bradley_terry import BradleyTerry, bradley_terry
from cbt_core.stats.comparison import compare
from cbt_core.stats.guesses import StudyBlinding
from cbt_core.stats.missingness import Bounds, Missing, tally
from cbt_core.stats.ratings import POOLED
from cbt_core.stats.reasons import Reason
from cbt_core.stats.retest import RetestOfScale
from cbt_core.stats.safety import Safety
from cbt_core.stats.sensitivity import Sensitivity, sensitivity
from db import plans, studies
from db.engine import Database

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Analysis:
    """Every section of a study's analysis; a section that may not be shown yet is None.

    `withheld` says why, by section. `agreement` and `comparison` are the JSON of CONTRACT.
    `reference` is what systems are compared with: the baseline once unblinded, the first masked
    name before (which tells nothing of which system it is). `planned`: section to whether the plan
    names it, the rest is exploratory. `metrics`, `judges` are None when nothing is stored.
    """

    slug: str
    title: str
    stage: str
    language: str
    masked: bool
    systems: tuple[str, ...]
    reference: str | None
    primary: tuple[str, str] | None
    scales: tuple[str, ...]
    nominal: frozenset[str]
    flow: Flow
    agreement: Json
    comparison: Json | None
    bradley_terry: BradleyTerry | None
    position: parts.Position
    length: Mapping[str, parts.Length] | None
    retest: Mapping[str, RetestOfScale]
    blinding: StudyBlinding | None
    safety: Mapping[str, Safety] | None
    missingness: tuple[Missing, ...]
    missing_bounds: tuple[Bounds, ...] | None
    sensitivity: Sensitivity
    metrics: parts.Metrics | None
    judges: tuple[parts.JudgeResult, ...] | None
    planned: Mapping[str, bool]
    plan: tuple[str, ...]
    registered: Registered
    withheld: Mapping[str, str]
    signature: str

    def json(self) -> Json:
        """Return everything as plain values that JSON can hold."""
        found = asdict(self)
        found["nominal"] = sorted(self.nominal)
        return found


def analyse(
    database: Database, person: Person, *, slug: str, now: datetime, bootstrap: int | None = None
) -> Analysis:
    """Return the analysis of a study, for its lead.

    `bootstrap` is the number of replicates; the protocol's when left out, 0 for no intervals.

    Raises:
        Refused: not the person's study, or the person rates in it and it is not locked yet.
        StudyError: nothing has been rated.
    """
    study = led_by(database, person, slug, act="analyse", now=now)
    with database.reading() as connection:
        setup = current(connection, study.id)
        is_open = setup.study.stage not in AFTER_LOCK
        rated = person.id in plans.with_tasks(connection, study.id, "rate")
        if is_open and (person.has(Role.RATER, study.id) or rated):
            raise Refused("exporting.no_results_for_raters")
        facts = read(connection, setup)
        fixed = registered(connection, study.id)
        plan = parse_protocol(
            studies.protocol_text(connection, study.id, fixed.plan_digest)
        ).protocol
    return _analysis(work_of(facts, plan, bootstrap), fixed)


def _analysis(work: Work, fixed: Registered) -> Analysis:
    study, told = work.facts.setup.study, _agreement(work)
    return Analysis(
        slug=study.slug, title=study.title, stage=study.stage, language=study.language,
        masked=study.stage != Stage.UNBLINDED,
        systems=() if work.open else work.ratings.systems,
        reference=work.reference, primary=work.primary,
        scales=tuple(work.values), nominal=work.nominal,
        flow=flow(work.facts),
        agreement=told,
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
        signature=_signature(work, str(told["signature"])),
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


def _metrics(work: Work) -> parts.Metrics | None:
    if work.open:
        return None
    return parts.metrics(work.facts, work.ratings, work.ordered, work.how)


def _judges(work: Work) -> tuple[parts.JudgeResult, ...] | None:
    if work.open:
        return None
    declared = epsilon(work.plan.analysis)
    return parts.judges(work.facts, work.ratings, work.nominal, epsilon=declared, how=work.how)


def _agreement(work: Work) -> Json:
    found = agreement(
        work.ratings, values=work.values, nominal=work.nominal,
        bootstrap=work.how.replicates, seed=work.how.seed,
    )
    scales = found["scales"]
    if not work.open or not isinstance(scales, dict):
        return found
    return {**found, "scales": {one: {POOLED: strata[POOLED]} for one, strata in scales.items()}}


def _comparison(work: Work) -> Json | None:
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

    `cbt_core.stats.reasons.translated` gives the Chinese words.
    """
    late = (
        "comparison", "bradley_terry", "length", "safety", "missing_bounds", "metrics", "judges",
    )
    found = dict.fromkeys(late, Reason.NOT_YET_LOCKED.text) if closed else {}
    return found if unblinded else {**found, "blinding": Reason.NOT_UNBLINDED.text}


def _signature(work: Work, of_ratings: str) -> str:
    """Return the agreement's signature with the protocol and a digest of all other rows."""
    facts = work.facts
    rows = (
        sorted(facts.preferences.items()),
        sorted((flag.submission_id, flag.slot, flag.severity, flag.kind)
               for flags in facts.flags.values() for flag in flags),
        [(g.task_id, g.choice) for g in facts.guesses],
        [(m.answer_id, m.metric, m.signature, m.value) for m in facts.metrics],
        [(j.answer_id, j.judge, j.scale, j.value) for j in facts.judges],
        sorted(facts.characters.items()),
        [(line.task_id, line.revision, line.outcome, line.state) for line in facts.material.lines],
    )
    rest = sha256(repr(rows).encode()).hexdigest()
    return f"{of_ratings}|protocol:#{facts.setup.digests.protocol[:8]}|more:#{rest[:8]}"
