"""LoRA steps: this program's trainer, TRL's SFTTrainer and a plain peft loop, on the same rows.

Run from the repository root: ``python -m benchmarks.training [--model tiny] [--steps 4]
[--batch 2] [--rows FILE]``. Each way runs in a process of its own, with the same model, LoRA
layers, rows in the same order, optimiser and number format. Reported: wall and CPU seconds a step
(the first left out), tokens per second, peak memory, the losses.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cbt_core.generation.backend.model_folder import find
from cbt_core.generation.backend.model_weights import load_tokenizer, load_weights, template_of
from cbt_core.settings import ROOT
from training import demand
from training.config import TrainingConfig
from training.data import IGNORED, AnswerCollator, Example, answer_loss, encode, read_rows
from training.session import end_token

WAYS = ("loop", "ours", "trl")


def main() -> None:
    """Run every way in its own process, or one of them here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rows", type=Path, default=ROOT / "training" / "demo_pairs.en.jsonl")
    parser.add_argument("--way", choices=WAYS)
    asked = parser.parse_args()
    if asked.way:
        print(json.dumps(run(asked.way, asked)))
        return
    for way in WAYS:
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.training", *sys.argv[1:],
                   "--way", way]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        found = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {
            "failed": done.stderr.splitlines()[-1:]}
        print(way, found)


def run(way: str, asked: argparse.Namespace) -> dict[str, object]:
    """Return the figures of one way."""
    import torch
    from peft import LoraConfig, get_peft_model

    with tempfile.TemporaryDirectory() as folder:
        config = TrainingConfig(
            base=asked.model, train=asked.rows, folder=Path(folder), language="en",
            prompt=str(ROOT / "training" / "configs" / "tiny-prompt.txt"), max_tokens=512,
            max_steps=asked.steps, batch=asked.batch, accumulation=1, learning_rate=1e-3,
            device=asked.device,
        )
        source, device = find(asked.model), "cpu"
        if torch.cuda.is_available() and asked.device != "cpu":
            device = "cuda"
        number = demand.choose_precision("auto", device)
        tokenizer = load_tokenizer(source)
        examples = encode(read_rows(config).train, config, tokenizer,
                          template_of(source, tokenizer, ""), end_token(tokenizer)).examples
        torch.manual_seed(1)
        model = get_peft_model(
            load_weights(source, device=device, dtype=number),
            LoraConfig(r=8, lora_alpha=16, lora_dropout=0.0, task_type="CAUSAL_LM",
                       target_modules=list(source.profile.target_modules)
                       if source.profile else "all-linear"),
        )
        ways: dict[str, Callable[..., list[float]]] = {"loop": _loop, "ours": _ours, "trl": _trl}
        clock = Clock()
        losses = ways[way](config, model, examples, tokenizer, number, clock)
        tokens = sum(len(one.tokens) for one in examples) / len(examples) * asked.batch
    return {**clock.figures(tokens), "losses": [round(one, 3) for one in losses],
            "peak_mib": _peak(device)}


class Clock:
    """Notes the end of every step."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.cpu: list[float] = []

    def tick(self) -> None:
        """Note a moment."""
        self.wall.append(time.perf_counter())
        self.cpu.append(time.process_time())

    def figures(self, tokens: float) -> dict[str, float]:
        """Return seconds a step between the first and the last tick, and tokens per second."""
        steps = len(self.wall) - 1
        wall = (self.wall[-1] - self.wall[0]) / steps
        cpu = (self.cpu[-1] - self.cpu[0]) / steps
        return {"steps": steps, "wall_s": round(wall, 2), "cpu_s": round(cpu, 2),
                "tokens_per_s": round(tokens / wall, 1),
                "tokens_per_cpu_s": round(tokens / cpu, 1)}


def _peak(device: str) -> int:
    import torch

    if device == "cuda":
        return int(torch.cuda.max_memory_allocated()) >> 20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _loop(
    config: TrainingConfig, model: object, examples: tuple[Example, ...], _tokenizer: object,
    number: str, clock: Clock,
) -> list[float]:
    """Take steps as a plain script would: labels to the model, AdamW, nothing else."""
    import torch

    optimiser = torch.optim.AdamW(
        [one for one in model.parameters() if one.requires_grad], lr=config.learning_rate
    )
    device = next(model.parameters()).device
    collate = AnswerCollator(0, picks_places=False)
    losses = []
    model.train()
    for step in range(config.max_steps):
        rows = _rows(examples, step, config.batch)
        batch = {name: one.to(device) for name, one in collate(rows).items()}
        labels = torch.cat([torch.full_like(batch["labels"][:, :1], IGNORED),
                            batch.pop("labels")[:, 1:]], dim=1)
        with torch.autocast(device.type, torch.bfloat16, enabled=number == "bf16"):
            loss = model(**batch, labels=labels).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
        clock.tick()
    return losses


def _rows(examples: tuple[Example, ...], step: int, batch: int) -> list[Example]:
    start = step * batch
    return [examples[(start + place) % len(examples)] for place in range(batch)]


def _arguments(config: TrainingConfig, number: str) -> dict[str, Any]:
    return {
        "output_dir": str(config.folder), "per_device_train_batch_size": config.batch,
        "max_steps": config.max_steps, "learning_rate": config.learning_rate,
        "lr_scheduler_type": "constant", "bf16": number == "bf16", "logging_steps": 1,
        "use_cpu": config.device == "cpu", "save_strategy": "no", "report_to": "none",
        "disable_tqdm": True, "train_sampling_strategy": "sequential", "weight_decay": 0.0,
    }


def _callback(clock: Clock) -> object:
    from transformers import TrainerCallback

    class Ticking(TrainerCallback):
        def on_step_end(self, *_: object, **__: object) -> None:
            clock.tick()

    return Ticking()


def _ours(
    config: TrainingConfig, model: object, examples: tuple[Example, ...], _tokenizer: object,
    number: str, clock: Clock,
) -> list[float]:
    from transformers import Trainer, TrainingArguments

    trainer = Trainer(
        model=model, args=TrainingArguments(**_arguments(config, number),
                                            remove_unused_columns=False, label_names=["labels"]),
        train_dataset=list(examples), data_collator=AnswerCollator(0, picks_places=True),
        compute_loss_func=answer_loss, callbacks=[_callback(clock)],
    )
    trainer.train()
    return [one["loss"] for one in trainer.state.log_history if "loss" in one]


def _trl(
    config: TrainingConfig, model: object, examples: tuple[Example, ...], tokenizer: object,
    number: str, clock: Clock,
) -> list[float]:
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    rows = Dataset.from_list([
        {"input_ids": list(one.tokens),
         "completion_mask": [0] * one.answer + [1] * (len(one.tokens) - one.answer)}
        for one in examples
    ])
    settings = SFTConfig(**_arguments(config, number), max_length=config.max_tokens,
                         completion_only_loss=True, gradient_checkpointing=False)
    trainer = SFTTrainer(model=model, args=settings, train_dataset=rows,
                         processing_class=tokenizer, callbacks=[_callback(clock)])
    trainer.train()
    return [one["loss"] for one in trainer.state.log_history if "loss" in one]


if __name__ == "__main__":
    main()
