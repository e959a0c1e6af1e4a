"""Unexpected errors: an id for the person, and where it happened for whoever mends it.

The message of an exception is left out: it may hold a patient's words.
"""

import secrets
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cbt_core.settings import ROOT

FOLDER: Final = ROOT / "data" / "log"
NAME: Final = "errors.log"


def record(error: BaseException, folder: Path | None = None) -> tuple[str, Path]:
    """Write type and places of an error to the log; return its id and the log's file.

    A log that cannot be written is no reason to fail a second time.
    """
    error_id = f"E-{secrets.token_hex(4)}"
    places = traceback.extract_tb(error.__traceback__)
    lines = [f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {error_id} {type(error).__name__}"]
    lines += [f"  {place.filename}:{place.lineno} {place.name}" for place in places]
    file = (folder or FOLDER) / NAME
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as log:
            log.write("\n".join(lines) + "\n")
        file.chmod(0o600)
    except OSError:  # a read-only or full disk: the id still helps
        return error_id, file
    return error_id, file
