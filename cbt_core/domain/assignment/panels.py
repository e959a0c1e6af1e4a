"""Which answers of an item are shown together, and what makes a demand impossible."""

from itertools import combinations

from cbt_core.domain.assignment.tasks import Demand, Systems
from cbt_core.domain.study import SLOTS, Panel
from cbt_core.errors import StudyError


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
