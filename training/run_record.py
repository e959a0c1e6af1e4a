"""The record of a run: its curve while it goes on, its checkpoints, its manifest, the model card.

The manifest says what went in, on what it ran, what came out; the card beside an adapter, from what
it was made and for what it may be used or not. Of a run that was cut off: which checkpoint it goes
on from, and whether it is the same run.
"""

import json
import platform
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.files.writer import write_json, write_text
from cbt_core.generation.backend.model_folder import Source
from cbt_core.generation.backend.model_weights import versions
from training.config import Described

Tell = Callable[[str, Mapping[str, object]], None]
"""Says a sentence of section `training`, by its key and values."""

Keep = Callable[[Sequence[Mapping[str, float]]], None]
"""Writes the curve so far."""


class Watcher:
    """Prints the loss as it is logged and keeps the curve on disk, so that a kill loses little."""

    def __init__(self, tell: Tell, keep: Keep) -> None:
        self.tell = tell
        self.keep = keep

    def logged(self, step: int, steps: int, history: Sequence[Mapping[str, float]]) -> None:
        """Say and keep the last entry of the curve."""
        self.keep(history)
        last = history[-1] if history else {}
        if "loss" in last:
            self.tell("step", {"step": step, "steps": steps, "loss": f"{last['loss']:.4f}"})
        elif "eval_loss" in last:
            self.tell("checked", {"step": step, "steps": steps, "loss": f"{last['eval_loss']:.4f}"})


def curve(history: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """Return the training losses by step."""
    return [
        {"step": one["step"], "loss": one["loss"], "learning_rate": one.get("learning_rate", 0.0)}
        for one in history if "loss" in one
    ]


def checks(history: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """Return the validation losses by step."""
    return [
        {"step": one["step"], "loss": one["eval_loss"]} for one in history if "eval_loss" in one
    ]


CHECKPOINTS: Final = "checkpoints"
CHECKPOINT_NAME: Final = re.compile(r"checkpoint-(\d+)")


def last_whole_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint that was written to its end.

    Trainer writes trainer_state.json last; a kill in the middle leaves it out or cut short.
    """
    saves = [(int(match[1]), path) for path in (folder / CHECKPOINTS).glob("checkpoint-*")
             if (match := CHECKPOINT_NAME.fullmatch(path.name))]
    return next((path for _, path in sorted(saves, reverse=True) if _whole(path)), None)


def _whole(path: Path) -> bool:
    try:
        state = json.loads((path / "trainer_state.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(state, dict) and "global_step" in state


def resume_point(folder: Path, known: Mapping[str, object] | None, digests: tuple[str, str],
          *, resume: bool) -> Path | None:
    """Return the checkpoint to go on from; None starts at the beginning.

    `known` is the manifest found in the folder, `digests` those of configuration and data.

    Raises:
        StudyError: the folder holds a run and `resume` is not asked for, a finished run, or one
            of another configuration or other data.
    """
    if known is None:
        return None
    if not resume:
        raise StudyError("training.folder_taken", folder=folder)
    if known.get("state") == "finished":
        raise StudyError("training.finished_before", folder=folder)
    if (known.get("config_digest"), known.get("data_digest")) != digests:
        raise StudyError("training.other_run", folder=folder)
    return last_whole_checkpoint(folder)


MANIFEST_NAME: Final = "manifest.json"
KIBIBYTE: Final = 1024


def read_manifest(folder: Path) -> Mapping[str, object] | None:
    """Return a folder's manifest, or None where there is none that can be read."""
    try:
        manifest = json.loads((folder / MANIFEST_NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) else None


def write_manifest(folder: Path, content: Mapping[str, object]) -> None:
    """Write a manifest, whole or not at all.

    Raises:
        StudyError: the folder cannot be written.
    """
    write_json(content, folder / MANIFEST_NAME)


def environment(device: str) -> dict[str, object]:
    """Return versions and hardware."""
    import torch

    named = torch.cuda.get_device_name() if device.startswith("cuda") else platform.machine()
    return {
        "python": platform.python_version(), "platform": sys.platform,
        "versions": versions(),
        "device": device, "device_name": named, "threads": torch.get_num_threads(),
        "cuda": torch.version.cuda, "built_for": torch.cuda.get_arch_list(),
    }


def peak_bytes(device: str) -> int:
    """Return the most memory that was held: the GPU's allocator's, or this process's."""
    import torch

    if device.startswith("cuda"):
        return int(torch.cuda.max_memory_allocated())
    try:
        import resource
    except ImportError:  # Windows has no such count
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * KIBIBYTE


CARD_NAME: Final = "README.md"

CARD_TEMPLATE: Final = Path(__file__).parent / "card.md"


def write_card(
    folder: Path, described: Described, source: Source, facts: Mapping[str, object]
) -> None:
    """Write the card of a finished run.

    Raises:
        StudyError: the folder cannot be written.
    """
    values = {
        "title": described.title,
        "base": source.name,
        "revision": f" ({source.revision})" if source.revision else "",
        "licence": source.profile.licence if source.profile else "see its card",
        "max_tokens": described.config.max_tokens,
        **facts,
    }
    write_text(CARD_TEMPLATE.read_text("utf-8").format(**values), folder / CARD_NAME)


def overlap_words(count: int | None) -> tuple[str, str]:
    """Return what the card says of overlap with studies, in English and Chinese."""
    if count is None:
        return "not checked: no database", "未检查：没有数据库"
    if count == 0:
        return "none found", "未发现"
    return (
        f"{count} rows also stand in a study: its results must not be used",
        f"有 {count} 条也在研究题目中：不得使用该研究对此模型的结果",
    )
