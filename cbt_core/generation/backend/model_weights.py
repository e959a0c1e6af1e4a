"""Loading a model that was found: device, number format, adapter, and what to say when it fails."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from cbt_core.errors import StudyError
from cbt_core.generation.backend.model_folder import (
    Source,
    adapter_settings,
    file_digest,
    marked_profile,
    ready_folder,
)
from cbt_core.generation.backend.profiles import CHAT, PLAIN, Template

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class explained:  # noqa: N801 - reads as a sentence: with explained(source)
    """Turns a library's failure to load into a sentence."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def __enter__(self) -> None:
        """Keep the library's own bars off the terminal: what is long is told by the command."""
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raise a StudyError for what can be explained; all else goes on its way."""
        if error is None or isinstance(error, StudyError):
            return
        if out_of_memory(error):
            raise StudyError("local_model.too_large", model=self.source.name) from error
        if isinstance(error, ImportError):
            raise StudyError("local_model.no_library", library=error.name or "") from error
        if isinstance(error, OSError) and self.source.kind == "hub":
            raise StudyError("local_model.not_here", model=self.source.name) from error
        if isinstance(error, OSError | ValueError | KeyError | AttributeError | TypeError):
            raise StudyError("local_model.cannot_load", model=self.source.name) from error


def out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that memory has run out, on a GPU or here."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "can't allocate memory" in text or "not enough memory" in text or "out of memory" in text
    )


DTYPES: Final = ("auto", "bf16", "fp16", "fp32")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to answer, and all a manifest says of it."""

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    template: Template
    ends: tuple[int, ...]
    context: int | None
    facts: Mapping[str, object]


def choose_device(asked: str) -> str:
    """Return `cuda`, `mps` or `cpu`.

    Raises:
        StudyError: the device asked for is not there.
    """
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(),
             "mps": torch.backends.mps.is_available()}
    if asked == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if there[name])
    if not there.get(asked.split(":")[0], False):
        raise StudyError("local_model.no_device", device=asked)
    return asked


def choose_dtype(asked: str, device: str) -> str:
    """Return bf16, fp16 or fp32: `auto` takes bf16 where the hardware computes in it."""
    import torch

    if asked != "auto":
        return asked
    if device.startswith("cuda"):
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    return "bf16" if device == "cpu" and cpu_has_bf16() else "fp32"


def cpu_has_bf16() -> bool:
    """Tell whether this processor computes in bfloat16 (AVX-512 BF16 or AMX)."""
    import torch

    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    except (AttributeError, RuntimeError):  # a build without oneDNN
        return False


def torch_dtype(name: str) -> "torch.dtype":
    """Return torch's name of bf16, fp16, fp32."""
    import torch

    return {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[name]


def load(source: Source, *, adapter: str = "", device: str = "auto", dtype: str = "auto") -> Loaded:
    """Load a model, with an adapter laid over it where one is named.

    Raises:
        StudyError: not on this machine, not loadable, too large, or an adapter of another model.
    """
    chosen = choose_device(device)
    number = choose_dtype(dtype, chosen)
    tokenizer = load_tokenizer(source)
    model = load_weights(source, device=chosen, dtype=number)
    if adapter:
        model = with_adapter(model, adapter)
    model.train(False)
    ends = _ends(model, tokenizer)
    _forget_decoding(model)
    return Loaded(
        model=model, tokenizer=tokenizer, template=template_of(source, tokenizer, adapter),
        ends=ends, context=getattr(model.config, "max_position_embeddings", None),
        facts={**source.describe(), "adapter": _adapter_facts(adapter), "device": chosen,
               "device_name": _device_name(chosen), "dtype": number, "versions": versions()},
    )


def load_tokenizer(source: Source) -> "PreTrainedTokenizerBase":
    """Load the tokenizer of a model.

    Raises:
        StudyError: it is not on this machine or cannot be read.
    """
    from transformers import AutoTokenizer

    with explained(source):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            ready_folder(source), **_where(source)
        )
    return tokenizer


def load_weights(
    source: Source, *, device: str, dtype: str, quantisation: object = None
) -> "PreTrainedModel":
    """Load the weights onto a device.

    Raises:
        StudyError: not on this machine, not loadable, or too large for the device.
    """
    from transformers import AutoModelForCausalLM

    more = {"quantization_config": quantisation} if quantisation is not None else {}
    with explained(source):
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            ready_folder(source), dtype=torch_dtype(dtype), **_where(source), **more
        )
        return model if quantisation is not None else model.to(device)  # type: ignore[arg-type]


def with_adapter(model: "PreTrainedModel", folder: str) -> "PreTrainedModel":
    """Lay an adapter over a model.

    Raises:
        StudyError: no adapter there, or it fits another model.
    """
    from peft import PeftModel

    adapter_settings(folder)
    try:
        with warnings.catch_warnings():  # peft calls what transformers will rename
            warnings.simplefilter("ignore", FutureWarning)
            # a whole path is no hub id: nothing that is missing is sought on the hub
            laid = PeftModel.from_pretrained(model, str(Path(folder).resolve()))
    except (RuntimeError, ValueError, KeyError) as error:
        raise StudyError("local_model.adapter_mismatch", folder=folder) from error
    return cast("PreTrainedModel", laid)  # it passes every call on to the model under it


def template_of(source: Source, tokenizer: "PreTrainedTokenizerBase", adapter: str) -> Template:
    """Return the adapter's template, or the profile's, else the one the tokenizer has."""
    tuned = marked_profile(Path(adapter)) if adapter else None
    chosen = tuned or source.profile
    if chosen is not None:
        return chosen.template
    return Template(kind=CHAT if getattr(tokenizer, "chat_template", None) else PLAIN)


def versions() -> dict[str, str]:
    """Return the versions of the libraries that have a say in what comes out."""
    from importlib.metadata import PackageNotFoundError, version

    numbers = {}
    for name in ("torch", "transformers", "peft", "accelerate", "tokenizers"):
        try:
            numbers[name] = version(name)
        except PackageNotFoundError:
            numbers[name] = ""
    return numbers


def _where(source: Source) -> dict[str, object]:
    where: dict[str, object] = {
        "local_files_only": source.local_only, "trust_remote_code": source.remote_code,
    }
    return {**where, "revision": source.revision} if source.revision and source.kind == "hub" \
        else where


def _ends(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> tuple[int, ...]:
    """Return every token that ends a reply, as model and tokenizer say."""
    eos_ids = getattr(model.generation_config, "eos_token_id", None)
    several = eos_ids if isinstance(eos_ids, list) else [eos_ids]
    tokens = {one for one in (*several, tokenizer.eos_token_id) if isinstance(one, int)}
    return tuple(sorted(tokens))


def _forget_decoding(model: "PreTrainedModel") -> None:
    """Drop the model's own sampling settings: only what the request says may count."""
    from transformers import GenerationConfig

    model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]


def _adapter_facts(folder: str) -> Mapping[str, object] | None:
    if not folder:
        return None
    weights = sorted(Path(folder).glob("adapter_model.*"))
    return {"name": Path(folder).name, "digest": file_digest(weights[0]) if weights else ""}


def _device_name(device: str) -> str:
    import platform

    import torch

    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    return platform.processor() or platform.machine()
