"""Which number format a run may use on the hardware that is there."""

from typing import Final

from cbt_core.errors import StudyError
from cbt_core.generation.model_loading import cpu_has_bf16
from training.config import Precision

V100: Final = "sm_70"


def choose(asked: Precision, device: str) -> str:
    """Return bf16, fp16 or fp32 for a device.

    Raises:
        StudyError: the hardware, or the installed torch, cannot do what is asked for.
    """
    if device == "cpu":
        return _on_cpu(asked)
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


def _on_cpu(asked: Precision) -> str:
    if asked == "fp16":
        raise StudyError("training.fp16_on_cpu")
    if asked == "auto":
        return "bf16" if cpu_has_bf16() else "fp32"
    return asked
