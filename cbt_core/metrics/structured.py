"""Structure, format, length and variety of answers as metrics: automatic, without references."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np

from cbt_core.metrics.bootstrap import averaged, mean
from cbt_core.metrics.cache import Cache
from cbt_core.metrics.measuring import Measured, Plan, Step, gathered, pooled
from cbt_core.metrics.pairing import Corpus, Task
from cbt_core.metrics.structure.scoring import SIGNATURE, structure_scores
from cbt_core.metrics.structure.steps import STEPS
from cbt_core.stats.ratings import Floats

DISTINCT: Final = "distinct"
STRUCTURE: Final = "structure"


def structured(
    metric: str, corpus: Corpus, plan: Plan, cache: Cache, step: Step | None
) -> dict[str, Measured]:
    """Return `distinct_1`, `distinct_2`; or `structure` (share of the five steps) and its parts.

    The parts are `structure_step_1` … `structure_step_5` (share of answers that show the step) and
    counts such as `structure_length`, in their own units.
    """
    names = tuple(structure_scores([], plan.lang))
    work = partial(rows, plan.lang)
    found = gathered(corpus, cache, f"{SIGNATURE}|{plan.lang}|{names}", pooled(work, plan, step))
    columns = {_named(name): at for at, name in enumerate(names)}
    signatures = dict.fromkeys(corpus.systems, f"{SIGNATURE}|lang:{plan.lang}|automatic")
    return {
        name: Measured(
            {system: averaged(table[:, at] / (len(STEPS) if name == STRUCTURE else 1))
             for system, table in found.items()},
            signatures, mean,
        )
        for name, at in columns.items()
        if name.startswith(metric)
    }


def rows(lang: str, tasks: Sequence[Task]) -> list[Floats]:
    """Return, per task, the measures (answers, measures) of its candidates; NaN where none."""
    found = []
    for task in tasks:
        scores = structure_scores(task.candidates, lang)
        found.append(np.array(list(scores.values()), dtype=np.float64).T)
    return found


def _named(name: str) -> str:
    if name.startswith(DISTINCT):
        return name
    return STRUCTURE if name == "steps" else f"{STRUCTURE}_{name}"
