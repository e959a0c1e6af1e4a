"""``labels``: agreement between annotators, a machine against gold; no database needed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from cbt_core.commands.common import Group, command, desk, path_type, table, warn
from cbt_core.words import say


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


def _show_agreement(found: Mapping[str, object]) -> None:
    flow = _part(found, "flow")
    _tell("agreement_heading", items=found["n_items"], annotators=found["n_annotators"],
          sets=found["n_sets"], unsure=flow.get("unsure", 0))
    for key, name in (("alpha_masi", "alpha MASI"), ("alpha_jaccard", "alpha Jaccard")):
        click.echo(f"{name}: {_value(_part(found, key))}")
    spans = _part(found, "spans")
    for key, name in (("char_alpha", "alpha"), ("char_f1_pooled", _heads("pooled")[0]),
                      ("char_f1", _heads("mean")[0])):
        click.echo(f"{_heads('spans')[0]} {name}: {_value(_part(spans, key))}")
    pairs = spans.get("char_f1_pairs")
    if isinstance(pairs, list) and pairs:
        _tell("span_pairs", pairs=len(pairs), fewest=min(one["n"] for one in pairs))
    if "gamma" in found:
        click.echo(f"gamma: {_value(_part(found, 'gamma'))}")
    labels = {_heads("any")[0]: found["any"], **_part(found, "labels")}
    table(
        [*_heads("label", "prevalence", "agreement"), "alpha", "AC1"],
        [[label, _number(body["prevalence"]),
          *(_value(_part(body, key)) for key in ("percent_agreement", "alpha_nominal", "ac1"))]
         for label, body in labels.items() if isinstance(body, Mapping)],
    )


def _show_evaluation(found: Mapping[str, object]) -> None:
    _tell("evaluate_heading", items=found["n_items"])
    if found["n_items_labels"] != found["n_items"]:
        _tell("any_only", items=found["n_items"], labels=found["n_items_labels"])
    source = str(found["gold_from"])
    _tell("gold_from", source=say("labels.gold_file", desk().language)
          if source == "file" else source)
    rules = _part(found, "gold_rules")
    if rules:
        _tell("gold_rules", rules=", ".join(f"{rule} {count}" for rule, count in rules.items()))
    _show_notes(found)
    click.echo()
    names = ("accuracy", "precision", "recall", "specificity")
    paper = _part(_part(found, "paper"), "binary")
    table(
        ["", *_heads(*names), "F1", "kappa"],
        [[_heads("any")[0], *_with_intervals(_part(found, "binary"))],
         [say("labels.paper_row", desk().language), *_row(paper, (*names, "f1", "kappa"))]],
    )
    binary = _part(found, "binary")
    for key, why in _part(binary, "reasons").items():
        name = _heads(key)[0] if key in names else {"f1": "F1"}.get(key, key)
        click.echo(f"{name}: {_reason(str(why))}")
    _tell("prevalence_line", gold=_number(binary["prevalence_gold"]),
          model=_number(binary["prevalence_model"]),
          paper=_number(_part(_part(found, "paper"), "prevalence").get("any")))
    click.echo()
    columns = ("tp", "fp", "fn", "tn", "precision", "recall", "f1", "kappa")
    table(
        [*_heads("label"), "tp", "fp", "fn", "tn", *_heads("precision", "recall"), "F1", "kappa"],
        [[label, *_row(body, columns)]
         for label, body in [*_part(found, "per_label").items(),
                             *((key, found[key]) for key in ("micro", "macro", "macro_supported"))]
         if isinstance(body, Mapping)],
    )


def _show_notes(found: Mapping[str, object]) -> None:
    if "note" in found:
        _tell("enriched")
    crosswalk = _part(found, "crosswalk")
    for side in ("gold", "model"):
        part = _part(crosswalk, side)
        left = {**_part(part, "not_mapped"), **_part(part, "only_partly")}
        if left:
            _tell("not_mapped", side=side, target=crosswalk["target"],
                  count=sum(_count(count) for count in left.values()), labels=", ".join(left))


def _with_intervals(body: Mapping[str, object]) -> list[str]:
    intervals = _part(body, "intervals")
    return [
        _value({"value": body[key], **_part(intervals, key)})
        for key in ("accuracy", "precision", "recall", "specificity", "f1", "kappa")
    ]


def _row(body: Mapping[str, object], keys: Sequence[str]) -> list[str]:
    return [_number(body[key]) if key in body else "" for key in keys]


def _part(body: Mapping[str, object], key: str) -> Mapping[str, "object"]:
    found = body.get(key)
    return found if isinstance(found, Mapping) else {}


def _value(body: Mapping[str, object]) -> str:
    """Return ``.71 [.66, .75]``, or a dash for what is undefined; the reason is in the JSON."""
    if body.get("value") is None:
        reason = body.get("reason")
        return f"- ({_reason(str(reason))})" if reason else "-"
    if body.get("low") is None:
        reason = body.get("reason")
        return _number(body["value"]) + (f" ({_reason(str(reason))})" if reason else "")
    return f"{_number(body['value'])} [{_number(body['low'])}, {_number(body['high'])}]"


def _reason(text: str) -> str:
    from cbt_core.stats.labels.reasons import translated

    return translated(text, desk().language)


def _number(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    return f"{value:.3f}" if isinstance(value, float) else "-"


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
