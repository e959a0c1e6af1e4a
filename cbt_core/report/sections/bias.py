"""Preferences, position, length, test-retest, blinding: may something but quality have spoken?"""

from collections.abc import Iterator
from typing import Final

from cbt_core.report.blocks import (
    Block,
    Cell,
    Figure,
    Grid,
    Points,
    Section,
    Subhead,
    Words,
    figure,
)
from cbt_core.report.drawing import Axis, Plot, PlotRow, draw_intervals
from cbt_core.report.sheet import Sheet
from cbt_core.stats.agreement.raters import Retest
from cbt_core.stats.bias.blinding import StudyBlinding
from cbt_core.stats.bias.position import LeftShare
from cbt_core.stats.comparison.bradley_terry import BradleyTerry
from cbt_core.words import say

HALF: Final = 0.5


def preferences(sheet: Sheet) -> Section:
    """Return the strengths from overall preferences."""
    found = sheet.analysis.bradley_terry
    if found is None:
        closed = sheet.closed("bradley_terry")
        return sheet.section("preferences", [sheet.words("one_system")], of="bradley_terry",
                             closed=closed)
    if not found.n:
        blocks: list[Block] = [sheet.words("no_preferences")]
    else:
        blocks = _preferences(sheet, found)
    return sheet.section("preferences", blocks, of="bradley_terry")


def _preferences(sheet: Sheet, found: BradleyTerry) -> list[Block]:
    blocks: list[Block] = [sheet.words(
        "preferences_about", n=found.n, items=found.n_items, raters=found.n_raters,
        tied=found.n_tied, skipped=found.n_skipped, reference=found.reference,
    )]
    if found.reason:
        blocks.append(sheet.words("preferences_undefined", reason=sheet.reason(found.reason)))
    chances = found.preferred_over_reference
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.system, one.n, one.preferred, one.tied, one.n - one.preferred - one.tied,
         Figure(0.0) if one.system == found.reference else figure(one.log_strength),
         None if one.system == found.reference else figure(chances.get(one.system)))
        for one in found.strengths
    )
    blocks.append(Grid(
        "preferences", sheet.w("table_preferences"),
        sheet.heads("system:", "n", "preferred", "tied", "not_preferred", "log_strength",
                    "chance"),
        rows, notes=(sheet.w("note_preferences", reference=found.reference),),
    ))
    drawn = tuple(PlotRow(name, figure(chance)) for name, chance in chances.items())
    if any(row.figure and row.figure.value is not None for row in drawn):
        axis = Axis(sheet.w("axis_chance", reference=found.reference), (0.0, 1.0), HALF, most=1.0)
        blocks.append(draw_intervals(Plot(
            "preferences", sheet.w("figure_preferences"), drawn, axis
        ),
                           sheet.language))
    if found.reason:
        return blocks
    blocks.append(sheet.words(
        "preferences_position", position=sheet.told(figure(found.position)),
        tie=sheet.told(figure(found.tie)),
    ))
    return blocks


def position(sheet: Sheet) -> Section:
    """Return the share of the left slot."""
    found = sheet.analysis.position
    rows = [_left(sheet.w("row_preferences"), found.preferences)]
    rows += [_left(sheet.scale(scale), one) for scale, one in found.scores.items()]
    by_rater: list[tuple[Cell, ...]] = [
        (rater, figure(share, "share"), *(
            figure(one.by_rater.get(rater), "share") for one in found.scores.values()
        ))
        for rater, share in found.preferences.by_rater.items()
    ]
    keys = sheet.heads("rater:", "preferences")
    heads = (*keys, *(type(keys[0])(scale, sheet.scale(scale)) for scale in found.scores))
    blocks: list[Block] = [
        sheet.words("position_about"),
        Grid("position", sheet.w("table_position"),
             sheet.heads("of:", "n_decided", "n_equal", "left_share"), tuple(rows)),
        Grid("position_raters", sheet.w("table_position_raters"), heads, tuple(by_rater)),
    ]
    return sheet.section("position", blocks, of="position")


def _left(name: str, found: LeftShare) -> tuple[Cell, ...]:
    return name, found.n, found.n_equal, figure(found.share, "share")


