"""Safety flags, missing scores, and what becomes of the results when the set changes."""

from typing import Final

from cbt_core.instruments.shipped import defaults
from cbt_core.report.blocks import (
    Block,
    Cell,
    Figure,
    Grid,
    Section,
    Subhead,
    Words,
    decimals,
    figure,
)
from cbt_core.report.drawing import reason_words
from cbt_core.report.sheet import Sheet
from cbt_core.stats.bias.missingness import Missing
from cbt_core.stats.comparison.safety import Rate, Safety

SKIPPED: Final = "skipped:"


def safety(sheet: Sheet) -> Section:
    """Return rates of flagged answers with intervals, by at least one rater and by most."""
    found = sheet.analysis.safety
    if found is None:
        return sheet.section("safety", (), of="safety", closed=True)
    blocks: list[Block] = [sheet.words("safety_about", escalations=sheet.context.escalations)]
    for severity, one in found.items():
        blocks += [_rates(sheet, severity, one), *_differences(sheet, severity, one),
                   _flag_agreement(sheet, severity, one)]
    blocks += _quotes(sheet)
    return sheet.section("safety", blocks, of="safety")


def _rates(sheet: Sheet, severity: str, found: Safety) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    for name, one in found.systems.items():
        few, many, usual = one.raters_per_answer
        raters = str(usual) if few == many else sheet.w("k_range", few=few, many=many, usual=usual)
        rows.append((
            name, raters, one.by_any.n, one.by_any.count, _wilson(one.by_any),
            figure(one.by_any.share, "share"), one.by_majority.count, _wilson(one.by_majority),
        ))
    return Grid(
        f"safety_{severity}", sheet.w(f"table_safety_{severity}"),
        sheet.heads("system:", "k:", "n_answers", "any_count", "any_wilson", "any_share",
                    "majority_count", "majority_wilson"),
        tuple(rows), notes=(sheet.w("note_safety"),),
    )


def _wilson(rate: Rate) -> Figure:
    return Figure(rate.share.value, rate.wilson_low, rate.wilson_high,
                  None if rate.n else rate.share.reason, "share")


def _differences(sheet: Sheet, severity: str, found: Safety) -> list[Block]:
    if not found.differences:
        return []
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.system, one.n_items, figure(one.by_any, "share"), figure(one.by_majority, "share"))
        for one in found.differences
    )
    return [Grid(
        f"safety_difference_{severity}",
        sheet.w(f"table_difference_{severity}", reference=found.reference),
        sheet.heads("system:", "n_items", "by_any", "by_majority"), rows,
    )]


def _flag_agreement(sheet: Sheet, severity: str, found: Safety) -> Words:
    return sheet.note(
        "flag_agreement", severity=sheet.w(f"severity_{severity}"),
        percent=sheet.told(figure(found.agreement["percent_agreement"], "share")),
        alpha=sheet.told(figure(found.agreement["alpha_nominal"])),
        ac=sheet.told(figure(found.agreement["ac1"])),
    )


def _quotes(sheet: Sheet) -> list[Block]:
    if not sheet.context.quotes:
        return []
    kinds = {one.id: one.name(sheet.language) for one in defaults().flag_kinds}
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.item, one.system, kinds.get(one.kind, one.kind), one.quote)
        for one in sheet.context.quotes
    )
    return [
        Subhead(sheet.w("sub_quotes")), sheet.words("quotes_about"),
        Grid("serious_quotes", sheet.w("table_quotes"),
             sheet.heads("item:", "system:", "kind:", "quote:"), rows),
    ]


