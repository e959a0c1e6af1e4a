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
    by_severity = sheet.analysis.safety
    if by_severity is None:
        return sheet.section("safety", (), of="safety", closed=True)
    blocks: list[Block] = [sheet.words("safety_about", escalations=sheet.context.escalations)]
    for severity, flagged in by_severity.items():
        blocks += [_rates(sheet, severity, flagged), *_differences(sheet, severity, flagged),
                   _flag_agreement(sheet, severity, flagged)]
    blocks += _quotes(sheet)
    return sheet.section("safety", blocks, of="safety")


def _rates(sheet: Sheet, severity: str, flagged: Safety) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    for name, rate in flagged.systems.items():
        few, many, usual = rate.raters_per_answer
        raters = str(usual) if few == many else sheet.w("k_range", few=few, many=many, usual=usual)
        rows.append((
            name, raters, rate.by_any.n, rate.by_any.count, _wilson(rate.by_any),
            figure(rate.by_any.share, "share"), rate.by_majority.count, _wilson(rate.by_majority),
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


def _differences(sheet: Sheet, severity: str, flagged: Safety) -> list[Block]:
    if not flagged.differences:
        return []
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.system, one.n_items, figure(one.by_any, "share"), figure(one.by_majority, "share"))
        for one in flagged.differences
    )
    return [Grid(
        f"safety_difference_{severity}",
        sheet.w(f"table_difference_{severity}", reference=flagged.reference),
        sheet.heads("system:", "n_items", "by_any", "by_majority"), rows,
    )]


def _flag_agreement(sheet: Sheet, severity: str, flagged: Safety) -> Words:
    return sheet.note(
        "flag_agreement", severity=sheet.w(f"severity_{severity}"),
        percent=sheet.told(figure(flagged.agreement["percent_agreement"], "share")),
        alpha=sheet.told(figure(flagged.agreement["alpha_nominal"])),
        ac=sheet.told(figure(flagged.agreement["ac1"])),
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
    bounds = sheet.analysis.missing_bounds
    if bounds:
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (sheet.scale(one.scale), one.system, one.n_items, one.n_pairs, one.n_incomplete,
             Figure(one.observed), Figure(one.worst), Figure(one.best))
            for one in bounds
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
    gaps = sorted(sheet.analysis.missingness, key=lambda one: _order(sheet, one))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (sheet.scale(one.scale), sheet.system(one.system), one.expected, one.given,
         Figure(one.share, form="share"),
         sheet.list([f"{_why(sheet, reason)} {n}" for reason, n in one.reasons.items()]) or None)
        for one in gaps
    )
    return Grid(
        "missing", sheet.w("table_missing"),
        sheet.heads("scale:", "system:", "expected", "given", "missing_share", "reasons:"), rows,
    )


def _order(sheet: Sheet, gap: Missing) -> tuple[int, str]:
    known = [scale.id for scale in sheet.context.instrument.scales]
    return (known.index(gap.scale) if gap.scale in known else len(known)), gap.system


def _why(sheet: Sheet, reason: str) -> str:
    """Return why scores are missing in words: cannot rate, not done, skipped and the reason."""
    if not reason.startswith(SKIPPED):
        return reason_words(reason, "missing", sheet.language)
    skip = reason.removeprefix(SKIPPED)
    words = next((c.name(sheet.language) for c in defaults().skip_reasons if c.id == skip), skip)
    return sheet.w("missing_skipped", reason=words)


def sensitivity(sheet: Sheet) -> Section:
    """Return the figures on other sets of ratings, and without each rater."""
    checks = sheet.analysis.sensitivity
    systems = sorted({name for one in checks.variants for name in one.differences})
    rows: list[tuple[Cell, ...]] = []
    rules, seen = [], set()
    for rerun in sorted(checks.variants, key=lambda v: _scale_place(sheet, v.scale)):
        if rerun.scale not in seen:
            rules.append(len(rows))
        rows.append((
            "" if rerun.scale in seen else sheet.scale(rerun.scale), sheet.w(f"set_{rerun.name}"),
            rerun.n_items, rerun.n_raters, rerun.n_ratings, figure(rerun.alpha),
            *(figure(rerun.differences.get(name)) for name in systems),
        ))
        seen.add(rerun.scale)
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
    if len({one.name for one in checks.variants}) == 1:
        blocks.append(sheet.words("sensitivity_one_set"))
    return sheet.section("sensitivity", [*blocks, *_left_out(sheet)], of="sensitivity")


def _scale_place(sheet: Sheet, scale: str) -> int:
    return sheet.analysis.scales.index(scale)


def _left_out(sheet: Sheet) -> list[Block]:
    ranges = sheet.analysis.sensitivity.leave_one_rater_out
    if not ranges:
        return []
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (sheet.scale(one.scale), one.system,
         sheet.w("without", value=decimals(one.low), rater=one.low_without),
         sheet.w("without", value=decimals(one.high), rater=one.high_without))
        for one in ranges
    )
    return [Grid(
        "leave_one_rater_out", sheet.w("table_left_out_rater"),
        sheet.heads("scale:", "system:", "smallest:", "largest:"), rows,
    )]
