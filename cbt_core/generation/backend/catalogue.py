"""What a model is put to work with, as one object; the backends by name, made on demand."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.generation.backend import BACKENDS
from cbt_core.generation.backend.allowance import Budget, Prices, Retrying
from cbt_core.generation.backend.exchange import Backend, Decoding


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a backend works without changing what it says (but for `revision` and `dtype`).

    `concurrency` calls at once (0: the backend's own number); rates are per minute; `timeout` and
    `delay` (of echo) are seconds; `batch` makes openai use the Batch API.
    """

    concurrency: int = 0
    per_minute: float | None = None
    tokens_per_minute: float | None = None
    timeout: float = 180.0
    prices: Prices = field(default_factory=Prices)
    budget: Budget = field(default_factory=Budget)
    retrying: Retrying = field(default_factory=Retrying)
    batch: bool = False
    poll_seconds: float = 30.0
    delay: float = 0.0
    revision: str = ""
    device: str = "auto"
    dtype: str = "auto"
    rows: int = 0
    trust_remote_code: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient a run is.

    `rounds` times the failed requests are asked again at the end; after `patience` failures to
    reach the host in a row the run stops; `grace_seconds` is how long calls under way may go on
    after a stop; `waiting_rows` bounds the rows in memory that are not on disk yet.
    """

    rounds: int = 2
    patience: int = 200
    grace_seconds: float = 30.0
    waiting_rows: int = 256


@dataclass(frozen=True, slots=True)
class Options:
    """Which model is asked, and how; `base_url` is for openai, `adapter` for transformers.

    `resume` goes on with a run whose rows lie where the new ones go.
    """

    backend: str
    model: str
    adapter: str = ""
    base_url: str = ""
    decoding: Decoding = field(default_factory=Decoding)
    tuning: Tuning = field(default_factory=Tuning)
    limits: Limits = field(default_factory=Limits)
    resume: bool = False

    def deciding(self, host: str) -> Mapping[str, object]:
        """Return what of it decides the rows; speed, money and patience do not."""
        return {
            "backend": self.backend, "model": self.model, "adapter": self.adapter,
            "revision": self.tuning.revision, "host": host,
        }


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
