"""How a run really stands: what its row says, and whether anybody is still at work."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.wording import say
from db.runs import Run

AT_ONCE, LOCAL_AT_ONCE = 4, 1
"""Runs at work at the same time; a local model takes the memory of the machine."""

SILENT: Final = timedelta(seconds=60)
"""After so long without a sign of life a run is lost, whatever its process looks like."""

SILENT_AND_GONE: Final = timedelta(seconds=8)
"""The same when there is no such process on this machine."""

LOST: Final = "lost"
STOPPING: Final = "stopping"
RESUMABLE: Final = ("stopped", "failed", LOST)


@dataclass(frozen=True, slots=True)
class Watched:
    """A run and how it really stands: its status, or `stopping` or `lost`.

    `rate` is rows a second; it and `seconds_left` are None unless the run is at work.
    """

    run: Run
    state: str
    rate: float | None
    seconds_left: float | None

    @property
    def active(self) -> bool:
        """Tell whether a process is, or will be, at work."""
        return self.run.active and self.state != LOST

    @property
    def resumable(self) -> bool:
        """Tell whether going on would do anything."""
        unanswered = self.state == "finished" and self.run.failed > 0
        return bool(self.run.folder) and (self.state in RESUMABLE or unanswered)

    def told(self, language: str) -> str:
        """Return what there is to say about the run, '' for nothing."""
        if self.state == LOST:
            return say("running.lost", language)
        message = self.run.message
        return say(message.code, language, **(message.values or {})) if message.code else ""


def watched(run: Run, now: datetime) -> Watched:
    """Return how a run stands: a process that gave no sign for long is not at work."""
    state = run.status
    if run.active and _is_lost(run, now):
        state = LOST
    elif run.status == "running" and run.stop_asked:
        state = STOPPING
    values = run.message.values or {}
    rate, left = values.get("rate"), values.get("left")
    at_work = state in {"running", STOPPING}
    return Watched(
        run, state,
        float(rate) if at_work and isinstance(rate, int | float) else None,
        float(left) if at_work and isinstance(left, int | float) else None,
    )


def _is_lost(run: Run, now: datetime) -> bool:
    silence = now - run.heartbeat_at
    if silence > SILENT:
        return True
    return silence > SILENT_AND_GONE and run.pid is not None and not _exists(run.pid)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's process has this number
        return True
    return True


def require_room(standing: Sequence[Run], backend: str, now: datetime) -> None:
    """Refuse one more run when enough are at work.

    Raises:
        StudyError: too many, or a second local model.
    """
    at_work = [one for one in standing if not _is_lost(one, now)]
    local = [one for one in at_work if one.config["asked"]["backend"] == "transformers"]
    if len(at_work) >= AT_ONCE:
        raise StudyError("running.no_room", most=AT_ONCE)
    if backend == "transformers" and len(local) >= LOCAL_AT_ONCE:
        raise StudyError("running.no_room_local")
