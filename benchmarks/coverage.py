"""How often 95 % intervals hold the truth, and how often tests reject when there is nothing.

Run from the repository root: ``nice python -m benchmarks.coverage --out coverage.json``. Finished
cells are kept in the file and not run again; ``--quick`` runs 200 studies a cell. Studies are drawn
under the planning model (`cbt_core.stats.planning.simulation`) and
analysed by the product's functions.

What each interval is held against, for every simulated study anew:

* alpha, AC2: their value over infinitely many items scored by those very raters (items resampled,
  raters as they are), by Gauss-Hermite quadrature of the model (a test compares it with a huge
  sample).
* difference: the mean difference those very raters would give over infinitely many items.
* crossed difference: the mean difference over all raters there could be.
"""

import argparse
import json
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cbt_core.stats import resampling
from cbt_core.stats.comparison import paired_tests
from cbt_core.stats.comparison.crossed import crossed
from cbt_core.stats.comparison.paired_tests import DECIMALS, Pairs
from cbt_core.stats.planning.precision import STATISTICS, coded, replicates, studies_of
from cbt_core.stats.planning.simulation import (
    SKEWS,
    Assumptions,
    Batch,
    Raters,
    Size,
    agreement_truth,
    difference_truth,
    drawn,
    drawn_design,
    latent_shift,
    mean_score,
)
from cbt_core.stats.ratings import Floats
from cbt_core.stats.values import percentiles

DIFFERENCE = 0.1
BOOTSTRAP = 1000
BATCH = 50
SEED = 20261123


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of the table: what is simulated, and how many studies."""

    kind: str
    items: int
    raters: int
    overlap: int
    skew: str
    sd_rater_system: float
    studies: int

    @property
    def name(self) -> str:
        """Return the key under which the cell is kept."""
        return "/".join(str(value) for value in asdict(self).values())


def cells(quick: bool) -> list[Cell]:
    """Return all cells; incomplete overlap needs the mixed model, hence fewer studies."""
    many, few = (200, 100) if quick else (2000, 1000)
    found = [
        Cell("coverage", items, raters, raters, skew, 0.2, many)
        for skew in ("moderate", "strong")
        for raters in (3, 5)
        for items in (100, 25, 50, 300)
    ]
    found.append(Cell("coverage", 100, 10, 3, "moderate", 0.2, few))
    found += [
        Cell("false alarms", 100, raters, overlap, skew, sd, many if raters == overlap else few)
        for skew in ("moderate", "strong")
        for raters, overlap in ((3, 3), (5, 5), (10, 3))
        for sd in (0.0, 0.1, 0.2, 0.3)
        if skew == "moderate" or overlap == raters
    ]
    return found


def run(cell: Cell) -> dict[str, float]:
    """Return share -> value over the cell's studies."""
    os.nice(10)
    assumed = Assumptions(SKEWS[cell.skew], sd_rater_system=cell.sd_rater_system)
    difference = DIFFERENCE if cell.kind == "coverage" else 0.0
    shift = latent_shift(assumed, difference)
    size = Size(cell.items, cell.raters, cell.overlap)
    random = np.random.default_rng([SEED, cell.items, cell.raters, cell.overlap,
                                    round(100 * cell.sd_rater_system), len(cell.skew)])
    hits: dict[str, list[bool]] = {}
    for start in range(0, cell.studies, BATCH):
        design = drawn_design(size, 0.0, random)
        batch, raters = drawn(
            design, assumed, shift, studies=min(BATCH, cell.studies - start), random=random
        )
        work = _coverage if cell.kind == "coverage" else _alarms
        for name, found in work(batch, raters, assumed, shift, random).items():
            hits.setdefault(name, []).extend(found)
    return {name: float(np.mean(found)) for name, found in hits.items()}


