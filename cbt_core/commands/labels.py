"""``labels``: agreement between annotators, a machine against gold; no database needed."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cbt_core.commands.common import Group, command, desk, path_type, table, warn
from cbt_core.words import say

if TYPE_CHECKING:
    from cbt_core.services.results.file_analysis import LabelFigures
    from cbt_core.stats.labels.detection import Detection, Measured
    from cbt_core.stats.values import Framed


MEASURES: Final = ("accuracy", "precision", "recall", "specificity", "f1", "kappa")


@click.group("labels", cls=Group)
def group() -> None:
    """Measure labels: agreement, detection against gold."""


def add_to(parent: click.Group) -> None:
    """Add this group to the program."""
    parent.add_command(group)


SCHEME_HELP = "burns-12, cbt-bench-10, c2d2-7, cbt-llm-5 or an own file; default: labels as seen."


@command(
    group, "agreement",
    example="labels agreement labels.csv --scheme burns-12 --out labels-agreement.json",
)
@click.argument("labels", type=path_type())
@click.option("--out", type=path_type(), required=True, help="JSON file to write.")
@click.option("--scheme", metavar="ID|FILE", help=SCHEME_HELP)
@click.option("--spans", type=path_type(), help="Marked spans; needs --documents.")
@click.option("--documents", type=path_type(), help="The texts in which spans are counted.")
@click.option("--encoding", metavar="NAME", help="Encoding of CSV files, if not UTF-8.")
@click.option("--bootstrap", type=click.IntRange(min=0), default=1000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--gamma", is_flag=True, help="Gamma of the spans too (extra package).")
@click.option(
    "--aggregate", type=click.Choice(["dawid-skene", "mace"]),
    help="Infer gold from all annotators (extra package).",
)
@click.option("--aggregate-out", type=path_type(), help="CSV file for the inferred gold.")
def agreement(*, labels: Path, out: Path, **given: object) -> None:
    """Agreement on label sets, on each label and on marked characters.

    LABELS has the columns item_id, annotator, labels; every form with an example: docs/labels.md.
    """
    from cbt_core.services.results import file_analysis

    wishes = file_analysis.Wishes(**given)  # type: ignore[arg-type]
    done = file_analysis.labels_agreement_file(labels, out=out, wishes=wishes)
    warn(done.warnings)
    _show_agreement(done.found)
    _tell("written", file=out)
    if wishes.aggregate_out:
        _tell("written", file=wishes.aggregate_out)


@command(group, "evaluate", example="labels evaluate gold.csv --scheme burns-12 --out eval.json")
@click.argument("gold", type=path_type())
@click.option("--out", type=path_type(), required=True, help="JSON file to write.")
@click.option("--scheme", metavar="ID|FILE", help=SCHEME_HELP)
@click.option("--model", type=path_type(), help="The machine's labels, if GOLD has no column.")
@click.option("--machine", metavar="M1", help="Which machine, if --model holds several.")
@click.option("--encoding", metavar="NAME", help="Encoding of CSV files, if not UTF-8.")
@click.option("--gold-scheme", metavar="ID", help="Scheme of column gold, if they differ.")
@click.option("--model-scheme", metavar="ID", help="Scheme of column model, if they differ.")
@click.option("--bootstrap", type=click.IntRange(min=0), default=1000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def evaluate(*, gold: Path, out: Path, bootstrap: int, seed: int, **given: object) -> None:
    """A machine's labels against gold, the paper's Table 3 beside them.

    GOLD has the columns item_id, gold, model; or item_id, gold, with the machine's labels in the
    file --model. Every form with an example: docs/labels.md.
    """
    from cbt_core.services.results import file_analysis

    words = {name: str(value) if value else None for name, value in given.items()}
    schemes = file_analysis.Schemes(
        words["scheme"], words["gold_scheme"], words["model_scheme"]
    )
    done = file_analysis.evaluate_file(
        file_analysis.gold_files(
            gold, model=words["model"], machine=words["machine"], encoding=words["encoding"]
        ),
        out=out, schemes=schemes, bootstrap=bootstrap, seed=seed,
    )
    warn(done.warnings)
    _show_evaluation(done.found)
    _tell("written", file=out)


def _tell(key: str, /, **values: object) -> None:
    click.echo(say(f"labels.{key}", desk().language, **values))


def _heads(*keys: str) -> list[str]:
    return [say(f"labels.column_{key}", desk().language) for key in keys]


def _show_agreement(figures: "LabelFigures") -> None:
    measures = figures.agreement
    _tell("agreement_heading", items=measures.n_items, annotators=measures.n_annotators,
          sets=measures.n_sets, unsure=measures.flow.get("unsure", 0))
    click.echo(f"alpha MASI: {_value(measures.alpha_masi)}")
    click.echo(f"alpha Jaccard: {_value(measures.alpha_jaccard)}")
    whole, spans = measures.spans.whole, _heads("spans")[0]
    for name, value in (("alpha", whole.char_alpha), (_heads("pooled")[0], whole.char_f1_pooled),
                        (_heads("mean")[0], whole.char_f1)):
        click.echo(f"{spans} {name}: {_value(value)}")
    if measures.spans.pairs:
        _tell("span_pairs", pairs=len(measures.spans.pairs),
              fewest=min(one.n for one in measures.spans.pairs))
    if figures.gamma:
        click.echo(f"gamma: {_value(figures.gamma.mean)}")
    table(
        [*_heads("label", "prevalence", "agreement"), "alpha", "AC1"],
        [[label, _number(one.prevalence.value), _value(one.percent_agreement), _value(one.alpha),
          _value(one.ac1)]
         for label, one in {_heads("any")[0]: measures.any, **measures.labels}.items()],
    )


def _show_evaluation(score: "Detection") -> None:
    from cbt_core.stats.labels.detection import PREVALENCE, TABLE_3

    _tell("evaluate_heading", items=score.n_items)
    if score.n_items_labels != score.n_items:
        _tell("any_only", items=score.n_items, labels=score.n_items_labels)
    _tell("gold_from", source=say("labels.gold_file", desk().language)
          if score.gold_from == "file" else score.gold_from)
    if score.gold_rules:
        rules = ", ".join(f"{rule} {count}" for rule, count in score.gold_rules.items())
        _tell("gold_rules", rules=rules)
    _show_notes(score)
    click.echo()
    names = ("accuracy", "precision", "recall", "specificity")
    table(
        ["", *_heads(*names), "F1", "kappa"],
        [[_heads("any")[0], *(_value(_plain(score.binary.values[key])) for key in MEASURES)],
         [say("labels.paper_row", desk().language), *(_number(TABLE_3.get(key))
                                                      for key in MEASURES)]],
    )
    for key, why in score.binary.reasons.items():
        name = _heads(key)[0] if key in names else {"f1": "F1"}.get(key, key)
        click.echo(f"{name}: {_reason(why)}")
    _tell("prevalence_line", gold=_number(score.binary.values["prevalence_gold"].value),
          model=_number(score.binary.values["prevalence_model"].value), paper=_number(PREVALENCE))
    click.echo()
    table(
        [*_heads("label"), "tp", "fp", "fn", "tn", *_heads("precision", "recall"), "F1", "kappa"],
        [[name, *_cells(one)] for name, one in [*score.per_label.items(), *score.averages.items()]],
    )


def _cells(line: "Measured") -> list[str]:
    """Return counts and figures of a line; what it does not have is left empty."""
    cells = line.cells
    counts = (cells.tp, cells.fp, cells.fn, cells.tn) if cells else ("",) * 4
    figures = (_number(line.values[key].value) if key in line.values else ""
               for key in ("precision", "recall", "f1", "kappa"))
    return [*map(str, counts), *figures]


def _show_notes(detection: "Detection") -> None:
    if detection.weighted is not None:
        _tell("enriched")
    if detection.crosswalk is None:
        return
    for name, side in (("gold", detection.crosswalk.gold), ("model", detection.crosswalk.model)):
        if side.left:
            _tell("not_mapped", side=name, target=detection.crosswalk.target,
                  count=sum(side.left.values()), labels=", ".join(side.left))


def _plain(figure: "Framed") -> "Framed":
    """Return a figure without its reason, which is told below the table."""
    from cbt_core.stats.values import Value

    return Value(figure.value, figure.low, figure.high)


def _value(figure: "Framed") -> str:
    """Return ``.71 [.66, .75]``, or a dash for what is undefined; the reason is in the JSON."""
    why = f" ({_reason(figure.reason)})" if figure.reason else ""
    if figure.value is None:
        return f"-{why}"
    if figure.low is None:
        return _number(figure.value) + why
    return f"{_number(figure.value)} [{_number(figure.low)}, {_number(figure.high)}]"


def _reason(text: str) -> str:
    from cbt_core.stats.labels.label_sets import translated

    return translated(text, desk().language)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
