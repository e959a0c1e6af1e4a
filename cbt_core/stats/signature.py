"""The line that goes with every figure: same signature, same numbers."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from cbt_core.stats.ratings import Ratings
from cbt_core.version import VERSION

SHOWN: Final = 8


def digest(ratings: Ratings, scales: Sequence[str]) -> str:
    """Return the SHA-256 (hexadecimal) of the rows analysed, whatever order a file had them in."""
    found = hashlib.sha256()
    for labels in (ratings.items, ratings.systems, ratings.panels, ratings.raters, tuple(scales)):
        found.update(f"{len(labels)}\0".encode() + "\0".join(labels).encode() + b"\n")
    for indices in (ratings.item, ratings.system, ratings.panel, ratings.rater):
        found.update(indices.astype("<i8").tobytes())
    numbers = [ratings.values[scale] for scale in scales]
    numbers += [column for column in (ratings.order, ratings.seconds) if column is not None]
    for column in numbers:
        plain = np.where(np.isnan(column), np.nan, column + 0.0)  # one nan, one zero
        found.update(plain.astype("<f8").tobytes())
    return found.hexdigest()


def signature(ratings: Ratings, scales: Sequence[str], settings: Mapping[str, object]) -> str:
    """Return e.g. ``study:demo|data:#1f09c2aa|set:main,last|items:120|raters:6|…|v:0.1.0``."""
    parts: dict[str, object] = {"study": ratings.study} if ratings.study else {}
    parts |= {
        "data": "#" + digest(ratings, scales)[:SHOWN],
        "set": "main,last",
        "items": len(ratings.items),
        "raters": len(ratings.raters),
    }
    if ratings.instrument:
        parts["instrument"] = ratings.instrument
    parts |= {"scales": ",".join(scales), **settings, "v": VERSION}
    return "|".join(f"{name}:{value}" for name, value in parts.items())


def told_values(values: Mapping[str, Sequence[float]], scales: Sequence[str]) -> str:
    """Return the values of the scales as the signature tells them: ``0,1,2`` or per scale."""
    told = [",".join(f"{value:g}" for value in values[scale]) for scale in scales]
    if len(set(told)) == 1:
        return told[0]
    return ";".join(f"{scale}={text}" for scale, text in zip(scales, told, strict=True))
