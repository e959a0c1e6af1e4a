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
    choices = sheet.analysis.bradley_terry
    if choices is None:
        closed = sheet.closed("bradley_terry")
        return sheet.section("preferences", [sheet.words("one_system")], of="bradley_terry",
                             closed=closed)
    if not choices.n:
        blocks: list[Block] = [sheet.words("no_preferences")]
    else:
        blocks = _preferences(sheet, choices)
    return sheet.section("preferences", blocks, of="bradley_terry")


def _preferences(sheet: Sheet, choices: BradleyTerry) -> list[Block]:
    blocks: list[Block] = [sheet.words(
        "preferences_about", n=choices.n, items=choices.n_items, raters=choices.n_raters,
        tied=choices.n_tied, skipped=choices.n_skipped, reference=choices.reference,
    )]
    if choices.reason:
        blocks.append(sheet.words("preferences_undefined", reason=sheet.reason(choices.reason)))
    chances = choices.preferred_over_reference
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.system, one.n, one.preferred, one.tied, one.n - one.preferred - one.tied,
         Figure(0.0) if one.system == choices.reference else figure(one.log_strength),
         None if one.system == choices.reference else figure(chances.get(one.system)))
        for one in choices.strengths
    )
    blocks.append(Grid(
        "preferences", sheet.w("table_preferences"),
        sheet.heads("system:", "n", "preferred", "tied", "not_preferred", "log_strength",
                    "chance"),
        rows, notes=(sheet.w("note_preferences", reference=choices.reference),),
    ))
    drawn = tuple(PlotRow(name, figure(chance)) for name, chance in chances.items())
    if any(row.figure and row.figure.value is not None for row in drawn):
        axis = Axis(sheet.w("axis_chance", reference=choices.reference), (0.0, 1.0), HALF, most=1.0)
        blocks.append(draw_intervals(Plot(
            "preferences", sheet.w("figure_preferences"), drawn, axis
        ),
                           sheet.language))
    if choices.reason:
        return blocks
    blocks.append(sheet.words(
        "preferences_position", position=sheet.told(figure(choices.position)),
        tie=sheet.told(figure(choices.tie)),
    ))
    return blocks


def position(sheet: Sheet) -> Section:
    """Return the share of the left slot."""
    sides = sheet.analysis.position
    rows = [_left(sheet.w("row_preferences"), sides.preferences)]
    rows += [_left(sheet.scale(scale), one) for scale, one in sides.scores.items()]
    by_rater: list[tuple[Cell, ...]] = [
        (rater, figure(share, "share"), *(
            figure(one.by_rater.get(rater), "share") for one in sides.scores.values()
        ))
        for rater, share in sides.preferences.by_rater.items()
    ]
    keys = sheet.heads("rater:", "preferences")
    heads = (*keys, *(type(keys[0])(scale, sheet.scale(scale)) for scale in sides.scores))
    blocks: list[Block] = [
        sheet.words("position_about"),
        Grid("position", sheet.w("table_position"),
             sheet.heads("of:", "n_decided", "n_equal", "left_share"), tuple(rows)),
        Grid("position_raters", sheet.w("table_position_raters"), heads, tuple(by_rater)),
    ]
    return sheet.section("position", blocks, of="position")


def _left(name: str, left: LeftShare) -> tuple[Cell, ...]:
    return name, left.n, left.n_equal, figure(left.share, "share")


def length(sheet: Sheet) -> Section:
    """Return how scores go with length, and differences at equal length."""
    effects = sheet.analysis.length
    if effects is None:
        return sheet.section("length", (), of="length", closed=True)
    rows: list[tuple[Cell, ...]] = []
    rules = []
    for scale, effect in effects.items():
        rules.append(len(rows))
        name = sheet.scale(scale)
        if not effect.adjusted:
            rows.append((name, None, figure(effect.per_doubling), None, None, None))
        for place, (system, adjusted) in enumerate(effect.adjusted.items()):
            rows.append((
                "" if place else name, system, None if place else figure(effect.per_doubling),
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
    for scale, repeats in sheet.analysis.retest.items():
        if not repeats.pooled.n:
            continue
        rules.append(len(rows))
        kinds = [("pooled", repeats.pooled), ("same_order", repeats.same_order),
                 ("swapped_order", repeats.swapped_order)]
        named = [(sheet.w(f"retest_{kind}"), one) for kind, one in kinds]
        for place, (name, part) in enumerate([*named, *repeats.by_rater.items()]):
            rows.append(("" if place else sheet.scale(scale), *_retest(name, part)))
    if not rows:
        return sheet.section("retest", [sheet.words("no_repeats")], of="retest")
    grid = Grid(
        "retest", sheet.w("table_retest"),
        sheet.heads("scale:", "of:", "n", "n_items", "exact", "kappa_q", "shift"), tuple(rows),
        notes=(sheet.w("note_retest"),), rules=tuple(rules),
    )
    return sheet.section("retest", [sheet.words("retest_about"), grid], of="retest")


def _retest(name: str, part: Retest) -> tuple[Cell, ...]:
    return (name, part.n, part.n_items, figure(part.exact, "share"), figure(part.kappa_quadratic),
            figure(part.shift))


def blinding(sheet: Sheet) -> Section:
    """Return whether raters could tell the systems; closed before the unblinding."""
    tally = sheet.analysis.blinding
    if tally is None:
        return sheet.section("blinding", (), of="blinding", closed=True)
    if not tally.n:
        return sheet.section("blinding", [sheet.words("no_guesses")], of="blinding")
    read = tuple(say(f"stats.{code}", sheet.language) for code in tally.interpretation)
    blocks: list[Block] = [
        sheet.words("blinding_about", n=tally.n, raters=tally.n_raters, left_out=tally.n_left_out),
        Points(read), _indices(sheet, tally), _guesses(sheet, tally),
        Subhead(sheet.w("sub_by_rater")), Words(_by_rater(sheet, tally)),
    ]
    return sheet.section("blinding", blocks, of="blinding")


def _indices(sheet: Sheet, guesses: StudyBlinding) -> Grid:
    rows: list[tuple[Cell, ...]] = [
        (sheet.w("row_accuracy"), figure(guesses.pair_accuracy, "share")),
        (sheet.w("row_dont_know"), figure(guesses.dont_know_share, "share")),
        (sheet.w("row_follows"), figure(guesses.follows_preference, "share")),
    ]
    rows += [(sheet.w("row_generalised", system=name), figure(one))
             for name, one in guesses.bang_generalised.items()]
    rows += [(sheet.w("row_bang", system=name), figure(one)) for name, one in guesses.bang.items()]
    rows.append((sheet.w("row_james"), figure(guesses.james)))
    return Grid("blinding", sheet.w("table_blinding"), sheet.heads("index:", "value"),
                tuple(rows), notes=(sheet.w("note_blinding"),), rules=(3,))


def _guesses(sheet: Sheet, guesses: StudyBlinding) -> Grid:
    return Grid(
        "guesses", sheet.w("table_guesses"),
        sheet.heads("preference:", "right", "wrong", "dont_know"),
        tuple((sheet.w(f"preferred_{one.preference}"), one.correct, one.wrong, one.dont_know)
              for one in guesses.with_preference),
    )


def _by_rater(sheet: Sheet, guesses: StudyBlinding) -> str:
    phrases: Iterator[str] = (
        sheet.w("accuracy_of", rater=rater, right=right, decided=decided)
        for rater, (right, decided) in guesses.accuracy_by_rater.items()
    )
    return sheet.list(list(phrases))
