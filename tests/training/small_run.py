"""A run of seconds: a Llama of 0.8 million parameters on a few made-up rows."""

import json
from dataclasses import replace
from pathlib import Path

from training.config import Described, TrainingConfig

WORDS = ("my friend", "the exam", "a talk", "my boss", "the party", "a mistake", "my son", "work")


def write_rows(file: Path, count: int = 16) -> Path:
    """Write a dataset of short rows, each different."""
    rows = [
        {"id": f"r{i:02d}", "question": f"I fear {WORDS[i % 8]} {i}",
         "description": "I always fail." if i % 3 else "",
         "answer": f"You feel hurt by {WORDS[i % 8]}. What speaks for it? Take one small step {i}."}
        for i in range(count)
    ]
    file.write_text("\n".join(json.dumps(one) for one in rows), "utf-8")
    return file


def described(model: Path, folder: Path, **settings: object) -> Described:
    """Return a configuration on a model folder, with what a test changes."""
    base = TrainingConfig(
        base=str(model), train=write_rows(folder.parent / f"{folder.name}.jsonl"), folder=folder,
        validation_share=0.25, prompt=str(prompt_file(folder.parent)), max_tokens=160, r=4, alpha=8,
        dropout=0.1, epochs=100, max_steps=12, learning_rate=5e-3, batch=2, accumulation=2,
        precision="fp32", device="cpu", threads=1, log_every=1, evaluate_every=4, language="en",
    )
    return Described(replace(base, **settings), "a test", {}, {})  # type: ignore[arg-type]


def prompt_file(folder: Path) -> Path:
    """Write the shortest prompt there is."""
    file = folder / "ask.txt"
    file.write_text("{question} {description}", "utf-8")
    return file


def silent(_key: str, _values: object) -> None:
    """Say nothing."""
