"""How long the statistics take, in CPU seconds, against their targets and a plain loop.

Run from the repository root: ``python -m benchmarks.statistics``. Times are of one process, after
the imports and without reading a file; `share` is the part of the target that was used. With
``krippendorff`` installed, the last table compares one alpha bootstrap (median of 7 calls) with a
loop that calls the library once per replicate (timed on a few replicates, scaled up to 1,000).
"""

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from cbt_core.stats.agreement.catalogue import ALPHA_ORDINAL
from cbt_core.stats.agreement.figures import agreement, core_agreement
from cbt_core.stats.comparison import paired_tests
from cbt_core.stats.comparison.contrasts import compare
from cbt_core.stats.planning import precision
from cbt_core.stats.ratings import Columns, Floats, Ratings, gather

SCALES = ("relevance", "structure", "helpfulness")
VALUES = dict.fromkeys(SCALES, (0, 1, 2))
REPLICATES = 1_000


def simulated(items: int, raters: int, systems: int) -> Ratings:
    """Return ratings on three scales with item, system, rater and noise parts, 5 % missing."""
    random = np.random.default_rng(1)
    shape = (items, systems, raters)
    item, system, rater = (index.ravel() for index in np.indices(shape))
    values = {}
    for scale in SCALES:
        latent = (
            random.normal(size=(items, 1, 1)) * 0.6 + random.normal(size=(items, systems, 1)) * 0.5
        )
        latent = latent + np.arange(systems)[:, np.newaxis] * 0.3 + random.normal(size=shape) * 0.8
        scores = np.digitize(latent, [-0.9, 0.3]).astype(np.float64)
        scores[random.random(shape) < 0.05] = np.nan
        values[scale] = scores.ravel()
    return gather(
        Columns(
            item=[f"q{index:05}" for index in item],
            system=[f"S{index}" for index in system],
            rater=[f"R{index:02}" for index in rater],
            values=values,
        )
    )


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def against_targets() -> None:
    """Print the times of whole calls beside their targets."""
    small, one, four = simulated(100, 6, 2), simulated(22_327, 3, 1), simulated(22_327, 3, 4)
    paired_tests.wilcoxon(np.array([1.0, 2.0, -1.0]))  # scipy.stats is imported on first use
    rows: list[tuple[str, Callable[[], object], float]] = [
        ("core_agreement 100x6, 2 systems", lambda: core_agreement(small, values=VALUES), 0.3),
        ("agreement 100x6, 2 systems", lambda: agreement(small, values=VALUES), 1.0),
        ("agreement 22,327x3, 1 system", lambda: agreement(one, values=VALUES), 3.0),
        ("agreement 22,327x3, 4 systems", lambda: agreement(four, values=VALUES), 5.0),
        ("compare 22,327x3, 4 systems", lambda: compare(four, baseline="S0"), 5.0),
    ]
    print("all statistics, three scales, 1,000 replicates")
    print(f"{'':36}{'CPU-s':>8}{'target':>8}{'share':>8}")
    for name, work, target in rows:
        used = seconds(work)
        print(f"{name:36}{used:8.2f}{target:8.1f}{used / target:8.2f}")


def alpha_bootstrap(ratings: Ratings) -> None:
    """Compute ordinal alpha alone, with its interval, on the first scale."""
    precision.interval(
        ratings, SCALES[0], (0, 1, 2), statistic=ALPHA_ORDINAL, replicates=REPLICATES
    )


def library_loop(scores: Floats, replicates: int) -> float:
    """Return the CPU seconds of 1,000 replicates that each call krippendorff (extrapolated)."""
    import krippendorff

    random = np.random.default_rng(1)

    def loop() -> None:
        for _ in range(replicates):
            drawn = scores[random.integers(len(scores), size=len(scores))]
            krippendorff.alpha(drawn.T, value_domain=[0, 1, 2], level_of_measurement="ordinal")

    return seconds(loop) * REPLICATES / replicates


def against_library() -> None:
    """Print our alpha bootstrap beside the loop over the library."""
    try:
        import krippendorff  # noqa: F401
    except ImportError:
        print("\nkrippendorff is not installed: no comparison with a loop over it")
        return
    print("\nordinal alpha alone, one scale, 1,000 replicates")
    print(f"{'':36}{'ours':>8}{'loop':>8}{'ratio':>8}")
    for items, raters, timed in ((100, 5, 200), (400, 5, 200), (22_327, 3, 5)):
        ratings = simulated(items, raters, 1)
        scores = np.full((items, raters), np.nan)
        scores[ratings.item, ratings.rater] = ratings.values[SCALES[0]]
        ours = median([seconds(lambda known=ratings: alpha_bootstrap(known)) for _ in range(7)])
        loop = library_loop(scores, timed)
        print(f"{f'{items:,} units x {raters} raters':36}{ours:8.3f}{loop:8.2f}{loop / ours:8.0f}")


if __name__ == "__main__":
    against_targets()
    against_library()
