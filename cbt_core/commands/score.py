"""``score``: automatic metrics of answers; ``study import-metrics``: keep them with a study."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cbt_core.commands.common import (
    codes,
    command,
    desk,
    now,
    open_database,
    path_type,
    progress,
    table,
    tell,
    warn,
)
from cbt_core.commands.study import group
from cbt_core.domain.people import TERMINAL
from cbt_core.errors import StudyError
from cbt_core.settings import ROOT
from cbt_core.words import say

if TYPE_CHECKING:
    from cbt_core.metrics.paper import PaperRow
    from cbt_core.metrics.score_table import Cell, Comparison, Outcome


CACHE: Final = ROOT / "data" / "cache" / "metrics"
UNKNOWN_SHOWN: Final = 10
"""Systems named at most when a study does not know them."""

PLACES: Final[dict[str, int]] = {"bleu": 2, "chrf": 2}
OWN_PLACES: Final = 4
PARTS: Final = "structure_"
"""Measures whose comparisons stand in the JSON only."""


def add_to(parent: click.Group) -> None:
    """Add `score`; `import-metrics` joins the group `study` as it is defined."""
    command(
        parent, "score",
        example="score --candidates baseline.jsonl --candidates tuned.jsonl "
        "--references references.jsonl --metrics bleu,chrf,meteor --out scores.json",
    )(score)


@click.option("--candidates", type=path_type(), multiple=True, required=True,
              help="Answers of one or several systems; repeatable.")
@click.option("--references", type=path_type(), required=True,
              help="Reference answers; several rows of one id are several references.")
@click.option("--metrics", default="bleu,chrf,meteor", show_default=True,
              help="bleu, chrf, meteor, bertscore, bleurt, structure, distinct; joined by commas.")
@click.option("--out", type=path_type(), required=True, help="JSON file to write.")
@click.option("--segments", type=path_type(), help="JSONL of every answer's scores.")
@click.option("--tokenize", type=click.Choice(["zh", "char", "13a"]), default="zh",
              show_default=True, help="Words for BLEU (sacrebleu's name) and METEOR.")
@click.option("--model", "models", multiple=True, metavar="METRIC=DIR",
              help="Model of bertscore or bleurt: a folder or Hugging Face id; repeatable.")
@click.option("--layer", type=click.IntRange(min=1), help="Layer BERTScore compares.")
@click.option("--idf", is_flag=True, help="Weigh BERTScore's tokens by rarity in the references.")
@click.option("--rescale", is_flag=True, help="Rescale BERTScore by its baseline.")
@click.option("--baseline", type=path_type(), help="Baseline file (bert-score's form).")
@click.option("--synonyms", type=path_type(), help="Synonyms for METEOR, one group per line.")
@click.option("--bootstrap", type=click.IntRange(min=0), default=1000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--cache", type=path_type(), default=CACHE, show_default="data/cache/metrics",
              help="Folder of kept scores: a second run scores only what changed.")
@click.option("--no-cache", is_flag=True, help="Keep nothing, reuse nothing.")
def score(
    *, candidates: tuple[Path, ...], references: Path, metrics: str, out: Path,
    segments: Path | None, models: tuple[str, ...], synonyms: Path | None, cache: Path,
    no_cache: bool, **settings: object,
) -> None:
    """Automatic metrics with intervals and paired tests (the paper's Table 4)."""
    from cbt_core.metrics import file_scores
    from cbt_core.metrics.measures import Plan

    chosen = _metrics(metrics)
    named = _models(models)
    plan = Plan(
        chosen, models=named, synonyms=file_scores.synonyms_from(synonyms),
        **settings,  # type: ignore[arg-type]
    )
    with progress(say("metrics.scoring", desk().language, metric=metrics)) as step:
        done = file_scores.score_files(
            candidates, references, plan, out=out, segments=segments,
            cache=None if no_cache else cache, step=_stepping(step),
        )
    warn(done.warnings)
    _show(done.outcome)
    if done.failed:
        raise _all_failed(done.outcome)
    tell("written", file=out)


@command(
    group, "import-metrics",
    example="study import-metrics sleep-2026 --segments segments.jsonl",
)
@click.argument("slug")
@click.option("--segments", type=path_type(), required=True, help="Written by score --segments.")
def import_metrics(slug: str, segments: Path) -> None:
    """Keep the automatic scores of a study's answers, for correlation with people's."""
    from cbt_core.services.results import segment_scores

    done = segment_scores.import_segments(
        open_database(), TERMINAL, slug=slug, path=segments, now=now()
    )
    language = desk().language
    names = ", ".join(done.unknown[:UNKNOWN_SHOWN])
    unknown = say("metrics.unknown_systems", language, names=names) if names else ""
    click.echo(say("metrics.imported", language, slug=slug, new=done.new, known=done.known,
                   elsewhere=done.elsewhere, unknown=unknown))


def _metrics(joined: str) -> tuple[str, ...]:
    from cbt_core.metrics.score_table import METRICS

    chosen = tuple(dict.fromkeys(codes(joined)))
    unknown = [name for name in chosen if name not in METRICS]
    if unknown or not chosen:
        raise click.BadParameter(
            f"{', '.join(unknown)!r}: choose from {', '.join(METRICS)}", param_hint="--metrics"
        )
    return chosen


def _models(given: tuple[str, ...]) -> dict[str, str]:
    from cbt_core.metrics.score_table import MODELS

    models = {}
    for option in given:
        metric, _, name = option.partition("=")
        if metric not in MODELS or not name:
            raise click.BadParameter(
                f"{option!r}: write {' or '.join(f'{metric}=DIR' for metric in MODELS)}",
                param_hint="--model",
            )
        models[metric] = name
    return models


def _stepping(step: Callable[[int, int], None]) -> Callable[[str, int, int], None]:
    return lambda _metric, done, of: step(done, of)


def _all_failed(outcome: "Outcome") -> StudyError:
    language = desk().language
    reasons = "; ".join(f"{name}: {reason.say(language)}"
                        for name, reason in outcome.missing.items())
    return StudyError("metrics.all_failed", reasons=reasons)


def _show(outcome: "Outcome") -> None:
    from cbt_core.metrics import paper
    from cbt_core.metrics.score_table import REFERENCED

    language = desk().language
    names = [name for name in outcome.names if name in REFERENCED]
    rows: list[list[object]] = [
        [system, len(outcome.corpus.keys_of(system)), *(_told(row[name], name) for name in names)]
        for system, row in outcome.cells.items()
    ]
    for known in paper.table():
        label = say("metrics.paper_row", language, backbone=known.backbone)
        rows.append([label, "", *(_published(known, name, language) for name in names)])
    if names:
        table([say("metrics.system", language), say("metrics.answers", language), *names], rows)
        click.echo(say("metrics.note", language))
    _show_structure(outcome, [name for name in outcome.names if name not in REFERENCED])
    _show_doubts(outcome)
    _show_comparisons(outcome.comparisons, outcome.family)


def _show_structure(outcome: "Outcome", names: Sequence[str]) -> None:
    language = desk().language
    if names:
        rows = [
            [name, *(_told(row[name], name) for row in outcome.cells.values())] for name in names
        ]
        click.echo()
        table([say("metrics.measure", language), *outcome.cells], rows)
        click.echo(say("metrics.automatic", language))


def _show_doubts(outcome: "Outcome") -> None:
    language = desk().language
    corpus = outcome.corpus
    common = len(corpus.common(corpus.systems))
    if any(len(corpus.keys_of(system)) != common for system in corpus.systems):
        click.echo(say("metrics.unequal", language, common=common, items=len(corpus.keys)))
    for name, reason in outcome.missing.items():
        click.echo(say("metrics.unavailable", language, metric=name, reason=reason.say(language)))
    for system, row in outcome.cells.items():
        for name, cell in row.items():
            if cell.cut:
                click.echo(say("metrics.truncated", language, metric=name, system=system,
                               share=f"{cell.cut:.0%}"))


def _show_comparisons(comparisons: "tuple[Comparison, ...]", family: int) -> None:
    language = desk().language
    rows = [
        (f"{one.a} - {one.b}", one.metric, one.items, _number(one.difference, one.metric),
         _interval(one.low, one.high, one.metric), _p(one.p), _p(one.p_bootstrap))
        for one in comparisons
        if one.difference is not None and not one.metric.startswith(PARTS)
    ]  # fmt: skip
    if rows:
        click.echo("\n" + say("metrics.compared", language, count=family))
        keys = ("pair", "metric", "items", "difference", "interval", "p", "p_bootstrap")
        table([say(f"metrics.{key}", language) for key in keys], rows)


def _told(cell: "Cell", name: str) -> str:
    figure = _number(cell.value, name)
    return f"{figure} {_interval(cell.low, cell.high, name)}".strip()


def _published(known: "PaperRow", name: str, language: str) -> str:
    value = known.value(name)
    if value is not None:
        return f"{value:.4f}"
    return say("metrics.best" if name in known.best else "metrics.not_published", language)


def _number(value: float | None, name: str) -> str:
    return "-" if value is None else f"{value:.{PLACES.get(name, OWN_PLACES)}f}"


def _interval(low: float | None, high: float | None, name: str) -> str:
    if low is None or high is None:
        return ""
    return f"[{_number(low, name)}, {_number(high, name)}]"


def _p(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
