"""How a model is asked: which one, how it draws, how fast, how patiently; one frozen object.

It is made once, at the door (a command, a wish from the browser), and handed down whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cbt_core.generation.backend.allowance import Budget, Prices, Retrying
from cbt_core.generation.backend.exchange import Decoding


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
