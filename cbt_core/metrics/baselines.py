"""What bert-score knows of published models: the layer to compare, and baselines to rescale by."""

import csv
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from cbt_core.metrics.unavailable import Unavailable


class Asked(Protocol):
    """The settings a baseline depends on."""

    @property
    def model(self) -> str:
        """Folder or hub id."""

    @property
    def baseline(self) -> Path | None:
        """A file of the user's, if any."""

    @property
    def lang(self) -> str:
        """Language of the texts."""


def layer_of(model: str, asked: int | None, layers: int) -> int:
    """Return the layer whose vectors are compared.

    bert-score's table is looked up by hub id, or by the name of a local folder.

    Raises:
        Unavailable: the model is not in the table and none was asked for, or it has no such layer.
    """
    chosen = asked if asked is not None else _table_layer(model)
    if chosen is None:
        raise Unavailable("metrics.layer_unknown", name=model, layers=layers)
    if not 1 <= chosen <= layers:
        raise Unavailable("metrics.layer_range", layer=chosen, layers=layers)
    return chosen


def baseline(settings: Asked, layer: int) -> float:
    """Return the F1 that unrelated texts reach with this layer (the file's column F).

    Raises:
        Unavailable: bert-score ships no baseline for the model and none was given.
    """
    file = settings.baseline or _shipped(settings.lang, settings.model)
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = {int(row["LAYER"]): float(row["F"]) for row in csv.DictReader(lines)}
        return rows[layer]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise Unavailable(
            "metrics.no_baseline", name=settings.model, layer=layer, file=file.name
        ) from error


def _table_layer(model: str) -> int | None:
    from bert_score.utils import model2layers

    for name in (model, Path(model).name):
        if name in model2layers:
            return int(model2layers[name])
    return None


def _shipped(lang: str, model: str) -> Path:
    found = find_spec("bert_score")
    home = Path(found.origin).parent if found and found.origin else Path()
    exact = home / "rescale_baseline" / lang / f"{model}.tsv"
    return exact if exact.is_file() else exact.with_name(f"{Path(model).name}.tsv")
