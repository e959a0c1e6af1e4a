"""Measure the planner on studies of full size: CPU seconds, tasks, and how even the plan is.

Run from the repository root: python -m benchmarks.assignment [items]
"""

import sys
import time
from typing import Final

from cbt_core.domain.assignment.balance import balance_table
from cbt_core.domain.assignment.planner import plan, release
from cbt_core.domain.assignment.tasks import Demand, PlannedTask
from cbt_core.domain.study import Panel

ITEMS: Final = 22_327
"""The size of PsyQA, the largest set of questions the desk is meant for."""

CASES: Final = (
    (Panel.PAIRS, 2, 6),
    (Panel.PAIRS, 2, 30),
    (Panel.PAIRS, 4, 9),
    (Panel.PAIRS, 4, 30),
    (Panel.ALL, 4, 30),
    (Panel.SINGLE, 4, 12),
    (Panel.ALL_PAIRS, 4, 18),
    (Panel.ALL_PAIRS, 4, 30),
)


def demand_of(form: Panel, systems: int, raters: int, items: int) -> Demand:
    """Return a study in which every system answered every item, three ratings a panel."""
    return Demand(
        items=dict.fromkeys(range(items), tuple(range(systems))),
        raters=tuple(range(raters)),
        panel=form,
        baseline=0,
        repeats=0.05,
        checks=(1, 2, 3),
    )


def measure(form: Panel, systems: int, raters: int, items: int) -> tuple[PlannedTask, ...]:
    """Print one row: what was planned, how long it took, how even it is."""
    demand = demand_of(form, systems, raters, items)
    start = time.process_time()
    tasks = plan(demand)
    spent = time.process_time() - start
    table = balance_table(tasks)
    load, pairs = table.load, table.pair_range
    print(
        f"{form.value:9} {systems} systems {raters:2} raters {len(tasks):7} tasks"
        f" {spent:5.1f} CPU-s  load {load[0]}-{load[1]}  pairs {pairs[0]}-{pairs[1]}"
        f"  slots {table.slots}  halves {table.halves}",
        flush=True,
    )
    return tasks


def main(items: int) -> None:
    """Print a row per case, then the cost of a release."""
    print(f"{items} items, overlap 3, 5 % repeats")
    for form, systems, raters in CASES:
        measure(form, systems, raters, items)
    demand = demand_of(Panel.PAIRS, 2, 30, items)
    tasks = plan(demand)
    start = time.process_time()
    change = release(demand, tasks, 7)
    spent = time.process_time() - start
    print(f"release of 1 of 30 raters: {len(change.added)} tasks drawn, {spent:.1f} CPU-s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ITEMS)
