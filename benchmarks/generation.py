"""Measure what the runner adds to a row: echo, the openai client on loopback, memory, resuming.

Run from the repository root: python -m benchmarks.generation [rows]
Every case runs in a process of its own; questions have the form and length of PsyQA's.
"""

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cbt_core.domain.people import TERMINAL
from cbt_core.generation.backend.catalogue import Options, Tuning
from cbt_core.generation.backend.echo import EchoBackend
from cbt_core.generation.backend.exchange import Failure, Reply, Request
from cbt_core.generation.run.journal import Outcome, Row
from cbt_core.generation.run.runner import run
from cbt_core.generation.tasks.answers import answers_to
from cbt_core.generation.tasks.prompts import load_prompt
from cbt_core.generation.tasks.questions import Questions
from cbt_core.instruments import load_scheme
from cbt_core.services.runs import model_run
from cbt_core.settings import Settings

ROWS: Final = 22_327
SMALL: Final = 1_000
SENTENCE: Final = "最近一直睡不好，总觉得自己什么都做不好，别人一定也这么看我。"
ANSWER: Final = "听得出来，这段时间您很不容易。" * 25
SETTINGS: Final = Settings(database="", allowed_hosts=("127.0.0.1",))


def questions(folder: Path, count: int) -> Path:
    """Write PsyQA-form questions: 23 and 180 characters, 2.7 answers of 600 (paper.md, 2.1)."""
    file = folder / "psyqa.json"
    with file.open("w", encoding="utf-8") as out:
        for number in range(count):
            record = {
                "questionID": number, "question": f"为什么我总是想着第{number}件事停不下来？",
                "description": SENTENCE * 6, "keywords": "睡眠,焦虑",
                "answers": [{"answer_text": ANSWER * 2}] * (2 + (number % 3 > 0)),
            }
            out.write("[" if number == 0 else ",")
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
        out.write("]")
    return file


def bare(folder: Path, count: int) -> None:
    """Print the runner's own cost: echo, the cbt prompt, no file of questions."""
    prompt, scheme = load_prompt("cbt", "zh"), load_scheme("burns-12")

    def requests() -> Iterator[Request]:
        for number in range(count):
            messages = prompt.messages(f"问题{number}", SENTENCE * 6, scheme)
            yield Request(f"q{number}", messages, schema=prompt.schema)

    def to_row(request: Request, reply: Reply) -> Row | Failure:
        return {"id": request.key, "system": "s", "answer": reply.text}

    alone = time.process_time()
    asyncio.run(_ask_only(requests()))
    alone = time.process_time() - alone
    start, cpu = time.monotonic(), time.process_time()
    run(requests(), EchoBackend(), place=folder / "a.jsonl", to_row=to_row, config={})
    wall, cpu = time.monotonic() - start, time.process_time() - cpu
    print(f"runner, echo       {count:6} rows  {count / wall:7.0f} rows/s  "
          f"{(cpu - alone) / count * 1000:.3f} CPU-ms a row (of {cpu / count * 1000:.3f})")


async def _ask_only(requests: Iterator[Request]) -> None:
    backend = EchoBackend()
    for request in requests:
        await backend.reply([request])


def whole(folder: Path, count: int, *, base_url: str = "") -> None:
    """Print the cost of `generate` from a questions file to the sorted answers file."""
    file = own_questions(folder, count) if base_url else questions(folder, count)
    options = Options(
        "openai" if base_url else "echo", "m", base_url=base_url, tuning=Tuning(concurrency=32)
    )
    start, cpu = time.monotonic(), time.process_time()
    done = _generated(file, options, folder)
    wall, cpu = time.monotonic() - start, time.process_time() - cpu
    ran = (done.ended_at - done.started_at).total_seconds()
    print(f"generate, {options.backend:8} {done.rows:6} rows  {done.rows / ran:7.0f} rows/s  "
          f"{cpu / count * 1000:.3f} CPU-ms a row  whole {wall:.1f} s  peak {_peak():.0f} MB")
    start = time.monotonic()
    _generated(file, replace(options, resume=True), folder)
    print(f"  resumed when done: {time.monotonic() - start:.1f} s")


def _generated(file: Path, options: Options, folder: Path) -> Outcome:
    now = datetime.now(UTC)
    plan = model_run.plan(
        answers_to(Questions(file), system="s"), options, place=folder / "a.jsonl",
        settings=SETTINGS, database=None, now=now)
    return model_run.ask(plan, settings=SETTINGS, database=None, person=TERMINAL, now=now)


def own_questions(folder: Path, count: int) -> Path:
    """Write questions of our own, which may go to a listed host."""
    file = folder / "own.jsonl"
    with file.open("w", encoding="utf-8") as out:
        for number in range(count):
            record = {"id": f"q{number}", "question": f"问题{number}", "description": SENTENCE * 6}
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
    return file


def client_ceiling(base_url: str, count: int) -> None:
    """Print what the official client does by itself, 32 calls at once."""
    from openai import AsyncOpenAI

    async def all_of_it() -> None:
        client = AsyncOpenAI(api_key="none", base_url=base_url, max_retries=0)
        gate = asyncio.Semaphore(32)

        async def one() -> None:
            async with gate:
                await client.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": SENTENCE * 6}])

        await asyncio.gather(*(one() for _ in range(count)))
        await client.close()

    start, cpu = time.monotonic(), time.process_time()
    asyncio.run(all_of_it())
    wall, cpu = time.monotonic() - start, time.process_time() - cpu
    print(f"client alone       {count:6} calls {count / wall:7.0f} calls/s "
          f"{cpu / count * 1000:.3f} CPU-ms a call")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def serve() -> None:
    """Answer every call at once with the same completion; the port goes to stdout."""
    content = json.dumps({"answer": ANSWER, "steps": {}, "distortions": [], "risk": "none"})
    body = json.dumps({
        "id": "c", "object": "chat.completion", "created": 0, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": content}}],
        "usage": {"prompt_tokens": 900, "completion_tokens": 300, "total_tokens": 1200},
    }).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    answer = head.encode() + b"\r\n\r\n" + body

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                asked = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = asked.partition(b"content-length: ")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length))
                writer.write(answer)
                await writer.drain()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def case(name: str, count: int, base_url: str) -> None:
    """Run one case in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        if name == "bare":
            bare(Path(folder), count)
        elif name == "client":
            client_ceiling(base_url, count)
        else:
            whole(Path(folder), count, base_url=base_url)


def main(rows: int) -> None:
    """Print every case, each from a fresh process."""
    host = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.generation", "serve"], stdout=subprocess.PIPE, text=True)
    port = host.stdout.readline().strip() if host.stdout else ""
    url = f"http://127.0.0.1:{port}/v1"
    try:
        for name, count, where in (
            ("bare", SMALL, ""), ("bare", rows, ""), ("whole", SMALL, ""), ("whole", rows, ""),
            ("client", 3 * SMALL, url), ("whole", SMALL, url), ("whole", 5 * SMALL, url),
        ):
            subprocess.run(
                [sys.executable, "-m", "benchmarks.generation", name, str(count), where],
                check=True, env={**os.environ, "CONCORD_API_KEY": ""})
    finally:
        host.terminate()
        host.wait()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve())
    elif len(sys.argv) == 4:
        case(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
