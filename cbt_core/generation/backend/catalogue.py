"""The backends by name; each is imported only when it is asked for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.generation.backend.allowance import Budget, Prices, Retrying
from cbt_core.generation.backend.exchange import Backend

BACKENDS: Final = ("openai", "transformers", "echo")
OPENAI: Final = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a backend works without changing what it says (but for `revision` and `dtype`).

    `concurrency` calls at once (0: the backend's own number); rates are per minute; `timeout` and
    `delay` (of echo) are seconds; `batch_file` makes openai use the Batch API and keeps its ids.
    """

    concurrency: int = 0
    per_minute: float | None = None
    tokens_per_minute: float | None = None
    timeout: float = 180.0
    prices: Prices = field(default_factory=Prices)
    budget: Budget = field(default_factory=Budget)
    retrying: Retrying = field(default_factory=Retrying)
    batch: bool = False
    batch_file: str = ""
    poll_seconds: float = 30.0
    delay: float = 0.0
    labels: Sequence[str] = ()
    revision: str = ""
    device: str = "auto"
    dtype: str = "auto"
    rows: int = 0
    trust_remote_code: bool = False


def make_backend(
    name: str,
    *,
    model: str,
    adapter: str | None = None,
    base_url: str | None = None,
    allowed_hosts: Collection[str] = (),
    tuning: Tuning | None = None,
) -> Backend:
    """Return a backend; nothing is loaded or sent yet.

    Raises:
        StudyError: no such backend, a host that is not listed, no key, no such model, or an
            adapter where none can be used.
    """
    chosen = tuning or Tuning()
    if name not in BACKENDS:
        raise StudyError("generation.no_backend", name=name[:40], known=", ".join(BACKENDS))
    if adapter and name != "transformers":
        raise StudyError("generation.no_adapter", backend=name)
    if name == "echo":
        return _echo(model, chosen)
    if name == "transformers":
        return _transformers(model, adapter or "", chosen)
    return _openai(model, base_url or OPENAI, allowed_hosts, chosen)


def _echo(model: str, tuning: Tuning) -> Backend:
    from cbt_core.generation.backend.echo import EchoBackend

    return EchoBackend(
        model, delay=tuning.delay, concurrency=tuning.concurrency or 8, labels=tuning.labels
    )


def _transformers(model: str, adapter: str, tuning: Tuning) -> Backend:
    from cbt_core.generation.backend.local_model import LocalModel, TransformersBackend

    return TransformersBackend(LocalModel(
        model=model, adapter=adapter, revision=tuning.revision, device=tuning.device,
        dtype=tuning.dtype, batch=tuning.rows, trust_remote_code=tuning.trust_remote_code,
    ))


def _openai(model: str, base_url: str, allowed: Collection[str], tuning: Tuning) -> Backend:
    from cbt_core.generation.backend.openai_chat import Endpoint, OpenAIBackend

    endpoint = Endpoint(
        base_url=base_url, allowed=tuple(allowed), concurrency=tuning.concurrency or 8,
        timeout=tuning.timeout, per_minute=tuning.per_minute,
        tokens_per_minute=tuning.tokens_per_minute, prices=tuning.prices, budget=tuning.budget,
        retrying=tuning.retrying,
    )
    if not tuning.batch:
        return OpenAIBackend(model, endpoint)
    from pathlib import Path

    from cbt_core.generation.backend.openai_batch import BatchBackend

    return BatchBackend(
        model, endpoint, memory=Path(tuning.batch_file), poll_seconds=tuning.poll_seconds
    )
