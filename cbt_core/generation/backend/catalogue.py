"""The backends by name; each is imported only when it is asked for."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.generation.backend.exchange import Backend
from cbt_core.generation.backend.options import Options

BACKENDS: Final = ("openai", "transformers", "echo")
OPENAI: Final = "https://api.openai.com/v1"


def make_backend(
    options: Options,
    *,
    allowed_hosts: Collection[str] = (),
    labels: Sequence[str] | None = (),
    memory: Path = Path(),
) -> Backend:
    """Return a backend; nothing is loaded or sent yet.

    `labels` are the names echo may report, None has it fill the schema instead; `memory` is the
    file in which openai's Batch API keeps its ids.

    Raises:
        StudyError: no such backend, a host that is not listed, no key, no such model, or an
            adapter where none can be used.
    """
    name = options.backend
    if name not in BACKENDS:
        raise StudyError("generation.no_backend", name=name[:40], known=", ".join(BACKENDS))
    if options.adapter and name != "transformers":
        raise StudyError("generation.no_adapter", backend=name)
    if name == "echo":
        return _echo(options, labels)
    if name == "transformers":
        return _transformers(options)
    return _openai(options, allowed_hosts, memory)


def _echo(options: Options, labels: Sequence[str] | None) -> Backend:
    from cbt_core.generation.backend.echo import EchoBackend, SchemaEcho

    delay, concurrency = options.tuning.delay, options.tuning.concurrency or 8
    if labels is None:
        return SchemaEcho(options.model, delay=delay, concurrency=concurrency)
    return EchoBackend(options.model, delay=delay, concurrency=concurrency, labels=labels)


def _transformers(options: Options) -> Backend:
    from cbt_core.generation.backend.local_model import LocalModel, TransformersBackend

    tuning = options.tuning
    return TransformersBackend(LocalModel(
        model=options.model, adapter=options.adapter, revision=tuning.revision,
        device=tuning.device, dtype=tuning.dtype, batch=tuning.rows,
        trust_remote_code=tuning.trust_remote_code,
    ))


def _openai(options: Options, allowed: Collection[str], memory: Path) -> Backend:
    from cbt_core.generation.backend.openai_chat import Endpoint, OpenAIBackend

    tuning = options.tuning
    endpoint = Endpoint(
        base_url=options.base_url or OPENAI, allowed=tuple(allowed),
        concurrency=tuning.concurrency or 8, timeout=tuning.timeout,
        per_minute=tuning.per_minute, tokens_per_minute=tuning.tokens_per_minute,
        prices=tuning.prices, budget=tuning.budget, retrying=tuning.retrying,
    )
    if not tuning.batch:
        return OpenAIBackend(options.model, endpoint)
    from cbt_core.generation.backend.openai_batch import BatchBackend

    return BatchBackend(
        options.model, endpoint, memory=memory, poll_seconds=tuning.poll_seconds
    )
