"""The record of a run: what went in, on what it ran, what came out."""

import json
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.generation.model_loading import versions

NAME: Final = "manifest.json"
KIBIBYTE: Final = 1024


def read(folder: Path) -> Mapping[str, object] | None:
    """Return a folder's manifest, or None where there is none that can be read."""
    try:
        found = json.loads((folder / NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write(folder: Path, content: Mapping[str, object]) -> None:
    """Write a manifest, whole or not at all.

    Raises:
        StudyError: the folder cannot be written.
    """
    part = folder / f".{NAME}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
        part.write_text(text + "\n", "utf-8")
        part.replace(folder / NAME)
    except OSError as error:
        raise StudyError("training.cannot_write", folder=folder) from error


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
