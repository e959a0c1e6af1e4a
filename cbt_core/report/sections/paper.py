"""Tables in the form of the CBT-LLM paper, with intervals, and its known cells beside ours."""

from typing import Final

from cbt_core.analysis.paper import known
from cbt_core.metrics import paper as paper_metrics
from cbt_core.report.blocks import Block, Cell, Figure, Grid, Head, Section, Subhead, Words, figure
from cbt_core.report.sections.comparison import mean_of
from cbt_core.report.sheet import Sheet
from cbt_core.stats.comparison.safety import wilson

PERCENT_METRICS: Final = frozenset({"bleu", "chrf"})
"""Stored on 0 to 100; the paper prints 0 to 1."""

THREE: Final = 3
FOUR: Final = 4


def paper(sheet: Sheet) -> Section:
    """Return the tables for which the study has data."""
    blocks: list[Block] = [sheet.words("paper_about", source=known()["source"])]
    blocks += [Subhead(sheet.w("sub_table_5")), *_table_5(sheet)]
    blocks += [Subhead(sheet.w("sub_table_4")), *_table_4(sheet)]
    blocks += [Subhead(sheet.w("sub_table_3")), *_table_3(sheet)]
    blocks += [Subhead(sheet.w("sub_table_1")), *_table_1(sheet)]
    return sheet.section("paper", blocks)


def _table_5(sheet: Sheet) -> list[Block]:
    if sheet.closed("comparison"):
        reason = sheet.reason(sheet.analysis.withheld["comparison"])
        return [Words(sheet.w("closed", reason=reason))]
    scales = [s for s in sheet.analysis.scales if s not in sheet.analysis.nominal]
    ours = _ours(sheet, scales)
    theirs = tuple(
        (sheet.w("of_paper", model=row["model"]),
         *(_cell(sheet, row.get(scale), scale) for scale in scales))
        for row in known()["table_5"]
    )
    heads = (*sheet.heads("model:"), *(Head(s, sheet.scale(s)) for s in scales))
    notes = (sheet.w("note_table_5"), sheet.w("note_paper_scales"))
    title = "table_5_simulated" if sheet.context.study.demonstration else "table_5"
    return [Grid("table_5", sheet.w(title), heads, (*ours, *theirs), notes, (0, len(ours)))]


def _ours(sheet: Sheet, scales: list[str]) -> tuple[tuple[Cell, ...], ...]:
    compared = sheet.analysis.comparison
    if compared is None:  # a single system: nothing was compared
        return ()
    return tuple(
        (system, *(mean_of(compared.scales[scale].systems[system], THREE) for scale in scales))
        for system in sheet.analysis.systems
    )


def _cell(sheet: Sheet, value: float | None, key: str) -> Cell:
    """Return a cell of the paper: its figure, or that it is not published here."""
    if value is not None:
        return Figure(value, digits=THREE)
    asked = {"relevance", "structure", "helpfulness"}
    return sheet.w("not_published") if key in asked else None


def _table_4(sheet: Sheet) -> list[Block]:
    if not sheet.context.metric_means:
        closed = sheet.closed("metrics")
        return [sheet.words("closed", reason=sheet.reason(sheet.analysis.withheld["metrics"]))
                if closed else sheet.words("no_metrics")]
    ours = tuple(
        (system, *(_metric(sheet, system, metric) for metric in paper_metrics.METRICS))
        for system in sorted({one.system for one in sheet.context.metric_means})
    )
    theirs = tuple(
        (sheet.w("of_paper", model=row.backbone),
         *(_metric_of_paper(sheet, row, metric) for metric in paper_metrics.METRICS))
        for row in paper_metrics.table()
    )
    heads = (*sheet.heads("model:"), *(Head(m, m.upper()) for m in paper_metrics.METRICS))
    notes = (sheet.w("note_table_4"), *_signatures(sheet))
    return [Grid("table_4", sheet.w("table_4"), heads, (*ours, *theirs), notes, (0, len(ours)))]


def _signatures(sheet: Sheet) -> list[str]:
    """Return the signatures of the means in the table, each metric's once."""
    newest = {(one.metric, one.system): one.signature for one in sheet.context.metric_means}
    return [
        f"{metric}: {signature}" for metric in paper_metrics.METRICS
        for signature in sorted({told for key, told in newest.items() if key[0] == metric})
    ]


