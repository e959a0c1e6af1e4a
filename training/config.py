"""One run's settings, read from TOML, each with where its value comes from.

A file names every value it sets in one list of ``[provenance]``: `paper` (published), `assumed`
(not published; the framework's default of the time) or `chosen` (ours). A value in no list, or in
two, is refused, so that nobody takes an assumption for a published setting.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal, get_args

from cbt_core.instruments.toml_reader import Table, parse_toml, read_text
from cbt_core.settings import ROOT

Precision = Literal["auto", "bf16", "fp16", "fp32"]
Quantisation = Literal["none", "nf4"]
Scheduler = Literal["cosine", "linear", "constant"]
Origin = Literal["paper", "assumed", "chosen"]

ORIGINS: Final = get_args(Origin)
SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "model": ("base", "revision", "trust_remote_code"),
    "data": ("train", "validation", "validation_share", "prompt", "language", "max_tokens"),
    "lora": ("r", "alpha", "dropout", "target_modules"),
    "schedule": ("epochs", "max_steps", "learning_rate", "scheduler", "warmup_share",
                 "weight_decay", "max_grad_norm", "batch", "accumulation", "group_by_length"),
    "compute": ("precision", "quantisation", "gradient_checkpointing", "device", "threads",
                "seed"),
    "watch": ("log_every", "evaluate_every", "patience", "keep"),
    "output": ("folder",),
}
"""Which settings stand in which table of the file."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything that decides a run, as one value.

    `base` is a profile's id, a folder, a GGUF file or a hub id. `train` and `validation` are
    datasets (rows with question, description, answer); without `validation`, `validation_share`
    of the training rows is set apart. `max_tokens` bounds question and answer together;
    `target_modules` empty means the profile's. `max_steps` 0 means `epochs` decides;
    `evaluate_every` counts optimiser steps (also of checkpoints); `patience` 0 never stops early.
    """

    base: str
    train: Path
    folder: Path
    revision: str = ""
    trust_remote_code: bool = False
    validation: Path | None = None
    validation_share: float = 0.0
    prompt: str = "plain"
    language: str = "zh"
    max_tokens: int = 1024
    r: int = 8
    alpha: int = 32
    dropout: float = 0.1
    target_modules: tuple[str, ...] = ()
    epochs: float = 3.0
    max_steps: int = 0
    learning_rate: float = 5e-5
    scheduler: Scheduler = "cosine"
    warmup_share: float = 0.0
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    batch: int = 4
    accumulation: int = 4
    group_by_length: bool = True
    precision: Precision = "auto"
    quantisation: Quantisation = "none"
    gradient_checkpointing: bool = False
    device: str = "auto"
    threads: int = 0
    seed: int = 1
    log_every: int = 10
    evaluate_every: int = 200
    patience: int = 0
    keep: int = 2

    @property
    def digest(self) -> str:
        """Return a digest of what decides the result; where it is written does not."""
        decisive = {**plain(self), "folder": "", "keep": 0, "log_every": 0}
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Described:
    """A configuration with its title and the origin of each value its file sets."""

    config: TrainingConfig
    title: str
    origins: Mapping[str, Origin]
    sources: Mapping[Origin, str]

    def origin(self, name: str) -> str:
        """Return where a value comes from; what the file leaves out is the program's default."""
        return self.origins.get(name, "default")


def plain(config: TrainingConfig) -> dict[str, object]:
    """Return a configuration as JSON can hold it."""
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in asdict(config).items()
    }


def read_config(path: Path) -> Described:
    """Read a configuration file. Paths in it are taken from the repository's root.

    Raises:
        StudyError: a key nobody reads, a value out of range, or one of unknown origin.
    """
    table = parse_toml(read_text(path), str(path))
    table.only("title", "provenance", *SECTIONS)
    for section, keys in SECTIONS.items():
        table.child(section).only(*keys)
    config = TrainingConfig(
        **_model(table.child("model")), **_data(table.child("data")),
        **_lora(table.child("lora")), **_schedule(table.child("schedule")),
        **_compute(table.child("compute")), **_watch(table.child("watch")),
        folder=_path(table.child("output"), "folder", f"data/training/{path.stem}"),
    )
    origins, sources = _provenance(table)
    return Described(config, table.text("title", path.stem), origins, sources)


