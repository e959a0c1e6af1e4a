"""Width of intervals: the bootstrap of `agreement` by another road."""

import numpy as np
import pytest

from cbt_core.stats.agreement.catalogue import AC2_QUADRATIC, ALPHA_ORDINAL, PERCENT, Statistic
from cbt_core.stats.agreement.figures import agreement
from cbt_core.stats.planning import precision
from cbt_core.stats.planning.precision import widths
from cbt_core.stats.planning.simulation import ASSUMED, Assumptions, Size, batches
from cbt_core.stats.ratings import Floats, Ratings
from tests.unit.stats.published import NAN, as_ratings


def scores(seed: int, items: int = 90, raters: int = 4) -> Floats:
    random = np.random.default_rng(seed)
    latent = random.normal(size=(items, 1)) + random.normal(size=(items, raters)) * 0.8
    found = np.digitize(latent, [-0.9, 0.3]).astype(float)
    found[random.random(found.shape) < 0.1] = NAN
    return found


def whole(ratings: Ratings, statistic: Statistic, bootstrap: int) -> dict[str, float]:
    body = agreement(ratings, values={"s": range(3)}, bootstrap=bootstrap, seed=7).json()
    return body["scales"]["s"]["ALL"][statistic.key]  # type: ignore[index, no-any-return]


@pytest.mark.parametrize("statistic", [ALPHA_ORDINAL, AC2_QUADRATIC, PERCENT], ids=lambda s: s.key)
@pytest.mark.parametrize("systems", [1, 3])
def test_one_statistic_alone_has_the_figure_and_interval_of_agreement(
    statistic: Statistic, systems: int
) -> None:
    # The same law drawn from other random numbers: limits of 4,000 replicates within .012.
    ratings = as_ratings(*(scores(seed) for seed in range(systems)))
    alone = precision.interval(ratings, "s", range(3), statistic=statistic, replicates=4000)
    among = whole(ratings, statistic, 4000)
    assert alone.value == pytest.approx(among["value"], abs=1e-12)
    assert alone.low == pytest.approx(among["low"], abs=0.012)
    assert alone.high == pytest.approx(among["high"], abs=0.012)


def test_one_statistic_alone_says_why_it_is_undefined() -> None:
    ratings = as_ratings(np.full((5, 3), 2.0))
    found = precision.interval(ratings, "s", range(3), statistic=ALPHA_ORDINAL)
    assert found.value is None
    assert found.reason == "all ratings are equal"


@pytest.mark.parametrize("numbers", [[30, 50, 20], [400, 700, 900, 0]], ids=["singly", "at once"])
def test_kinds_are_drawn_as_items_are(numbers: list[int]) -> None:
    held = np.array(numbers, dtype=np.float64)
    drawn = precision.counts(held, 20_000, np.random.default_rng(1))
    assert (drawn.sum(axis=0) == held.sum()).all()
    share = held / held.sum()
    expected = held.sum() * share * (1 - share)
    np.testing.assert_allclose(drawn.mean(axis=1), held, rtol=0.01)
    np.testing.assert_allclose(drawn.var(axis=1), expected, rtol=0.06)


def test_kinds_beyond_the_range_of_an_integer_are_told_apart() -> None:
    ratings = as_ratings(scores(3, items=30, raters=45))
    alone = precision.interval(ratings, "s", range(3), statistic=ALPHA_ORDINAL, replicates=50)
    assert alone.value == pytest.approx(whole(ratings, ALPHA_ORDINAL, 0)["value"], abs=1e-12)


def test_a_planned_width_is_the_usual_width_of_agreement() -> None:
    size = Size(60, 3, 3)
    planned = widths(size, ASSUMED)[0]["alpha_ordinal"].width
    batch = next(batches(size, ASSUMED, 0.0, studies=30, seed=9))
    found = []
    for study in batch.baseline:
        told = whole(as_ratings(study.astype(float)), ALPHA_ORDINAL, 300)
        found.append(told["high"] - told["low"])
    assert np.median(found) == pytest.approx(planned, rel=0.08)


def test_four_times_the_items_halve_the_width() -> None:
    small, large = widths(Size(50, 3, 3), ASSUMED, sizes=(50, 200))
    for key in small:
        first, second = small[key].width, large[key].width
        assert first is not None
        assert second is not None
        assert first / second == pytest.approx(2, rel=0.15)


def test_one_rater_an_item_leaves_the_width_undefined() -> None:
    found = widths(Size(50, 5, 1), ASSUMED)[0]["alpha_ordinal"]
    assert found.value is None
    assert found.width is None
    assert found.undefined == 1


def test_missing_scores_widen_the_interval() -> None:
    full, thinned = (widths(Size(80, 3, 3), Assumptions(missing=m))[0] for m in (0.0, 0.4))
    narrow, wide = full["alpha_ordinal"].width, thinned["alpha_ordinal"].width
    assert narrow is not None
    assert wide is not None
    assert wide > narrow * 1.2
