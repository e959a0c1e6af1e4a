"""The flow of a study: how many items, raters and tasks there were, what was left out, and why."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cbt_core.services.study_analysis_facts import Facts

WITHDRAWN = "withdrawn: "
"""How the reason of a withdrawn item begins among the exclusions."""


@dataclass(frozen=True, slots=True)
class ItemFlow:
    """Main items: imported, then withdrawn, excluded (key to reason), assigned, rated, analysed.

    `rated` counts items with at least one scored task, `analysed` those left in the analysis set.
    `chances` are the known probabilities of inclusion, ascending, each with its number of items.
    """

    imported: int
    withdrawn: Mapping[str, str]
    excluded: Mapping[str, str]
    assigned: int
    rated: int
    analysed: int
    chances: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class RaterFlow:
    """Raters: joined the study, assigned tasks, consented, began, finished, left, excluded.

    `finished`: confirmed the scores as final. `left`: codes whose role ended; `excluded`: code to
    reason; `analysed`: with at least one row in the analysis set.
    """

    joined: int
    assigned: int
    consented: int
    began: int
    finished: int
    left: tuple[str, ...]
    excluded: Mapping[str, str]
    analysed: int


@dataclass(frozen=True, slots=True)
class TaskFlow:
    """Main tasks by what became of them; `skipped` by reason.

    `excluded` were scored, but stand outside the analysis set. `other` counts tasks of other kinds
    (repeat, check, calibration) that were done. `corrected`: saved more than once.
    """

    assigned: int
    scored: int
    skipped: Mapping[str, int]
    not_done: int
    released: int
    withdrawn: int
    excluded: int
    analysed: int
    corrected: int
    other: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Flow:
    """Items, raters and tasks from import to analysis; `scores` missing by reason stand apart."""

    items: ItemFlow
    raters: RaterFlow
    tasks: TaskFlow


def flow(facts: Facts) -> Flow:
    """Return the flow of a study."""
    return Flow(_items(facts), _raters(facts), _tasks(facts))


def _items(facts: Facts) -> ItemFlow:
    main = [line for line in facts.items if line.kind == "main"]
    keys = {line.key for line in main}
    reasons = facts.material.excluded_items
    lines = [line for line in facts.material.lines if line.kind == "main"]
    return ItemFlow(
        imported=len(main),
        withdrawn={line.key: line.withdrawn_reason for line in main if line.withdrawn_at},
        excluded={
            key: reason for key, reason in sorted(reasons.items())
            if key in keys and not reason.startswith(WITHDRAWN)
        },
        assigned=len({line.item for line in lines}),
        rated=len({line.item for line in lines if line.outcome == "scored"}),
        analysed=len({line.item for line in facts.analysed()}),
        chances=tuple(sorted(Counter(
            line.inclusion_probability for line in main if line.inclusion_probability is not None
        ).items())),
    )


def _raters(facts: Facts) -> RaterFlow:
    members = [one for one in facts.members if one.role == "rater"]
    seats = [one for one in facts.seats if one.work == "rate"]
    lines = [line for line in facts.material.lines if line.kind == "main"]
    return RaterFlow(
        joined=len(members),
        assigned=len({line.rater for line in lines}),
        consented=sum(one.consent_at is not None for one in seats),
        began=len({line.rater for line in lines if line.submission_id is not None}),
        finished=sum(one.final_at is not None for one in seats),
        left=tuple(one.code for one in members if one.left_at),
        excluded=dict(sorted(facts.material.excluded_raters.items())),
        analysed=len({line.rater for line in facts.analysed()}),
    )


def _tasks(facts: Facts) -> TaskFlow:
    main = [line for line in facts.material.lines if line.kind == "main"]
    scored = [line for line in main if line.outcome == "scored"]
    states = Counter(line.state for line in main if line.submission_id is None)
    return TaskFlow(
        assigned=len(main),
        scored=len(scored),
        skipped=_counted(str(line.skip_reason) for line in main if line.outcome == "skipped"),
        not_done=states["waiting"] + states["opened"],
        released=states["released"],
        withdrawn=states["withdrawn"],
        excluded=len(scored) - len(facts.analysed()),
        analysed=len(facts.analysed()),
        corrected=sum((line.revision or 0) > 1 for line in main),
        other=_counted(
            line.kind for line in facts.material.lines
            if line.kind != "main" and line.submission_id is not None
        ),
    )


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))
