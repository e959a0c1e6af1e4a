"""Scores kept between runs: a file of numbers per system and metric, named by what made them.

The name is a digest of answers, references, metric, settings, model and versions: any change
makes another name, so nothing is ever out of date. The files hold numbers only, no text.
"""

import contextlib
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

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
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as part:
                np.save(part, rows, allow_pickle=False)
            os.replace(part.name, self._file(answers, settings))  # noqa: PTH105 - atomic

    def _file(self, answers: str, settings: str) -> Path:
        name = sha256(f"{answers}|{settings}".encode()).hexdigest()
        return (self.folder or Path()) / f"{name}.npy"
