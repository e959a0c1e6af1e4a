"""Joining a component's script: plain JavaScript in small files, no build step."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

SHARED: Final = Path(__file__).parent / "shared"


def joined(folder: Path, parts: Iterable[str]) -> str:
    """Return parts as one ES module: a component's own file, else the one all share."""
    return "\n".join(_file(folder, part).read_text("utf-8") for part in parts)


def _file(folder: Path, part: str) -> Path:
    own = folder / f"{part}.js"
    return own if own.exists() else SHARED / f"{part}.js"
