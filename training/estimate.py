"""How much memory a run will take, from the model's sizes alone: nothing is loaded.

Weights, adapter, gradients and Adam's moments are exact arithmetic. Activations are a count of the
tensors a block keeps for the way back, at the longest rows a configuration allows: an order of
size, not a promise. The program itself (0.5 GiB, on a GPU its context) comes on top.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.generation.model_folder import Source
from cbt_core.generation.profiles import Shape
from training.config import TrainingConfig

BYTES: Final = {"bf16": 2.0, "fp16": 2.0, "fp32": 4.0}
NF4_BYTES: Final = 0.53
"""Four bits a weight and, with double quantisation, half a bit of scales."""

ADAM_BYTES: Final = 16
"""A trained weight in fp32, its gradient and Adam's two moments."""

SCORE_BYTES: Final = 10
"""A score over the vocabulary: as computed, in fp32, and its gradient."""

ALL_LINEAR: Final = (
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes by what they are for, and the number of weights in all and trained."""

    parameters: int
    trained: int
    weights: int
    adapter: int
    activations: int
    scores: int

    @property
    def total(self) -> int:
        """Return all bytes together."""
        return self.weights + self.adapter + self.activations + self.scores

    @property
    def certain(self) -> int:
        """Return the bytes that are there whatever the batch."""
        return self.weights + self.adapter

    def describe(self) -> Mapping[str, int]:
        """Return what a manifest says."""
        return {
            "parameters": self.parameters, "trained": self.trained, "weights": self.weights,
            "adapter": self.adapter, "activations": self.activations, "scores": self.scores,
            "total": self.total,
        }


def estimate(
    shape: Shape, config: TrainingConfig, *, precision: str, targets: Sequence[str]
) -> Estimate:
    """Return the memory of a run on one device."""
    trained = sum(config.r * (rows + columns) for rows, columns in _sides(shape, targets))
    trained *= shape.layers
    tokens = config.batch * config.max_tokens
    size = BYTES[precision]
    return Estimate(
        parameters=parameters(shape), trained=trained,
        weights=_weights(shape, config, size),
        adapter=trained * ADAM_BYTES,
        activations=int(tokens * _kept(shape, config, targets) * size),
        scores=tokens * shape.vocabulary * SCORE_BYTES,
    )


def parameters(shape: Shape) -> int:
    """Return the number of weights of a Llama-like model."""
    table = shape.vocabulary * shape.hidden
    return table * (1 if shape.tied else 2) + shape.layers * _block(shape) + shape.hidden


def shape_of(source: Source) -> Shape | None:
    """Return a model's sizes from its config.json or its profile, without loading or fetching."""
    settings = _settings(source)
    if settings is None:
        return source.profile.shape if source.profile else None
    try:
        return _from_settings(settings)
    except (KeyError, TypeError, ValueError):
        return source.profile.shape if source.profile else None


def refuse_too_large(found: Estimate, room: int) -> None:
    """Refuse a run whose weights alone exceed the memory there is.

    Raises:
        StudyError: names what is needed and what is there.
    """
    if found.certain > room:
        raise StudyError(
            "training.will_not_fit", needed=gibibytes(found.total), room=gibibytes(room)
        )


def room_on(device: str) -> int:
    """Return the memory of a device in bytes: the GPU's, or what is free on this machine."""
    import torch

    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info()[0])
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:  # not Linux: no refusal
        return 1 << 62
    found = next(line for line in lines if line.startswith("MemAvailable"))
    return int(found.split()[1]) * 1024


def gibibytes(size: float) -> str:
    """Return bytes as GiB with two decimals."""
    return f"{size / 2**30:.2f}"


def _block(shape: Shape) -> int:
    """Return the weights of one block: attention, gated feed-forward, two norms."""
    return sum(rows * columns for rows, columns in _sides(shape, ALL_LINEAR)) + 2 * shape.hidden


def _head(shape: Shape) -> int:
    return shape.head_size or shape.hidden // shape.heads


def _sides(shape: Shape, targets: Sequence[str]) -> list[tuple[int, int]]:
    """Return inputs and outputs of the linear layers that are named, in one block."""
    hidden, inner = shape.hidden, shape.intermediate
    own, shared = shape.heads * _head(shape), shape.kv_heads * _head(shape)
    known = {
        "q_proj": (hidden, own), "k_proj": (hidden, shared), "v_proj": (hidden, shared),
        "o_proj": (own, hidden), "gate_proj": (hidden, inner), "up_proj": (hidden, inner),
        "down_proj": (inner, hidden), "W_pack": (hidden, 3 * hidden),
        "c_attn": (hidden, 3 * hidden), "w1": (hidden, inner), "w2": (hidden, inner),
    }
    return [known[name] for name in targets if name in known]


def _weights(shape: Shape, config: TrainingConfig, size: float) -> int:
    if config.quantisation == "none":
        return int(parameters(shape) * size)
    linear = shape.layers * _block(shape)
    return int(linear * NF4_BYTES + (parameters(shape) - linear) * size)


def _kept(shape: Shape, config: TrainingConfig, targets: Sequence[str]) -> float:
    """Return the numbers kept per token for the way back, over all blocks.

    A block keeps the inputs of its norms (and their fp32 copies), queries, keys and values before
    and after rotation, the attention's output, four tensors of the feed-forward, and the input of
    every adapted layer with its dropout mask. With checkpointing only each block's input and one
    block's whole.
    """
    own, shared = shape.heads * _head(shape), shape.kv_heads * _head(shape)
    attention = 2 * own + 4 * shared + 2 * own
    adapted = sum(rows for rows, _ in _sides(shape, targets)) * (1.5 if config.dropout else 1.0)
    block = 8 * shape.hidden + attention + 4 * shape.intermediate + adapted
    if config.gradient_checkpointing:
        return shape.layers * shape.hidden + block
    return shape.layers * block


def _settings(source: Source) -> Mapping[str, object] | None:
    """Return a config.json that is on this machine."""
    if source.kind == "folder":
        file: Path | None = Path(source.path) / "config.json"
    elif source.kind == "hub":
        file = _in_hub_cache(source)
    else:
        file = None
    if file is None or not file.is_file():
        return None
    read = json.loads(file.read_text("utf-8"))
    return read if isinstance(read, dict) else None


def _in_hub_cache(source: Source) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(source.path, "config.json", revision=source.revision or None)
    return Path(found) if isinstance(found, str) else None


def _from_settings(settings: Mapping[str, object]) -> Shape:
    def whole(name: str, default: object = None) -> int:
        value = settings.get(name, default)
        if not isinstance(value, int):
            raise TypeError(name)
        return value

    heads = whole("num_attention_heads")
    return Shape(
        layers=whole("num_hidden_layers"), hidden=whole("hidden_size"),
        intermediate=whole("intermediate_size"), heads=heads,
        kv_heads=whole("num_key_value_heads", heads), vocabulary=whole("vocab_size"),
        tied=bool(settings.get("tie_word_embeddings", False)), head_size=whole("head_dim", 0),
    )
