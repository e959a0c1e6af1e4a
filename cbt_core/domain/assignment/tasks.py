"""What the planner is asked for and what it hands back. Items, systems and raters are numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from cbt_core.domain.study import Kind, Panel

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
