"""What a lead does next in a study, and on which screens; said on Start and on Studies."""

from dataclasses import dataclass

from cbt_core.domain.study import Stage
from cbt_core.services.lifecycle import Status
from cbt_core.services.studies import StudyLine


@dataclass(frozen=True, slots=True)
class NextStep:
    """`words` is a key of section studies; `screens` are where it is done, the first one first."""

    words: str
    screens: tuple[str, ...]


def is_label_study(line: StudyLine) -> bool:
    """Tell whether a study has texts alone: nothing to rate, no system to unblind."""
    return line.systems == 0


def next_step(line: StudyLine, status: Status) -> NextStep:
    """Return what comes next in a study."""
    key, screens = _step(line, status)
    suffix = "_labels" if is_label_study(line) else ""
    return NextStep(f"studies.next_{key}{suffix}", screens)


def _step(line: StudyLine, status: Status) -> tuple[str, tuple[str, ...]]:
    stage = status.study.stage
    results = "label_results" if is_label_study(line) else "results"
    if stage == Stage.DRAFT:
        return "people", ("people", "design")
    if stage == Stage.OPEN:
        skipped = sum(row.skipped for row in status.raters)
        is_over = status.total and status.done + skipped >= status.total
        return ("lock", (results,)) if is_over else ("watch", ("progress",))
    if stage == Stage.LOCKED:
        return "locked", (results, "export") if is_label_study(line) else (results,)
    return "unblinded", ("export",)
