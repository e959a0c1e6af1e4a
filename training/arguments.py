"""A configuration in the words of transformers' Trainer."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cbt_core.generation.model_loading import choose_device
from training import checkpoints
from training.batches import AnswerCollator, answer_loss
from training.config import TrainingConfig
from training.data import Encoded

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainingArguments

    from training.trainer import AnswerTrainer


def new_trainer(
    config: TrainingConfig, model: "PreTrainedModel", encoded: tuple[Encoded, Encoded],
    tokenizer: "PreTrainedTokenizerBase", precision: str,
) -> "AnswerTrainer":
    """Return a trainer that has taken no step yet."""
    import inspect

    from transformers import PrinterCallback

    from training.trainer import AnswerTrainer

    train, validation = encoded
    forward = inspect.signature(model.get_base_model().forward).parameters  # type: ignore[operator]
    padding = tokenizer.pad_token_id
    made = AnswerTrainer(
        model=model, args=_arguments(config, precision, checked=bool(validation.examples)),
        train_dataset=list(train.examples),
        eval_dataset=list(validation.examples) or None,
        data_collator=AnswerCollator(
            padding if isinstance(padding, int) else 0, picks_places="logits_to_keep" in forward
        ),
        compute_loss_func=answer_loss, callbacks=_callbacks(config, bool(validation.examples)),
    )
    made.by_length = config.group_by_length
    made.remove_callback(PrinterCallback)  # the watcher speaks
    return made


def _callbacks(config: TrainingConfig, checked: bool) -> list[Any]:
    from transformers import EarlyStoppingCallback
    from transformers.integrations.integration_utils import TensorBoardCallback

    found: list[Any] = []
    if config.patience and checked:
        found.append(EarlyStoppingCallback(early_stopping_patience=config.patience))
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return found
    board = SummaryWriter(str(config.folder / "tensorboard"))
    return [*found, TensorBoardCallback(board)]  # type: ignore[no-untyped-call]


def _arguments(
    config: TrainingConfig, precision: str, *, checked: bool
) -> "TrainingArguments":
    from transformers import TrainingArguments

    steps: Mapping[str, Any] = {
        "eval_strategy": "steps", "eval_steps": config.evaluate_every,
        "load_best_model_at_end": True, "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
    } if checked else {}
    return TrainingArguments(
        output_dir=str(config.folder / checkpoints.FOLDER),
        per_device_train_batch_size=config.batch, per_device_eval_batch_size=config.batch,
        gradient_accumulation_steps=config.accumulation,
        num_train_epochs=config.epochs, max_steps=config.max_steps or -1,
        learning_rate=config.learning_rate, lr_scheduler_type=config.scheduler,
        warmup_steps=_warmup(config), weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        bf16=precision == "bf16", fp16=precision == "fp16",
        activation_checkpointing=config.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False},
        use_cpu=choose_device(config.device) == "cpu", seed=config.seed,
        logging_steps=config.log_every, logging_first_step=True,
        save_strategy="steps", save_steps=config.evaluate_every, save_total_limit=config.keep,
        report_to="none", disable_tqdm=True, remove_unused_columns=False,
        label_names=["labels"], prediction_loss_only=True, ddp_find_unused_parameters=False,
        dataloader_pin_memory=choose_device(config.device) != "cpu", **steps,
    )


def _warmup(config: TrainingConfig) -> float:
    """Return the warm-up as Trainer takes it: below 1 a share of all steps."""
    return min(config.warmup_share, math.nextafter(1.0, 0.0))
