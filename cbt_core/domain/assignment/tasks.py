"""What the planner is asked for and hands back; which answers of an item are shown together.

Items, systems and raters are numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final, TypeAlias

from cbt_core.domain.study import SLOTS, Kind, Panel
from cbt_core.errors import StudyError

Systems: TypeAlias = tuple[int, ...]
"""Systems shown together. As a panel sorted upwards; as slots in the order A, B, C, D."""

CHECK_PANEL: Final[Systems] = (0, 1)
"""The panel of a quality check: 0 is its better answer, 1 its worse one."""

CHECK_SHARE: Final = 0.03
CHECKS_FROM_TASKS: Final = 10


@dataclass(frozen=True, slots=True)
class Demand:
    """What a study asks of its raters.

    `items` maps an item to the systems that answered it; `raters` are those who may get tasks;
    `repeats` is a share of a rater's main tasks (0 to 1). `checks` and `calibrations` number the
    quality checks and calibration items of the protocol, apart from the items of the study.
    """

    items: Mapping[int, Systems]
    raters: tuple[int, ...]
    panel: Panel = Panel.PAIRS
    baseline: int | None = None
    overlap: int = 3
    seed: int = 1
    repeats: float = 0.0
    repeat_gap_tasks: int = 20
    checks: tuple[int, ...] = ()
    calibrations: tuple[int, ...] = ()
    recalibrate_every: int = 0


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """One item shown to one rater, with its answers in the order drawn for them.

    `position` counts from 1 in the rater's sequence. For a repeat, `repeat_of` is the position of
    the original. A check has the panel `CHECK_PANEL`, a calibration item none: there `item` is the
    number of the check or calibration item.
    """

    rater: int
    item: int
    panel: Systems
    slots: Systems
    position: int
    kind: Kind = Kind.MAIN
    repeat_of: int | None = None
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What changes in a running study: unopened tasks that go, and tasks that come."""

    removed: tuple[PlannedTask, ...]
    added: tuple[PlannedTask, ...]


def panels_of(systems: Systems, form: Panel, baseline: int | None = None) -> tuple[Systems, ...]:
    """Return the panels of an item that these systems answered; none where the form needs more."""
    ordered = tuple(sorted(set(systems)))
    if form is Panel.SINGLE:
        return tuple((system,) for system in ordered)
    if form is Panel.ALL_PAIRS:
        return tuple(combinations(ordered, 2))
    if form is Panel.ALL:
        return (ordered,) if ordered else ()
    if baseline not in ordered:
        return ()
    return tuple(pair for pair in combinations(ordered, 2) if baseline in pair)


def panels_by_item(demand: Demand) -> dict[int, tuple[Systems, ...]]:
    """Return the panels of every item, in the order of the items.

    Raises:
        StudyError: the demand cannot be met by any plan (`assigning.…` names the reason).
    """
    _check_numbers(demand)
    known: dict[Systems, tuple[Systems, ...]] = {}
    for systems in set(demand.items.values()):
        if demand.panel is Panel.ALL and len(set(systems)) > len(SLOTS):
            raise StudyError(
                "assignment.too_many_systems", found=len(set(systems)), allowed=len(SLOTS)
            )
        known[systems] = panels_of(systems, demand.panel, demand.baseline)
    if not any(known.values()):
        raise StudyError("assignment.no_panels", panel=demand.panel.value)
    return {item: known[systems] for item, systems in demand.items.items()}


def items_without_panel(demand: Demand) -> tuple[int, ...]:
    """Return the items that nobody will rate because the panel form needs answers they lack."""
    return tuple(
        item
        for item, systems in demand.items.items()
        if not panels_of(systems, demand.panel, demand.baseline)
    )


def raters_needed(demand: Demand) -> int:
    """Return how many raters a fresh plan needs: the panels of an item go to different raters."""
    most = max(
        (len(panels_of(s, demand.panel, demand.baseline)) for s in set(demand.items.values())),
        default=0,
    )
    return most * demand.overlap


def _check_numbers(demand: Demand) -> None:
    if not demand.raters:
        raise StudyError("assignment.no_raters")
    if len(set(demand.raters)) < len(demand.raters):
        raise StudyError("assignment.rater_twice")
    if demand.overlap < 1:
        raise StudyError("assignment.overlap_too_small", overlap=demand.overlap)
    if not 0 <= demand.repeats <= 1:
        raise StudyError("assignment.repeats_share", repeats=demand.repeats)
    if demand.repeat_gap_tasks < 1:
        raise StudyError("assignment.repeat_gap", gap=demand.repeat_gap_tasks)
    if demand.panel is Panel.PAIRS and demand.baseline is None:
        raise StudyError("assignment.no_baseline")
