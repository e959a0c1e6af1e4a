"""The summary: what was found, in plain words."""

from collections.abc import Iterator

from cbt_core.services.reporting.blocks import Figure, Points, Section, Words, figure
from cbt_core.services.reporting.sheet import LEVEL, Json, Sheet, at, items, number, rows
from cbt_core.stats.ratings import POOLED


def summary(sheet: Sheet) -> Section:
    """Return what was found, in plain words; first whether the two tests disagree."""
    sentences = [
        *_comparisons(sheet), *_agreement(sheet), *_safety(sheet), *_missing(sheet),
        *_form(sheet), _plan(sheet),
    ]
    return sheet.section("summary", [_disagreement(sheet), Points(tuple(sentences))])


def _disagreement(sheet: Sheet) -> Words:
    if sheet.analysis.comparison is None:
        return Words(_no_comparison(sheet), "strong")
    disagree = [
        sheet.w("disagree_one", scale=sheet.scale(scale), system=str(one["system"]))
        for scale, one in comparisons(sheet) if one.get("tests_disagree")
    ]
    if disagree:
        return Words(sheet.w("disagree", where=sheet.list(disagree)), "strong")
    untested = [one for _, one in comparisons(sheet) if one.get("tests_disagree") is None]
    return Words(sheet.w("disagree_untested" if untested else "disagree_none"), "strong")


def _no_comparison(sheet: Sheet) -> str:
    if sheet.closed("comparison"):
        return sheet.w("summary_closed")
    return sheet.w("summary_one_system")


def comparisons(sheet: Sheet) -> Iterator[tuple[str, Json]]:
    """Yield scale and comparison of every system with the reference."""
    for scale, found in items(at(sheet.analysis.comparison, "scales")):
        for one in rows(at(found, "comparisons")):
            yield scale, one


def _comparisons(sheet: Sheet) -> Iterator[str]:
    found = sorted(comparisons(sheet), key=lambda pair: not pair[1].get("primary"))
    for scale, one in found:
        yield _compared(sheet, scale, one)


def _compared(sheet: Sheet, scale: str, one: Json) -> str:
    difference = figure(one["difference"])
    kind = "kind_primary" if one.get("primary") else "kind_secondary"
    if difference.value is None:
        return sheet.w("summary_undefined", scale=sheet.scale(scale), system=one["system"],
                       reason=sheet.reason(difference.reason))
    return sheet.w(
        "summary_compared", scale=sheet.scale(scale), system=one["system"],
        kind=sheet.w("kind_masked" if sheet.analysis.masked else kind),
        reference=sheet.analysis.reference, difference=sheet.told(difference),
        crossed=sheet.told(figure(one["difference_crossed"])), verdict=_verdict(sheet, one),
    )


def _verdict(sheet: Sheet, one: Json) -> str:
    p, holm = number(one.get("permutation_p")), number(one.get("p_holm"))
    crossed = number(at(one, "difference_crossed", "p"))
    if one.get("tests_disagree"):
        return sheet.w("verdict_disagree")
    if p is None or p >= LEVEL:
        return sheet.w("verdict_none")
    if not one.get("primary") and holm is not None and holm >= LEVEL:
        return sheet.w("verdict_not_after_holm")
    return sheet.w("verdict_difference" if crossed is not None else "verdict_item_only")


def _agreement(sheet: Sheet) -> Iterator[str]:
    for scale, strata in items(sheet.analysis.agreement.get("scales")):
        pooled = at(strata, POOLED)
        nominal = scale in sheet.analysis.nominal
        yield sheet.w(
            "summary_agreement", scale=sheet.scale(scale),
            percent=sheet.told(figure(at(pooled, "percent_agreement"), "share")),
            alpha=sheet.told(figure(at(pooled, "alpha_nominal" if nominal else "alpha_ordinal"))),
            name="AC1" if nominal else "AC2",
            ac=sheet.told(figure(at(pooled, "ac1" if nominal else "ac2_quadratic"))),
        )


def _safety(sheet: Sheet) -> Iterator[str]:
    serious = (sheet.analysis.safety or {}).get("serious")
    if serious is None:
        return
    told = [
        sheet.w("summary_flagged", system=name, count=one.by_any.count, n=one.by_any.n)
        for name, one in serious.systems.items()
    ]
    yield sheet.w("summary_safety", told=sheet.list(told))


def _missing(sheet: Sheet) -> Iterator[str]:
    expected = sum(one.expected for one in sheet.analysis.missingness)
    given = sum(one.given for one in sheet.analysis.missingness)
    if expected:
        share = sheet.told(Figure(1 - given / expected, form="share"))
        yield sheet.w("summary_missing", missing=expected - given, expected=expected, share=share)


def _form(sheet: Sheet) -> Iterator[str]:
    for one in sheet.context.gates.telling if sheet.context.gates else ():
        if one.told:
            yield sheet.w("summary_form", a=one.first, b=one.second,
                          auc=sheet.told(figure(one.auc)))


def _plan(sheet: Sheet) -> str:
    count = len(sheet.context.deviations)
    key = "summary_plan_before" if sheet.analysis.registered.before else "summary_plan_changed"
    return sheet.w(key, deviations=count)
