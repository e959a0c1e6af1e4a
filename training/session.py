"""Model, tokens and trainer of one run, from loading to saving.

The configuration is put into the words of transformers' Trainer.
"""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cbt_core.errors import StudyError
from cbt_core.files.writer import write_text
from cbt_core.generation.backend.model_folder import Source
from cbt_core.generation.backend.model_weights import (
    choose_device,
    load_tokenizer,
    load_weights,
    template_of,
)
from training import run_record
from training.config import Described, TrainingConfig
from training.data import AnswerCollator, Encoded, Rows, answer_loss, encode
from training.run_record import Watcher, checks, curve

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

    callbacks: list[Any] = []
    if config.patience and checked:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=config.patience))
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return callbacks
    board = SummaryWriter(str(config.folder / "tensorboard"))
    return [*callbacks, TensorBoardCallback(board)]  # type: ignore[no-untyped-call]


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
        output_dir=str(config.folder / run_record.CHECKPOINTS),
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


@dataclass(slots=True)
class Session:
    """What is in memory while a run goes on."""

    config: TrainingConfig
    source: Source
    device: str
    precision: str
    tokenizer: "PreTrainedTokenizerBase"
    train: Encoded
    validation: Encoded
    trainer: "AnswerTrainer"
    seconds: float = 0.0
    figures: dict[str, object] = field(default_factory=dict)

    @staticmethod
    def open(described: Described, source: Source, rows: Rows, *, precision: str) -> "Session":
        """Load and prepare everything; no step is taken yet.

        Raises:
            StudyError: the model cannot be loaded or has no end token, or no row is left.
        """
        import torch
        from transformers import set_seed

        config = described.config
        if config.threads:
            torch.set_num_threads(config.threads)
        set_seed(config.seed)
        tokenizer = load_tokenizer(source)
        template = template_of(source, tokenizer, "")
        end = end_token(tokenizer)
        train = encode(rows.train, config, tokenizer, template, end)
        validation = encode(rows.validation, config, tokenizer, template, end)
        model = adapted(_weights(config, source, precision), described, source)
        return Session(
            config=config, source=source, device=choose_device(config.device),
            precision=precision, tokenizer=tokenizer, train=train, validation=validation,
            trainer=new_trainer(config, model, (train, validation), tokenizer, precision),
        )

    @property
    def leads(self) -> bool:
        """Tell whether this process is the one that writes and speaks."""
        return bool(self.trainer.is_world_process_zero())

    def learn(self, watcher: Watcher, checkpoint: Path | None) -> None:
        """Take all steps, from a checkpoint where there is one."""
        from training.trainer import Reporter

        self.trainer.add_callback(Reporter(watcher))
        began = time.perf_counter()
        self.trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        self.seconds = time.perf_counter() - began
        tokens = self.trainer.tokens_seen()
        self.figures = {
            "tokens": tokens, "seconds": round(self.seconds, 2),
            "tokens_per_second": round(tokens / self.seconds, 1) if self.seconds else None,
            "peak_bytes": run_record.peak_bytes(self.device),
        }

    def describe(self) -> dict[str, object]:
        """Return what the manifest says before the first step."""
        model = self.trainer.model
        weights = model.parameters() if model is not None else ()
        trained = sum(int(one.numel()) for one in weights if one.requires_grad is True)
        return {
            "precision": self.precision, "trained_parameters": trained,
            "processes": self.trainer.args.world_size,
            "train_rows": len(self.train.examples),
            "validation_rows": len(self.validation.examples),
            "shortened": self.train.shortened + self.validation.shortened,
            "left_out": self.train.left_out + self.validation.left_out,
        }

    def outcome(self) -> dict[str, object]:
        """Return what the manifest says after the last step."""
        history = self.trainer.state.log_history
        return {
            **self.figures, "curve": curve(history), "checks": checks(history),
            "steps": self.trainer.state.global_step,
            "best_checkpoint": Path(self.trainer.state.best_model_checkpoint or "").name or None,
        }

    def save(self, folder: Path) -> None:
        """Write the adapter and the tokenizer.

        Raises:
            StudyError: the folder cannot be written.
        """
        try:
            self.trainer.save_model(str(folder))
            if self.leads:
                self.tokenizer.save_pretrained(folder)
                self._name_base(folder / "adapter_config.json")
                (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle of paths
        except OSError as error:
            raise StudyError("training.cannot_write", folder=folder) from error

    def _name_base(self, file: Path) -> None:
        """Name the base as others can find it; peft writes the folder it was loaded from."""
        settings = json.loads(file.read_text("utf-8"))
        own = self.source.name if self.source.kind == "hub" else self.config.base
        settings["base_model_name_or_path"] = own
        write_text(json.dumps(settings, indent=2, sort_keys=True), file)


def end_token(tokenizer: "PreTrainedTokenizerBase") -> int:
    """Return the token that ends an answer; it is learned like any other.

    Raises:
        StudyError: the tokenizer names none.
    """
    for name in ("eos_token_id", "eod_id"):  # the second is Qwen's of 2023
        token = getattr(tokenizer, name, None)
        if isinstance(token, int):
            return token
    raise StudyError("training.no_end_token")


def adapted(
    model: "PreTrainedModel", described: Described, source: Source
) -> "PreTrainedModel":
    """Lay fresh LoRA weights over a model; all others stand still.

    Raises:
        StudyError: the model has none of the layers that are named.
    """
    from peft import LoraConfig, get_peft_model

    from training.demand import targets

    config = described.config
    if config.gradient_checkpointing:
        model.enable_input_require_grads()  # type: ignore[no-untyped-call]
    wanted = list(targets(described, source))
    settings = LoraConfig(
        r=config.r, lora_alpha=config.alpha, lora_dropout=config.dropout, target_modules=wanted,
        task_type="CAUSAL_LM", revision=source.revision or None,
    )
    try:
        laid = cast("PreTrainedModel", get_peft_model(model, settings))
    except ValueError as error:
        raise StudyError("training.no_layers", layers=", ".join(wanted)) from error
    laid.config.use_cache = False
    return laid


def _weights(config: TrainingConfig, source: Source, precision: str) -> "PreTrainedModel":
    """Load the weights to where accelerate will take them from; four-bit ones onto the GPU."""
    if config.quantisation == "none":
        return load_weights(source, device="cpu", dtype=precision)
    try:
        import bitsandbytes  # noqa: F401
    except ImportError as error:
        raise StudyError("training.no_bitsandbytes") from error
    from peft import prepare_model_for_kbit_training
    from transformers import BitsAndBytesConfig

    from cbt_core.generation.backend.model_weights import torch_dtype

    settings = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch_dtype(precision),
    )
    model = load_weights(source, device="cuda", dtype=precision, quantisation=settings)
    prepared: PreTrainedModel = prepare_model_for_kbit_training(  # type: ignore[no-untyped-call]
        model, use_gradient_checkpointing=config.gradient_checkpointing
    )
    return prepared
