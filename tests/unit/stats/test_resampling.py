"""Intervals: items are drawn, and every figure of a replicate is that of the drawn items."""

from typing import Any

import numpy as np
import pytest

from cbt_core.stats import resampling
from cbt_core.stats.agreement.figures import EVERYTHING, agreement, core_agreement, figures
from cbt_core.stats.agreement.sums import sample, sums, table
from cbt_core.stats.ratings import Floats
from cbt_core.stats.values import percentiles, with_interval
from tests.unit.stats.published import NAN, as_ratings

ITEMS = 12


def scores(seed: int, *, missing: float = 0.15, raters: int = 4) -> Floats:
    """Return simulated scores (items, raters) that agree somewhat."""
    random = np.random.default_rng(seed)
    latent = random.normal(size=(ITEMS, 1)) + random.normal(size=(ITEMS, raters)) * 0.7
    found = np.digitize(latent, [-0.8, 0.4]).astype(float)
    found[random.random(found.shape) < missing] = NAN
    return found


@pytest.mark.parametrize("missing", [0.0, 0.15, 0.4])
def test_a_replicate_is_the_figure_of_the_drawn_items(missing: float) -> None:
    first, second = scores(1, missing=missing), scores(2, missing=missing)
    ratings = as_ratings(first, second)
    scale = table(ratings, "s", range(3))
    weights = next(resampling.blocks(ITEMS, replicates=8, seed=3))
    fast = {name: figures(EVERYTHING, True, name, sums(scale, weights)) for name in ("ALL", "S1")}
    for column in range(8):
        drawn = np.repeat(np.arange(ITEMS), weights[:, column].astype(int))
        slow_scale = table(as_ratings(first[drawn], second[drawn]), "s", range(3))
        if len(slow_scale.patterns.raters) < 4:
            continue
        slow = sample(slow_scale, len(drawn))
        for name in ("ALL", "S1"):
            if len(slow_scale.strata[0].frame.present) < 4:
                continue
            for key, expected in figures(EVERYTHING, True, name, slow).items():
                if key in ("icc_1_1", "icc_1_k") and differs(scale, slow_scale, name):
                    continue  # the modal number of ratings is that of the whole sample
                np.testing.assert_allclose(
                    fast[name][key][:, column], expected[:, 0], rtol=0, atol=1e-8, err_msg=key
                )


def differs(one: object, other: object, name: str) -> bool:
    """Tell whether the modal number of ratings differs between two samples."""
    modal = [
        next(stratum.frame.modal for stratum in scale.strata if stratum.name == name)  # type: ignore[attr-defined]
        for scale in (one, other)
    ]
    return modal[0] != modal[1]


def test_each_replicate_draws_as_many_items_as_there_are() -> None:
    weights = next(resampling.blocks(50, replicates=200, seed=1))
    assert (weights.sum(axis=0) == 50).all()
    # Multinomial: variance of a count is n p (1 - p) = .98; 10,000 counts, so within .06.
    assert weights.var() == pytest.approx(0.98, abs=0.06)


def test_the_draws_do_not_depend_on_the_size_of_a_block() -> None:
    whole = np.concatenate(list(resampling.blocks(30, replicates=100, seed=9)), axis=1)
    pieces = list(resampling.blocks(30, replicates=100, seed=9, widest=resampling.CELLS // 17))
    assert len(pieces) > 1
    np.testing.assert_array_equal(whole, np.concatenate(pieces, axis=1))


def test_all_units_of_an_item_are_drawn_together() -> None:
    # Both systems hold the same scores: drawing whole items, the pooled replicates must have
    # the figures of one system, interval included.
    same = scores(4, missing=0)
    body = agreement(as_ratings(same, same), values={"s": range(3)}, bootstrap=200).json()
    stats = body["scales"]["s"]  # type: ignore[index]
    for key in ("percent_agreement", "ac1", "fleiss_kappa"):
        for limit in ("value", "low", "high"):
            assert stats["ALL"][key][limit] == pytest.approx(stats["S1"][key][limit], abs=1e-12)


def test_the_interval_is_the_linear_quantile_of_the_replicates() -> None:
    replicates = np.random.default_rng(1).normal(size=999)
    value = with_interval(0.0, replicates)
    assert value.low == pytest.approx(np.quantile(replicates, 0.025), abs=1e-12)
    assert value.high == pytest.approx(np.quantile(replicates, 0.975), abs=1e-12)


def test_up_to_five_percent_undefined_replicates_are_left_out() -> None:
    replicates = np.random.default_rng(1).normal(size=100)
    replicates[:5] = NAN
    low, _, share = percentiles(replicates[np.newaxis])
    assert low[0] == pytest.approx(np.quantile(replicates[5:], 0.025), abs=1e-12)
    assert share[0] == pytest.approx(0.05)
    replicates[5] = NAN
    assert np.isnan(percentiles(replicates[np.newaxis])[0][0])


def test_without_a_bootstrap_the_intervals_are_empty() -> None:
    body = agreement(as_ratings(scores(1)), values={"s": range(3)}, bootstrap=0).json()
    alpha = body["scales"]["s"]["ALL"]["alpha_ordinal"]  # type: ignore[index]
    assert alpha["value"] is not None
    assert (alpha["low"], alpha["high"], alpha["reason"]) == (None, None, None)


def test_the_live_page_shows_the_figures_of_the_full_analysis() -> None:
    ratings = as_ratings(scores(1), scores(2))
    full = agreement(ratings, values={"s": range(3)}, bootstrap=100).json()["scales"]["s"]  # type: ignore[index]
    live = core_agreement(ratings, values={"s": range(3)}, bootstrap=100).json()["scales"]["s"]  # type: ignore[index]
    for stratum, stats in live.items():
        for key, value in stats.items():
            if key == "pairs":
                for pair, other in zip(value, full[stratum]["pairs"], strict=True):
                    assert pair["kappa_quadratic"] == other["kappa_quadratic"]
            else:
                assert value == full[stratum][key]


def test_with_one_system_pooled_and_system_are_the_same() -> None:
    body: Any = agreement(as_ratings(scores(1)), values={"s": range(3)}, bootstrap=100).json()
    stats = body["scales"]["s"]
    assert stats["ALL"]["icc_2_1"] == stats["S1"]["icc_2_1"]
    assert stats["S1"]["icc_2_1"]["low"] is not None
