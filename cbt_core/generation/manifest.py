"""What a run's manifest says: settings, versions, machine, counts; never a key or a text."""

import importlib.metadata
import json
import os
import platform
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cbt_core.generation.outcome import Outcome

VERSION: Final = "0.1.0"
PACKAGES: Final = ("openai", "torch", "transformers", "peft", "accelerate", "tokenizers", "gguf")


def manifest_of(
    outcome: Outcome,
    digest: str,
    *,
    config: Mapping[str, object],
    backend: Mapping[str, object],
) -> dict[str, object]:
    """Return the manifest of a run as plain JSON values."""
    return {
        "manifest": 1,
        "ended": outcome.ended,
        "config": dict(config),
        "config_digest": digest,
        "backend": dict(backend),
        "counts": {
            "rows": outcome.rows, "failed": outcome.failed, "before": outcome.before,
            "healed_lines": outcome.healed,
        },
        "failures": dict(outcome.causes),
        "spent": {
            "prompt_tokens": outcome.prompt_tokens, "reply_tokens": outcome.reply_tokens,
            "cost": outcome.cost,
        },
        "started_at": outcome.started_at.isoformat(),
        "ended_at": outcome.ended_at.isoformat(),
        "versions": versions(),
        "hardware": hardware(),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that shape a reply."""
    found = {"python": platform.python_version(), "concord": VERSION}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> dict[str, object]:
    """Return the machine without its name: kind, system, processors."""
    return {
        "machine": platform.machine(), "system": platform.system(),
        "release": platform.release(), "processors": os.cpu_count(),
    }


def found_in(out: Path) -> dict[str, object]:
    """Count what finished rows hold: labels, names outside the scheme, risks, how they ended."""
    labels: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    risks: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    distorted = 0
    with out.open("rb") as file:
        for line in file:
            row = json.loads(line)
            labels.update(row["distortions"])
            unknown.update(row["unknown_distortions"])
            risks[row["risk"]] += 1
            ends[row["finish"]] += 1
            distorted += bool(row["distortions"])
    return {
        "with_distortion": distorted, "distortions": dict(labels.most_common()),
        "unknown_distortions": dict(unknown.most_common(100)), "risk": dict(risks),
        "finish": dict(ends),
    }
