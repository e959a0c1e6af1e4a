"""Which checkpoint a run goes on from, and whether it is the same run."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cbt_core.errors import StudyError

FOLDER: Final = "checkpoints"
NAME: Final = re.compile(r"checkpoint-(\d+)")


def last_whole(folder: Path) -> Path | None:
    """Return the newest checkpoint that was written to its end.

    Trainer writes trainer_state.json last; a kill in the middle leaves it out or cut short.
    """
    found = [(int(match[1]), path) for path in (folder / FOLDER).glob("checkpoint-*")
             if (match := NAME.fullmatch(path.name))]
    return next((path for _, path in sorted(found, reverse=True) if _whole(path)), None)


def _whole(path: Path) -> bool:
    try:
        state = json.loads((path / "trainer_state.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(state, dict) and "global_step" in state


def begin(folder: Path, known: Mapping[str, object] | None, digests: tuple[str, str],
          *, resume: bool) -> Path | None:
    """Return the checkpoint to go on from; None starts at the beginning.

    `known` is the manifest found in the folder, `digests` those of configuration and data.

    Raises:
        StudyError: the folder holds a run and `resume` is not asked for, a finished run, or one
            of another configuration or other data.
    """
    if known is None:
        return None
    if not resume:
        raise StudyError("training.folder_taken", folder=folder)
    if known.get("state") == "finished":
        raise StudyError("training.finished_before", folder=folder)
    if (known.get("config_digest"), known.get("data_digest")) != digests:
        raise StudyError("training.other_run", folder=folder)
    return last_whole(folder)
