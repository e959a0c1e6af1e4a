"""transformers' Trainer with the order and the count of tokens a resumable run needs.

Imported only when a run starts: this is the one module of training that needs torch at once.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training.data import EpochOrder, Example
from training.run_record import Watcher

if TYPE_CHECKING:
    from torch.nn import Module
    from torch.utils.data import Dataset, Sampler


class AnswerTrainer(Trainer):
    """Trains on examples, in an order that seed and epoch alone decide."""

    tokens: "torch.Tensor | int" = 0
    by_length: bool = True

    def _get_train_sampler(
        self, train_dataset: "Dataset[Any] | None" = None
    ) -> "Sampler[int] | None":
        examples: Sequence[Example] = train_dataset or self.train_dataset  # type: ignore[assignment]
        return EpochOrder(  # type: ignore[return-value]
            [len(one.tokens) for one in examples], batch=self.args.train_batch_size,
            seed=self.args.seed, by_length=self.by_length,
        )

    def training_step(
        self, model: "Module", inputs: dict[str, Any],
        num_items_in_batch: "torch.Tensor | int | None" = None,
    ) -> "torch.Tensor":
        """Count the tokens of a micro-batch and take a step on it."""
        self.tokens = self.tokens + inputs["attention_mask"].sum().detach()
        return super().training_step(model, inputs, num_items_in_batch)

    def tokens_seen(self) -> int:
        """Return the tokens of this session over all processes."""
        if isinstance(self.tokens, int):
            return self.tokens
        total = self.accelerator.reduce(self.tokens.to(self.args.device), reduction="sum")
        return int(total)


class Reporter(TrainerCallback):
    """Tells a watcher what was logged."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl,
        logs: Mapping[str, float] | None = None, **_: object,
    ) -> None:
        """Pass on one line of the curve."""
        if state.is_world_process_zero and logs:
            self.watcher.logged(state.global_step, state.max_steps, state.log_history)