def _model(table: Table) -> dict[str, Any]:
    return {
        "base": table.text("base"), "revision": table.text("revision", ""),
        "trust_remote_code": table.yes_no("trust_remote_code", False),
    }


def _data(table: Table) -> dict[str, Any]:
    return {
        "train": _path(table, "train"),
        "validation": _path(table, "validation") if table.has("validation") else None,
        "validation_share": table.number("validation_share", 0.0, low=0, high=0.5),
        "prompt": table.text("prompt", "plain"),
        "language": table.choice("language", ("zh", "en"), "zh"),
        "max_tokens": table.whole("max_tokens", 1024, low=16, high=131_072),
    }


def _lora(table: Table) -> dict[str, Any]:
    return {
        "r": table.whole("r", 8, low=1, high=1024),
        "alpha": table.whole("alpha", 32, low=1, high=4096),
        "dropout": table.number("dropout", 0.1, low=0, high=0.9),
        "target_modules": table.strings("target_modules"),
    }


def _schedule(table: Table) -> dict[str, Any]:
    return {
        "epochs": table.number("epochs", 3.0, low=0.01, high=1000),
        "max_steps": table.whole("max_steps", 0, low=0, high=10_000_000),
        "learning_rate": table.number("learning_rate", 5e-5, low=1e-8, high=1.0),
        "scheduler": table.choice("scheduler", get_args(Scheduler), "cosine"),
        "warmup_share": table.number("warmup_share", 0.0, low=0, high=0.9),
        "weight_decay": table.number("weight_decay", 0.0, low=0, high=1),
        "max_grad_norm": table.number("max_grad_norm", 1.0, low=0, high=1000),
        "batch": table.whole("batch", 4, low=1, high=4096),
        "accumulation": table.whole("accumulation", 4, low=1, high=4096),
        "group_by_length": table.yes_no("group_by_length", True),
    }


def _compute(table: Table) -> dict[str, Any]:
    return {
        "precision": table.choice("precision", get_args(Precision), "auto"),
        "quantisation": table.choice("quantisation", get_args(Quantisation), "none"),
        "gradient_checkpointing": table.yes_no("gradient_checkpointing", False),
        "device": table.choice("device", ("auto", "cpu", "cuda"), "auto"),
        "threads": table.whole("threads", 0, low=0, high=1024),
        "seed": table.whole("seed", 1, low=0, high=2**31 - 1),
    }


def _watch(table: Table) -> dict[str, Any]:
    return {
        "log_every": table.whole("log_every", 10, low=1, high=1_000_000),
        "evaluate_every": table.whole("evaluate_every", 200, low=1, high=1_000_000),
        "patience": table.whole("patience", 0, low=0, high=10_000),
        "keep": table.whole("keep", 2, low=1, high=1000),
    }


def _path(table: Table, key: str, default: str | None = None) -> Path:
    path = Path(table.text(key, default))
    return path if path.is_absolute() else ROOT / path


def _provenance(table: Table) -> tuple[Mapping[str, Origin], Mapping[Origin, str]]:
    """Return the origin of each value, and what each origin rests on."""
    section = table.child("provenance")
    section.only(*ORIGINS)
    origins: dict[str, Origin] = {}
    sources: dict[Origin, str] = {}
    for origin in get_args(Origin):
        child = section.child(origin)
        child.only("source", "values")
        sources[origin] = child.text("source", "")
        for name in child.strings("values"):
            if name in origins:
                raise section.refusal(origin, "training.two_origins", name=name)
            origins[name] = origin
    _refuse_unknown_origin(table, origins)
    return origins, sources


def _refuse_unknown_origin(table: Table, origins: Mapping[str, Origin]) -> None:
    written = {key for section in SECTIONS for key in table.child(section).content}
    for name in sorted(written - origins.keys()):
        raise table.refusal("provenance", "training.no_origin", name=name)
    known = {field.name for field in fields(TrainingConfig)}
    for name in sorted(origins.keys() - known):
        raise table.refusal("provenance", "training.unknown_value", name=name)
