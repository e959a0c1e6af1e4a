"""What a run would take, before anything is loaded."""

from cbt_core.errors import StudyError
from cbt_core.generation.model_folder import Source, find
from cbt_core.generation.model_loading import choose_device
from cbt_core.generation.profiles import matching
from training import precision
from training.config import Described
from training.estimate import (
    ALL_LINEAR,
    Estimate,
    estimate,
    gibibytes,
    refuse_too_large,
    room_on,
    shape_of,
)
from training.watching import Tell


def plan(described: Described) -> tuple[Source, Estimate | None, str]:
    """Return the model that would be tuned, the memory it would take, and the number format.

    Raises:
        StudyError: no such model, or the hardware cannot do what the configuration asks.
    """
    config = described.config
    source = find(config.base, revision=config.revision,
                  trust_remote_code=config.trust_remote_code)
    number = precision.choose(config.precision, choose_device(config.device))
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