def missing(sheet: Sheet) -> Section:
    """Return what is missing by system, scale and reason, and how far it could move results."""
    blocks: list[Block] = [sheet.words("missing_about"), _missing(sheet)]
    found = sheet.analysis.missing_bounds
    if found:
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (sheet.scale(one.scale), one.system, one.n_items, one.n_pairs, one.n_incomplete,
             Figure(one.observed), Figure(one.worst), Figure(one.best))
            for one in found
        )
        blocks.append(Grid(
            "missing_bounds", sheet.w("table_bounds", reference=sheet.analysis.reference),
            sheet.heads("scale:", "system:", "n_items", "n_pairs", "n_incomplete", "observed",
                        "worst", "best"),
            rows, notes=(sheet.w("note_bounds"),),
        ))
    elif sheet.closed("missing_bounds"):
        reason = sheet.reason(sheet.analysis.withheld["missing_bounds"])
        blocks.append(sheet.note("bounds_closed", reason=reason))
    return sheet.section("missing", blocks, of="missingness")


def _missing(sheet: Sheet) -> Grid:
    found = sorted(sheet.analysis.missingness, key=lambda one: _order(sheet, one))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (sheet.scale(one.scale), sheet.system(one.system), one.expected, one.given,
         Figure(one.share, form="share"),
         sheet.list([f"{_why(sheet, reason)} {n}" for reason, n in one.reasons.items()]) or None)
        for one in found
    )
    return Grid(
        "missing", sheet.w("table_missing"),
        sheet.heads("scale:", "system:", "expected", "given", "missing_share", "reasons:"), rows,
    )


def _order(sheet: Sheet, one: Missing) -> tuple[int, str]:
    known = [scale.id for scale in sheet.context.instrument.scales]
    return (known.index(one.scale) if one.scale in known else len(known)), one.system


def _why(sheet: Sheet, reason: str) -> str:
    """Return why scores are missing in words: cannot rate, not done, skipped and the reason."""
    if not reason.startswith(SKIPPED):
        return reason_words(reason, "missing", sheet.language)
    skip = reason.removeprefix(SKIPPED)
    words = next((c.name(sheet.language) for c in defaults().skip_reasons if c.id == skip), skip)
    return sheet.w("missing_skipped", reason=words)


def sensitivity(sheet: Sheet) -> Section:
    """Return the figures on other sets of ratings, and without each rater."""
    found = sheet.analysis.sensitivity
    systems = sorted({name for one in found.variants for name in one.differences})
    rows: list[tuple[Cell, ...]] = []
    rules, seen = [], set()
    for one in sorted(found.variants, key=lambda v: _scale_place(sheet, v.scale)):
        if one.scale not in seen:
            rules.append(len(rows))
        rows.append((
            "" if one.scale in seen else sheet.scale(one.scale), sheet.w(f"set_{one.name}"),
            one.n_items, one.n_raters, one.n_ratings, figure(one.alpha),
            *(figure(one.differences.get(name)) for name in systems),
        ))
        seen.add(one.scale)
    heads = sheet.heads("scale:", "set:", "n_items", "n_raters", "n_ratings", "alpha_ordinal")
    blocks: list[Block] = [
        sheet.words("sensitivity_about"),
        Grid(
            "sensitivity", sheet.w("table_sensitivity"),
            (*heads, *(type(heads[0])(f"difference_{n}", sheet.w("difference_of", system=n))
                       for n in systems)),
            tuple(rows), rules=tuple(rules),
        ),
    ]
    if len({one.name for one in found.variants}) == 1:
        blocks.append(sheet.words("sensitivity_one_set"))
    return sheet.section("sensitivity", [*blocks, *_left_out(sheet)], of="sensitivity")


def _scale_place(sheet: Sheet, scale: str) -> int:
    return sheet.analysis.scales.index(scale)


def _left_out(sheet: Sheet) -> list[Block]:
    found = sheet.analysis.sensitivity.leave_one_rater_out
    if not found:
        return []
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (sheet.scale(one.scale), one.system,
         sheet.w("without", value=decimals(one.low), rater=one.low_without),
         sheet.w("without", value=decimals(one.high), rater=one.high_without))
        for one in found
    )
    return [Grid(
        "leave_one_rater_out", sheet.w("table_left_out_rater"),
        sheet.heads("scale:", "system:", "smallest:", "largest:"), rows,
    )]
