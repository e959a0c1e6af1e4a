"""Scores kept between runs: a file of numbers per system and metric, named by what made them.

The name is a digest of answers, references, metric, settings, model and versions: any change
makes another name, so nothing is ever out of date. The files hold numbers only, no text.
"""

import contextlib
import io
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from cbt_core.files.writer import put_whole
from cbt_core.stats.ratings import Floats


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of kept statistics; None keeps nothing."""

    folder: Path | None = None

    def get(self, answers: str, settings: str, items: int) -> Floats | None:
        """Return the rows (items, k) kept for these answers under these settings, if any."""
        if self.folder is None:
            return None
        try:
            rows = np.load(self._file(answers, settings), allow_pickle=False)
        except (OSError, ValueError, EOFError):  # absent, or cut short: it is made again
            return None
        sound = rows.ndim == 2 and len(rows) == items and rows.dtype == np.float64
        return rows if sound else None

    def put(self, answers: str, settings: str, rows: Floats) -> None:
        """Keep rows; a folder that cannot be written is no reason to fail."""
        if self.folder is None:
            return
        content = io.BytesIO()
        np.save(content, rows, allow_pickle=False)
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            put_whole(self._file(answers, settings), [content.getvalue()])

    def _file(self, answers: str, settings: str) -> Path:
        name = sha256(f"{answers}|{settings}".encode()).hexdigest()
        return (self.folder or Path()) / f"{name}.npy"
