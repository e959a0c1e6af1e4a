"""A plan in words: the advice, and the sentence for the pre-registration."""

from collections.abc import Mapping

from cbt_core.stats.planning.advice import advice
from cbt_core.stats.planning.model import SDS, shares
from cbt_core.stats.planning.plan import Plan, Wish
from cbt_core.stats.signature import VERSION
from cbt_core.wording import say


def assumptions(wish: Wish) -> tuple[tuple[str, object, str], ...]:
    """Return every assumption as name, value and source: assumed, given or pilot."""
    sources = dict(wish.sources)
    rows: list[tuple[str, object]] = [(name, getattr(wish.assumed, name)) for name in SDS]
    rows += [("thresholds", list(wish.assumed.thresholds)), ("missing", wish.assumed.missing)]
    return tuple((name, value, sources.get(name, "assumed")) for name, value in rows)


def recommendation(found: Plan, language: str) -> tuple[str, ...]:
    """Return the advice in words, the main one first."""
    return tuple(
        say(f"planning.advice_{one.code}", language, **_rounded(dict(one.values)))
        for one in advice(found)
    )


def sentence(found: Plan, language: str) -> str:
    """Return the sentence for the pre-registration."""
    wish, held = found.wish, found.wish.assumed
    return say(
        "planning.sentence", language,
        items=wish.size.items, raters=wish.size.raters, overlap=wish.size.overlap,
        difference=f"{wish.difference:g}", highest=held.highest, level=f"{wish.level:.3g}",
        simulations=f"{wish.simulations:,}", seed=wish.seed, version=VERSION,
        **_figures(found, language),
        **{name: f"{getattr(held, name):.2f}" for name in SDS},
        thresholds=", ".join(f"{cut:.2f}" for cut in held.thresholds),
        shares=" / ".join(f"{share:.0%}" for share in shares(held)),
        missing=f"{held.missing:.0%}", origin=_origin(wish, language),
    )  # fmt: skip


def _figures(found: Plan, language: str) -> dict[str, str]:
    undefined = say("planning.undefined", language)
    errors = [found.power.item_level.mc_error or 0.0, found.power.crossed.mc_error or 0.0]
    return {
        "item_test": say("planning.item_test", language),
        "item": told(found.power.item_level.value) or undefined,
        "crossed": told(found.power.crossed.value) or undefined,
        "error": f"{max(errors):.3f}",
        "alpha": told(found.width["alpha_ordinal"].width) or undefined,
        "ac2": told(found.width["ac2_quadratic"].width) or undefined,
    }


def _origin(wish: Wish, language: str) -> str:
    sources = dict(wish.sources)
    if "pilot" in sources.values():
        return say("planning.origin_pilot", language)
    given = [say(f"planning.{name}", language) for name, _, how in assumptions(wish)
             if how == "given"]  # fmt: skip
    if not given:
        return say("planning.origin_assumed", language)
    return say("planning.origin_given", language, given=", ".join(given))


def told(value: float | None) -> str:
    """Return a share or width with two decimals, empty when there is none."""
    return "" if value is None else f"{value:.2f}"


def _rounded(values: Mapping[str, object]) -> dict[str, object]:
    return {name: told(value) if isinstance(value, float) else value
            for name, value in values.items()}  # fmt: skip