def length(sheet: Sheet) -> Section:
    """Return how scores go with length, and differences at equal length."""
    found = sheet.analysis.length
    if found is None:
        return sheet.section("length", (), of="length", closed=True)
    rows: list[tuple[Cell, ...]] = []
    rules = []
    for scale, one in found.items():
        rules.append(len(rows))
        name = sheet.scale(scale)
        if not one.adjusted:
            rows.append((name, None, figure(one.per_doubling), None, None, None))
        for place, (system, adjusted) in enumerate(one.adjusted.items()):
            rows.append((
                "" if place else name, system, None if place else figure(one.per_doubling),
                Figure(adjusted.mean_length_ratio), figure(adjusted.difference),
                sheet.w("extrapolated" if adjusted.extrapolated else "inside"),
            ))
    grid = Grid(
        "length", sheet.w("table_length"),
        sheet.heads("scale:", "system:", "per_doubling", "length_ratio", "difference_adjusted",
                    "ratio_range:"),
        tuple(rows), notes=(sheet.w("note_length"),), rules=tuple(rules),
    )
    return sheet.section("length", [sheet.words("length_about"), grid], of="length")


def retest(sheet: Sheet) -> Section:
    """Return test-retest, apart from agreement between raters."""
    rows: list[tuple[Cell, ...]] = []
    rules = []
    for scale, found in sheet.analysis.retest.items():
        if not found.pooled.n:
            continue
        rules.append(len(rows))
        kinds = [("pooled", found.pooled), ("same_order", found.same_order),
                 ("swapped_order", found.swapped_order)]
        named = [(sheet.w(f"retest_{kind}"), one) for kind, one in kinds]
        for place, (name, one) in enumerate([*named, *found.by_rater.items()]):
            rows.append(("" if place else sheet.scale(scale), *_retest(name, one)))
    if not rows:
        return sheet.section("retest", [sheet.words("no_repeats")], of="retest")
    grid = Grid(
        "retest", sheet.w("table_retest"),
        sheet.heads("scale:", "of:", "n", "n_items", "exact", "kappa_q", "shift"), tuple(rows),
        notes=(sheet.w("note_retest"),), rules=tuple(rules),
    )
    return sheet.section("retest", [sheet.words("retest_about"), grid], of="retest")


def _retest(name: str, one: Retest) -> tuple[Cell, ...]:
    return (name, one.n, one.n_items, figure(one.exact, "share"), figure(one.kappa_quadratic),
            figure(one.shift))


def blinding(sheet: Sheet) -> Section:
    """Return whether raters could tell the systems; closed before the unblinding."""
    found = sheet.analysis.blinding
    if found is None:
        return sheet.section("blinding", (), of="blinding", closed=True)
    if not found.n:
        return sheet.section("blinding", [sheet.words("no_guesses")], of="blinding")
    read = tuple(say(f"stats.{code}", sheet.language) for code in found.interpretation)
    blocks: list[Block] = [
        sheet.words("blinding_about", n=found.n, raters=found.n_raters, left_out=found.n_left_out),
        Points(read), _indices(sheet, found), _guesses(sheet, found),
        Subhead(sheet.w("sub_by_rater")), Words(_by_rater(sheet, found)),
    ]
    return sheet.section("blinding", blocks, of="blinding")


def _indices(sheet: Sheet, found: StudyBlinding) -> Grid:
    rows: list[tuple[Cell, ...]] = [
        (sheet.w("row_accuracy"), figure(found.pair_accuracy, "share")),
        (sheet.w("row_dont_know"), figure(found.dont_know_share, "share")),
        (sheet.w("row_follows"), figure(found.follows_preference, "share")),
    ]
    rows += [(sheet.w("row_generalised", system=name), figure(one))
             for name, one in found.bang_generalised.items()]
    rows += [(sheet.w("row_bang", system=name), figure(one)) for name, one in found.bang.items()]
    rows.append((sheet.w("row_james"), figure(found.james)))
    return Grid("blinding", sheet.w("table_blinding"), sheet.heads("index:", "value"),
                tuple(rows), notes=(sheet.w("note_blinding"),), rules=(3,))


def _guesses(sheet: Sheet, found: StudyBlinding) -> Grid:
    return Grid(
        "guesses", sheet.w("table_guesses"),
        sheet.heads("preference:", "right", "wrong", "dont_know"),
        tuple((sheet.w(f"preferred_{one.preference}"), one.correct, one.wrong, one.dont_know)
              for one in found.with_preference),
    )


def _by_rater(sheet: Sheet, found: StudyBlinding) -> str:
    told: Iterator[str] = (
        sheet.w("accuracy_of", rater=rater, right=right, decided=decided)
        for rater, (right, decided) in found.accuracy_by_rater.items()
    )
    return sheet.list(list(told))
