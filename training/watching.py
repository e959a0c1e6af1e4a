"""What is seen of a run while it goes on: a line now and then, and a manifest on disk."""

from collections.abc import Callable, Mapping, Sequence

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
