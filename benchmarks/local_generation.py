"""Tokens per second of the local backend: in batches and one by one, on the same questions.

Run from the repository root: ``python -m benchmarks.local_generation [--model tiny]
[--questions 16] [--tokens 64] [--batches 1,4,8,16]``. Greedy replies; every batch size answers the
same questions, and what is counted are the reply's own tokens. Wall and CPU time, after loading
and one warm-up reply.
"""

import argparse
import json
import time

from cbt_core.demo.simulated import demo_file
from cbt_core.generation.backend.exchange import Decoding, Message, Reply, Request
from cbt_core.generation.backend.local_model import LocalModel, TransformersBackend
from cbt_core.generation.tasks.prompts import load_prompt


def questions(count: int, tokens: int) -> list[Request]:
    """Return questions of the demonstration in English, cycled, as requests."""
    lines = demo_file("en").read_text("utf-8").splitlines()
    items = [json.loads(line) for line in lines]
    prompt = load_prompt("plain", "en")
    found = []
    for number in range(count):
        item = items[number % len(items)]
        messages: tuple[Message, ...] = prompt.messages(item["question"], item["description"])
        found.append(Request(f"q{number}", messages, Decoding(max_new_tokens=tokens)))
    return found


def measure(backend: TransformersBackend, requests: list[Request], rows: int) -> dict[str, float]:
    """Return tokens per second of wall and CPU time with so many rows in a batch."""
    backend.rows = rows
    backend.answers(requests[:1])
    wall, cpu = time.perf_counter(), time.process_time()
    replies = [one for one in backend.answers(requests) if isinstance(one, Reply)]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    tokens = sum(one.reply_tokens or 0 for one in replies)
    return {"replies": len(replies), "tokens": tokens, "wall": wall, "cpu": cpu,
            "tokens_per_second": tokens / wall, "tokens_per_cpu_second": tokens / cpu}


def main() -> None:
    """Print one line a batch size, and the gain over one by one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--adapter", default="")
    parser.add_argument("--questions", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--batches", default="1,4,8,16")
    asked = parser.parse_args()
    backend = TransformersBackend(LocalModel(asked.model, adapter=asked.adapter))
    print({key: backend.describe()[key] for key in ("model", "device", "dtype")})
    requests = questions(asked.questions, asked.tokens)
    first: dict[str, float] = {}
    for rows in (int(one) for one in asked.batches.split(",")):
        found = measure(backend, requests, rows)
        first = first or found
        gain = found["tokens_per_second"] / first["tokens_per_second"]
        per_cpu = found["tokens_per_cpu_second"] / first["tokens_per_cpu_second"]
        print(f"batch {rows:3d}: {found['tokens']:.0f} tokens, {found['wall']:.1f} s, "
              f"{found['tokens_per_second']:.1f} tok/s (x{gain:.2f}), "
              f"{found['tokens_per_cpu_second']:.1f} tok/CPU-s (x{per_cpu:.2f})")


if __name__ == "__main__":
    main()