def _coverage(
    batch: Batch, raters: Raters, assumed: Assumptions, shift: float, random: np.random.Generator
) -> dict[str, list[bool]]:
    found = _agreement(batch, raters, assumed, random)
    truth = difference_truth(assumed, raters, shift)
    wanted = mean_score(assumed, shift) - mean_score(assumed)
    for study in range(len(batch.baseline)):
        pairs = pairs_of(batch, study)
        weights = next(resampling.blocks(
            len(pairs.items), replicates=BOOTSTRAP, seed=int(random.integers(2**31))
        ))
        low, high, _ = percentiles((pairs.mean @ weights / len(pairs.mean))[np.newaxis])
        found.setdefault("difference", []).append(bool(low[0] <= truth[study] <= high[0]))
        both = crossed(pairs)
        if both.low is not None and both.high is not None:
            found.setdefault("difference_crossed", []).append(both.low <= wanted <= both.high)
    return found


def _agreement(
    batch: Batch, raters: Raters, assumed: Assumptions, random: np.random.Generator
) -> dict[str, list[bool]]:
    categories = np.arange(assumed.highest + 1, dtype=np.float64)
    held = studies_of(coded(batch.baseline, batch.design.present), categories)
    seed = int(random.integers(2**31))
    limits = replicates(held, STATISTICS, count=BOOTSTRAP, seed=seed)
    truth = agreement_truth(assumed, raters)
    found = {}
    for key, rows in limits.items():
        low, high, _ = percentiles(rows)
        told = np.isfinite(low)
        found[key] = [bool(x) for x in ((low <= truth[key]) & (truth[key] <= high))[told]]
    return found


def _alarms(
    batch: Batch, raters: Raters, assumed: Assumptions, shift: float, random: np.random.Generator
) -> dict[str, list[bool]]:
    found: dict[str, list[bool]] = {"sign flips": [], "crossed": []}
    for study in range(len(batch.baseline)):
        pairs = pairs_of(batch, study)
        p = paired_tests.sign_flips(pairs.mean, int(random.integers(2**31)))
        found["sign flips"].append(p <= 0.05)
        both = crossed(pairs)
        found["crossed"].append(both.p is not None and both.p <= 0.05)
    return found


def pairs_of(batch: Batch, study: int) -> Pairs:
    """Return a study's differences as the product pairs them."""
    items, overlap = batch.design.rater.shape
    difference = (batch.system[study] - batch.baseline[study]).astype(np.float64)
    mean: Floats = np.round(difference.mean(axis=1), DECIMALS)
    item = np.repeat(np.arange(items), overlap)
    rater = batch.design.rater.ravel()
    return Pairs(item, rater, difference.ravel(), np.arange(items), mean, 0)


def told(done: Mapping[str, Mapping[str, float]], wanted: list[Cell]) -> None:
    """Print both tables as Markdown."""
    for kind, columns in (
        ("coverage", ("alpha_ordinal", "ac2_quadratic", "difference", "difference_crossed")),
        ("false alarms", ("sign flips", "crossed")),
    ):
        heads = ("items", "raters", "overlap", "skew", "SD rater × system", *columns, "studies")
        print(f"\n{kind}\n\n| " + " | ".join(heads) + " |")
        print("|" + "---|" * len(heads))
        for cell in wanted:
            if cell.kind == kind and cell.name in done:
                figures = [f"{done[cell.name][column]:.3f}" for column in columns]
                facts = (cell.items, cell.raters, cell.overlap, cell.skew, cell.sd_rater_system)
                print("| " + " | ".join([*map(str, facts), *figures, str(cell.studies)]) + " |")


def main() -> None:
    """Run what is not yet in the file and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="JSON file; resumed if it exists")
    parser.add_argument("--quick", action="store_true", help="200 studies a cell")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    wanted = cells(asked.quick)
    done = json.loads(asked.out.read_text("utf-8")) if asked.out.exists() else {}
    left = [cell for cell in wanted if cell.name not in done]
    with ProcessPoolExecutor(asked.processes) as pool:
        for cell, found in zip(left, pool.map(run, left), strict=True):
            done[cell.name] = found
            asked.out.write_text(json.dumps(done, indent=1), "utf-8")
            print(cell.name, {name: round(value, 3) for name, value in found.items()}, flush=True)
    told(done, wanted)


if __name__ == "__main__":
    main()
