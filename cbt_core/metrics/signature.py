"""The line that goes with a score: same signature, same number."""

from collections.abc import Mapping
from hashlib import sha256

from cbt_core.metrics.pairing import Corpus
from cbt_core.stats.signature import SHOWN, VERSION


def line(parts: Mapping[str, object]) -> str:
    """Return ``name:value|name:value``, as sacrebleu writes it."""
    return "|".join(f"{name}:{value}" for name, value in parts.items())


def references_told(counts: list[int]) -> str:
    """Return how many references the answers have: a number, or ``var``."""
    return str(counts[0]) if len(set(counts)) == 1 else "var"


def of_run(corpus: Corpus, metrics: tuple[str, ...], *, bootstrap: int, seed: int) -> str:
    """Return the signature of a whole table."""
    digests = ",".join(f"{system}={corpus.digest(system)}" for system in corpus.systems)
    return line({
        "data": "#" + sha256(digests.encode()).hexdigest()[:SHOWN],
        "systems": len(corpus.systems),
        "items": len(corpus.keys),
        "metrics": ",".join(metrics),
        "boot": bootstrap,
        "seed": seed,
        "v": VERSION,
    })
