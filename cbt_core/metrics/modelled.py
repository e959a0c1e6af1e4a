"""BERTScore and BLEURT over all systems; a metric that cannot run says why."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from cbt_core.errors import StudyError
from cbt_core.metrics import encoder
from cbt_core.metrics.bootstrap import averaged, mean
from cbt_core.metrics.cache import Cache
from cbt_core.metrics.measuring import Measured, Plan, Step, gathered, signed
from cbt_core.metrics.pairing import Corpus, Task
from cbt_core.metrics.signature import line
from cbt_core.metrics.unavailable import Unavailable
from cbt_core.stats.ratings import Floats

if TYPE_CHECKING:
    from cbt_core.metrics.bertscore import BertScore


def modelled(
    metric: str, corpus: Corpus, plan: Plan, cache: Cache, step: Step | None
) -> Measured:
    """Return BERTScore or BLEURT.

    Raises:
        Unavailable: no model was named, it is missing or unfit, or it failed.
        ImportError: a package it needs is not installed.
    """
    name = plan.models.get(metric)
    if name is None:
        raise Unavailable(f"metrics.{metric}_unnamed")
    try:
        run = _bertscore if metric == "bertscore" else _bleurt
        return run(corpus, plan, cache, step)
    except (StudyError, ImportError):
        raise
    except Exception as error:  # whatever a damaged checkpoint or a full memory makes torch raise
        raise Unavailable(
            "metrics.model_failed", metric=metric, name=name, cause=type(error).__name__
        ) from error


def _bertscore(corpus: Corpus, plan: Plan, cache: Cache, step: Step | None) -> Measured:
    from cbt_core.metrics.bertscore import BertScore, Settings

    model = BertScore(
        Settings(plan.models["bertscore"], plan.layer, idf=plan.idf, rescale=plan.rescale,
                 baseline=plan.baseline, lang=plan.lang)
    )
    references = [text for key in corpus.keys for text in corpus.references[key]]
    parts = _bertscore_parts(model, plan)
    settings = f"bertscore|{line(parts)}|{model.baseline}"
    if plan.idf:
        settings += "|" + ",".join(corpus.digest(system) for system in corpus.systems)

    def score(tasks: Sequence[Task]) -> list[Floats]:
        return model.scores(tasks, idf_over=references, step=step)

    return _measured(corpus, parts, gathered(corpus, cache, settings, score))


def _bertscore_parts(model: "BertScore", plan: Plan) -> dict[str, object]:
    return {
        "model": f"{_named(plan.models['bertscore'])}#{model.digest}",
        "layer": model.layer,
        "idf": "yes" if plan.idf else "no",
        "rescale": "yes" if plan.rescale else "no",
        "refs": "max",
        "precision": _precision(),
        "definition": f"bert-score-{version('bert-score')}",
        "transformers": version("transformers"),
    }


def _bleurt(corpus: Corpus, plan: Plan, cache: Cache, step: Step | None) -> Measured:
    from cbt_core.metrics.bleurt import Bleurt

    name = plan.models["bleurt"]
    model = Bleurt(name)
    parts = {
        "model": f"{_named(name)}#{model.digest}", "refs": "max", "precision": _precision(),
        "transformers": version("transformers"),
    }  # fmt: skip

    def score(tasks: Sequence[Task]) -> list[Floats]:
        return model.scores(tasks, step)

    return _measured(corpus, parts, gathered(corpus, cache, f"bleurt|{line(parts)}", score))


def _measured(
    corpus: Corpus, parts: Mapping[str, object], found: dict[str, Floats]
) -> Measured:
    return Measured(
        {system: averaged(rows[:, 0]) for system, rows in found.items()},
        signed(corpus, parts), mean,
        {system: float(rows[:, 1].mean()) for system, rows in found.items()},
    )


def _named(name: str) -> str:
    """Return a model as a signature names it: no path of somebody's machine."""
    return name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def _precision() -> str:
    return "bf16" if str(encoder.precision(encoder.device())).endswith("bfloat16") else "fp32"
