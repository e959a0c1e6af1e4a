"""How often each bad day is repeated, and where its figures are kept as evidence.

`make test` takes the small counts below, `make validate` sets the full ones.
"""

import json
import os
from pathlib import Path
from typing import Final

KILLS: Final = int(os.environ.get("CONCORD_KILLS", "20"))
SERVER_KILLS: Final = int(os.environ.get("CONCORD_SERVER_KILLS", "4"))
CUTS: Final = int(os.environ.get("CONCORD_CUTS", "50"))
BURST_PROCESSES: Final = 16
BURST_SAVES: Final = int(os.environ.get("CONCORD_BURST_SAVES", "10"))
BURST_THREADS: Final = 16
BURST_THREAD_SAVES: Final = int(os.environ.get("CONCORD_BURST_THREAD_SAVES", "50"))
CROWD: Final = 50
CROWD_SAVES: Final = int(os.environ.get("CONCORD_CROWD_SAVES", "4"))
IDLE_MACHINE: Final = os.environ.get("CONCORD_IDLE_MACHINE") == "1"
"""Whether waiting times are judged too: they mean something only when nothing else runs."""


def keep(name: str, **found: object) -> None:
    """Keep the figures of a check beside the report, where one is asked for."""
    folder = os.environ.get("CONCORD_EVIDENCE", "")
    if folder:
        file = Path(folder) / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", "utf-8")


def at_share(times: list[float], share: float) -> float:
    """Return the value below which a share of the times lies (nearest rank)."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