def _metric(sheet: Sheet, system: str, metric: str) -> Cell:
    """Return our mean on the paper's scale; of several signatures the last stored one."""
    means = [one for one in sheet.context.metric_means
             if (one.system, one.metric) == (system, metric)]
    if not means:
        return sheet.w("not_computed")
    mean = means[-1].mean
    unit = 100.0 if metric in PERCENT_METRICS else 1.0

    def on_paper(value: float | None) -> float | None:
        return None if value is None else value / unit

    return Figure(on_paper(mean.value), on_paper(mean.low), on_paper(mean.high), mean.reason,
                  digits=FOUR)


def _metric_of_paper(sheet: Sheet, row: paper_metrics.PaperRow, metric: str) -> Cell:
    known_value = row.value(metric)
    if known_value is not None:
        return Figure(known_value, digits=FOUR)
    return sheet.w("paper_best" if metric in row.best else "not_published")


MEASURES: Final = ("accuracy", "recall", "f1", "precision", "specificity", "kappa")


def _table_3(sheet: Sheet) -> list[Block]:
    labels = sheet.context.labels
    if labels is None or not labels.detected:
        return [sheet.words(_no_detection(sheet))]
    cells: list[tuple[Cell, ...]] = [
        (one.name, one.found.n_items, *(figure(one.found.binary.values[key]) for key in MEASURES))
        for one in labels.detected
    ]
    theirs = known()["table_3"]
    paper_row: tuple[Cell, ...] = (
        sheet.w("of_paper", model=sheet.w("paper_prompt")), theirs["n"],
        *(Figure(theirs[key]) if key in theirs else sheet.w("not_published") for key in MEASURES),
    )
    return [Grid(
        "table_3", sheet.w("table_3"),
        sheet.heads("model:", "n_items", *(f"m_{key}" for key in MEASURES)), (*cells, paper_row),
        notes=(sheet.w("note_table_3"),), rules=(len(cells),),
    )]


def _no_detection(sheet: Sheet) -> str:
    if sheet.context.labels is None:
        return "labels_withheld" if sheet.context.labels_withheld else "no_labels"
    return "no_detection_yet" if sheet.closed("comparison") else "no_detection"


def _table_1(sheet: Sheet) -> list[Block]:
    ours = sheet.context.prevalence
    if sheet.context.labels is None or ours is None or not ours.items:
        return [sheet.words("labels_withheld" if sheet.context.labels_withheld else "no_labels")]
    theirs = known()["table_1"]
    rows: list[tuple[Cell, ...]] = [
        (sheet.w("row_entries"), ours.items, None, int(theirs["entries"])),
        (sheet.w("row_with_any"), ours.with_any, _share(ours.with_any, ours.items),
         Figure(theirs["with_any"] / theirs["entries"], form="share")),
    ]
    counts = dict(ours.by_label)
    for label in sheet.context.scheme.labels:
        n = counts.get(label.id, 0)
        of_paper = theirs["of_distorted"].get(label.id)
        rows.append((
            label.name(sheet.language), n, _share(n, ours.with_any),
            Figure(of_paper, form="share") if of_paper else sheet.w("not_published"),
        ))
    notes = (
        sheet.w("note_table_1", adjudicated=ours.adjudicated, single=ours.single,
                majority=ours.items - ours.adjudicated - ours.single),
        sheet.w("note_wilson"),
    )
    return [
        *_label_agreement(sheet),
        Grid("table_1", sheet.w("table_1"),
             sheet.heads("quantity:", "count", "share", "paper"), tuple(rows), notes, (2,)),
    ]


def _label_agreement(sheet: Sheet) -> list[Block]:
    if sheet.context.labels is None:
        return []
    agreed = sheet.context.labels.agreement
    return [sheet.words(
        "labels_agreement", masi=sheet.told(figure(agreed.alpha_masi)),
        any=sheet.told(figure(agreed.any.alpha)),
        percent=sheet.told(figure(agreed.any.percent_agreement, "share")),
    )]


def _share(count: int, n: int) -> Cell:
    if not n:
        return None
    return Figure(count / n, *wilson(count, n), form="share")
