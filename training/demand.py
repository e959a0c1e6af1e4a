"""What a run would take, before anything is loaded: memory, and the number format of the hardware.

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
from cbt_core.generation.backend.model_folder import Source, find
from cbt_core.generation.backend.model_weights import choose_device, cpu_has_bf16
from cbt_core.generation.backend.profiles import Shape, matching
from training.config import Described, Precision, TrainingConfig
from training.run_record import Tell

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


def refuse_too_large(demand: Estimate, room: int) -> None:
    """Refuse a run whose weights alone exceed the memory there is.

    Raises:
        StudyError: names what is needed and what is there.
    """
    if demand.certain > room:
        raise StudyError(
            "training.will_not_fit", needed=gibibytes(demand.total), room=gibibytes(room)
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
    entry = next(line for line in lines if line.startswith("MemAvailable"))
    return int(entry.split()[1]) * 1024


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

    file = try_to_load_from_cache(source.path, "config.json", revision=source.revision or None)
    return Path(file) if isinstance(file, str) else None


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


V100: Final = "sm_70"


def choose_precision(asked: Precision, device: str) -> str:
    """Return bf16, fp16 or fp32 for a device.

    Raises:
        StudyError: the hardware, or the installed torch, cannot do what is asked for.
    """
    if device == "cpu":
        return _precision_on_cpu(asked)
    import torch

    major, minor = torch.cuda.get_device_capability()
    refuse_missing_build(f"sm_{major}{minor}", torch.cuda.get_arch_list())
    has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    if asked == "bf16" and not has_bf16:
        raise StudyError("training.no_bf16", device=torch.cuda.get_device_name())
    if asked == "auto":
        return "bf16" if has_bf16 else "fp16"
    return asked


def refuse_missing_build(needed: str, built: list[str]) -> None:
    """Refuse a GPU the installed torch was not built for (newer builds drop the V100's sm_70).

    Code built for a lower minor version of the same generation runs too.

    Raises:
        StudyError: names the GPU's architecture and those of the build.
    """
    generation, minor = needed[:-1], int(needed[-1])
    fitting = [one for one in built if one[:-1] == generation and int(one[-1]) <= minor]
    if not fitting:
        raise StudyError("training.not_in_build", needed=needed, built=", ".join(built) or "-")


def _precision_on_cpu(asked: Precision) -> str:
    if asked == "fp16":
        raise StudyError("training.fp16_on_cpu")
    if asked == "auto":
        return "bf16" if cpu_has_bf16() else "fp32"
    return asked


def plan(described: Described) -> tuple[Source, Estimate | None, str]:
    """Return the model that would be tuned, the memory it would take, and the number format.

    Raises:
        StudyError: no such model, or the hardware cannot do what the configuration asks.
    """
    config = described.config
    source = find(config.base, revision=config.revision,
                  trust_remote_code=config.trust_remote_code)
    number = choose_precision(config.precision, choose_device(config.device))
    shape = shape_of(source)
    if shape is None:
        return source, None, number
    return source, estimate(shape, config, precision=number, targets=targets(described, source)), \
        number


def targets(described: Described, source: Source) -> tuple[str, ...]:
    """Return the layers that are adapted: the configuration's, else the profile's, else all."""
    own = source.profile.target_modules if source.profile else ()
    return described.config.target_modules or own or ALL_LINEAR


def check_room(described: Described, expected: Estimate | None, tell: Tell) -> None:
    """Say what a run will take, and refuse one whose weights alone find no room.

    Raises:
        StudyError: names what is needed and what is free.
    """
    if expected is None:
        return
    tell("needs", needs(expected))
    refuse_too_large(expected, room_on(choose_device(described.config.device)))


def estimated(described: Described) -> dict[str, object]:
    """Return the memory a run would take, as shown; any machine can be asked, consent is not.

    Raises:
        StudyError: no such model, or its sizes are not known on this machine.
    """
    config = described.config
    known = matching(config.base)
    shape = known.shape if known else shape_of(find(config.base, revision=config.revision))
    if shape is None:
        raise StudyError("training.no_shape", model=config.base)
    layers = config.target_modules or (known.target_modules if known else ()) or ALL_LINEAR
    number = "fp32" if config.precision == "fp32" else "bf16"
    return needs(estimate(shape, config, precision=number, targets=layers))


def needs(expected: Estimate) -> dict[str, object]:
    """Return the figures of an estimate as they are shown."""
    return {
        "parameters": f"{expected.parameters / 1e6:,.1f}",
        "trained": f"{expected.trained / 1e6:.2f}",
        "weights": gibibytes(expected.weights), "adapter": gibibytes(expected.adapter),
        "activations": gibibytes(expected.activations), "scores": gibibytes(expected.scores),
        "total": gibibytes(expected.total),
    }
