"""Systems against a baseline: the `compare` JSON."""

from collections.abc import Mapping, Sequence

from cbt_core.errors import StudyError
from cbt_core.stats import permutation
from cbt_core.stats.contrasts import (
    Contrast,
    Drawn,
    Json,
    Key,
    Tests,
    comparison_json,
    drawn,
    system_json,
    tests,
)  # fmt: skip
from cbt_core.stats.crossed import crossed
from cbt_core.stats.pairing import item_means, pairs
from cbt_core.stats.ratings import Floats, Ratings
from cbt_core.stats.signature import signature, told_values


def compare(
    ratings: Ratings,
    *,
    baseline: str,
    values: Mapping[str, Sequence[float]] | None = None,
    bootstrap: int = 1000,
    seed: int = 1,
    primary: Key | None = None,
) -> Json:
    """Return the `compare` JSON of every system against the baseline.

    `values`: the scales to compare and all values of each; left out, every scale there is.
    `primary` is the (scale, system) the protocol named before data: it is tested alone, all other
    comparisons of all scales share Holm's adjustment. Intervals resample items; the same rows and
    seed give the same figures. Scores are taken as numbers, so a nominal scale must not come here.

    Raises:
        StudyError: the baseline or a scale is not among the ratings, or it is the only system.
    """
    chosen = tuple(values if values is not None else ratings.scales)
    _refuse_absent(ratings, baseline, chosen)
    means = _means(ratings, chosen)
    contrasts = _contrasts(ratings, baseline, chosen, means)
    replicates = drawn(means, contrasts, bootstrap=bootstrap, seed=seed)
    tested = [tests(each.pairs.mean, seed) for each in contrasts]
    bodies = [
        comparison_json(each, found, crossed(each.pairs), replicates)
        for each, found in zip(contrasts, tested, strict=True)
    ]
    family = _adjust(contrasts, tested, bodies, primary)
    settings = _settings(values, baseline, primary) | {"boot": bootstrap, "seed": seed}
    return {
        "signature": signature(ratings, chosen, settings),
        "baseline": baseline,
        "family_size": family,
        "flow": dict(ratings.flow),
        "scales": {
            scale: {
                "systems": _systems(scale, means, replicates),
                "comparisons": _of_scale(scale, contrasts, bodies),
            }
            for scale in chosen
        },
    }


def _means(ratings: Ratings, scales: Sequence[str]) -> dict[Key, Floats]:
    return {
        (scale, name): item_means(ratings, scale, index)
        for scale in scales
        for index, name in enumerate(ratings.systems)
    }


def _of_scale(scale: str, contrasts: Sequence[Contrast], bodies: Sequence[Json]) -> list[Json]:
    return [body for each, body in zip(contrasts, bodies, strict=True) if each.scale == scale]


def _systems(scale: str, means: Mapping[Key, Floats], replicates: Drawn) -> Json:
    return {
        name: system_json(found, replicates.means[of, name])
        for (of, name), found in means.items()
        if of == scale
    }


def _refuse_absent(ratings: Ratings, baseline: str, scales: Sequence[str]) -> None:
    for scale in scales:
        if scale not in ratings.values:
            raise StudyError("stats.no_such_scale", scale=scale)
    if baseline not in ratings.systems:
        raise StudyError("stats.no_such_system", system=baseline)
    if len(ratings.systems) < 2:
        raise StudyError("stats.one_system", system=baseline)


def _contrasts(
    ratings: Ratings, baseline: str, scales: Sequence[str], means: dict[Key, Floats]
) -> list[Contrast]:
    base = ratings.systems.index(baseline)
    return [
        Contrast(
            scale=scale,
            system=name,
            baseline=baseline,
            pairs=pairs(ratings, scale, index, base),
            own=means[scale, name],
            base=means[scale, baseline],
        )
        for scale in scales
        for index, name in enumerate(ratings.systems)
        if index != base
    ]


def _settings(
    values: Mapping[str, Sequence[float]] | None, baseline: str, primary: Key | None
) -> dict[str, object]:
    settings: dict[str, object] = {"values": told_values(values, tuple(values))} if values else {}
    settings |= {"baseline": baseline, "permutations": permutation.DRAWS}
    return settings | ({"primary": "/".join(primary)} if primary else {})


def _adjust(
    contrasts: Sequence[Contrast],
    tested: Sequence[Tests],
    bodies: Sequence[Json],
    primary: Key | None,
) -> int:
    """Fill in `p_holm` and return how many comparisons share the adjustment."""
    is_primary = [(each.scale, each.system) == primary for each in contrasts]
    shared = [
        None if alone else found.permutation_p
        for alone, found in zip(is_primary, tested, strict=True)
    ]
    adjusted = permutation.holm(shared)
    for body, alone, found, p in zip(bodies, is_primary, tested, adjusted, strict=True):
        body["primary"] = alone
        body["p_holm"] = found.permutation_p if alone else p
    return sum(p is not None for p in adjusted)
