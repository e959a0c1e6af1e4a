"""What both model metrics need: a checkpoint's folder, its digest, a device, batches by length.

A metric that cannot run here: its value is null, with the reason and what to do.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cbt_core.errors import StudyError

if TYPE_CHECKING:
    import torch

OURS: Final = "cbt_core"


class Unavailable(StudyError):  # noqa: N818 - a state of this machine, not a fault
    """A model is missing, unfit for these texts, or not what it should be."""


def without_package(metric: str, error: ImportError) -> Unavailable:
    """Return that a metric lacks a package, from the failed import that told so.

    Raises:
        ImportError: what is missing is a part of ours.
    """
    name = (error.name or "").partition(".")[0]
    if name == OURS:
        raise error
    return Unavailable("metrics.no_package", metric=metric, package=name or "?")


WANTED: Final = ("*.json", "*.txt", "*.model", "*.safetensors", "pytorch_model.bin")
WEIGHTS: Final = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")
NAMED: Final = 8
TOKENS_CPU: Final = 4_096
TOKENS_GPU: Final = 131_072
"""Padded tokens per batch."""


def folder_of(name: str, metric: str) -> Path:
    """Return the folder of a checkpoint: a local folder, or one of the Hugging Face hub.

    A hub id is looked for on this machine first, then fetched if the server's owner says so
    (`CONCORD_HUB=download`); no text leaves the machine.

    Raises:
        Unavailable: it is nowhere; the reason says how to get it.
    """
    folder = Path(name)
    if not folder.is_dir():
        folder = _from_hub(name, metric)
    if not any((folder / weights).is_file() for weights in WEIGHTS):
        raise Unavailable("metrics.no_weights", metric=metric, name=name)
    return folder


def _from_hub(name: str, metric: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    # this machine's cache first; the hub only where the server's owner lets it be asked
    for local in (True, False) if os.environ.get("CONCORD_HUB") == "download" else (True,):
        try:
            folder = snapshot_download(name, allow_patterns=list(WANTED), local_files_only=local)
            return Path(folder)
        except LocalEntryNotFoundError:
            continue
        except Exception as error:  # no such name, unknown there, or cannot be reached
            raise Unavailable("metrics.no_model", metric=metric, name=name) from error
    raise Unavailable("metrics.no_model", metric=metric, name=name)


def digest(folder: Path) -> str:
    """Return a short SHA-256 over the files of a checkpoint that decide its scores."""
    checksum = sha256()
    files = {file for pattern in WANTED for file in folder.glob(pattern)}
    for file in sorted(files, key=lambda one: one.name):
        checksum.update(file.name.encode())
        with file.open("rb") as content:
            while block := content.read(1 << 20):
                checksum.update(block)
    return checksum.hexdigest()[:NAMED]


def device() -> "torch.device":
    """Return the first GPU, or the processor."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precision(on: "torch.device") -> "torch.dtype":
    """Return bfloat16 on a GPU that has it, else single precision."""
    import torch

    fast = on.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if fast else torch.float32


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from reporting unused weights while a checkpoint is loaded."""
    import logging as levels

    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity(levels.ERROR)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(before)
        logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def by_length(lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Yield batches of indices, longest texts first, each of at most `tokens` padded tokens."""
    order = sorted(range(len(lengths)), key=lambda at: -lengths[at])
    start = 0
    while start < len(order):
        size = max(1, tokens // max(lengths[order[start]], 1))
        yield order[start : start + size]
        start += size


def budget(on: "torch.device") -> int:
    """Return how many padded tokens a batch may have on a device."""
    return TOKENS_GPU if on.type == "cuda" else TOKENS_CPU
