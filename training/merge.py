"""Adapter and base model as one folder, for this program's backend, vLLM and any other reader."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cbt_core.errors import StudyError
from cbt_core.generation.backend.model_folder import MARK, adapter_settings, find
from cbt_core.generation.backend.model_weights import (
    choose_device,
    load_tokenizer,
    load_weights,
    torch_dtype,
    with_adapter,
)

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


PROBE: Final = "我总觉得自己什么都做不好。I think I always fail. What can I do?"
"""Words on which adapter and merged model are compared."""

TOLERANCE: Final = 1e-3
"""Largest difference of log-probabilities that is taken for rounding (both in fp32)."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The folder that was written, and how far it is from the adapter on the probe."""

    folder: Path
    difference: float


def merge(
    adapter: Path, out: Path, *, base: str = "", revision: str = "",
    trust_remote_code: bool = False, dtype: str = "",
) -> Merged:
    """Write the merged model. Weights are added in fp32 and stored as the base has them.

    `base` is needed only for adapters that were not made here.

    Raises:
        StudyError: no adapter, no base, the folder is taken, or the merged model differs.
    """
    if out.exists() and any(out.iterdir()):
        raise StudyError("training.out_taken", folder=out)
    mark = _mark(adapter)
    settings = adapter_settings(adapter)
    source = find(
        base or mark.get("base") or str(settings.get("base_model_name_or_path", "")),
        revision=revision or mark.get("revision", ""), trust_remote_code=trust_remote_code,
    )
    tokenizer = load_tokenizer(source)
    model = load_weights(source, device=choose_device("cpu"), dtype="fp32")
    stored = dtype or _stored(source.path, settings)
    laid = with_adapter(model, str(adapter))
    before = _log_probabilities(laid, tokenizer)
    merged = laid.merge_and_unload()  # type: ignore[operator]
    difference = float((_log_probabilities(merged, tokenizer) - before).abs().max())
    if difference > TOLERANCE:
        raise StudyError("training.merged_differs", difference=f"{difference:.2g}")
    _save(merged.to(torch_dtype(stored)), tokenizer, adapter, out)
    return Merged(out, difference)


def _mark(adapter: Path) -> Mapping[str, str]:
    try:
        read = json.loads((adapter / MARK).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: str(value) for key, value in read.items()} if isinstance(read, dict) else {}


def _stored(path: str, settings: Mapping[str, object]) -> str:
    """Return the number format of the base's files; bf16 where they do not say."""
    try:
        config = json.loads((Path(path) / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return "bf16"
    dtype = str(config.get("dtype") or config.get("torch_dtype") or settings.get("dtype"))
    return {"float32": "fp32", "float16": "fp16"}.get(dtype, "bf16")


def _log_probabilities(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase"
) -> "Tensor":
    import torch

    encoded = tokenizer(PROBE, return_tensors="pt")
    model.train(False)
    with torch.inference_mode():
        scores: Tensor = model(input_ids=encoded["input_ids"]).logits
    return scores.float().log_softmax(-1)


def _save(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", adapter: Path, out: Path
) -> None:
    """Write into a folder beside and rename it: the result is there whole or not at all."""
    part = out.parent / f".{out.name}.part{os.getpid()}"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(part)
        tokenizer.save_pretrained(part)
        for name, kept in (("README.md", "README.md"), ("manifest.json", "training.json"),
                           (MARK, MARK)):
            if (adapter / name).is_file():
                shutil.copyfile(adapter / name, part / kept)
        if out.exists():
            out.rmdir()
        part.rename(out)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise StudyError("training.cannot_write", folder=out) from error
