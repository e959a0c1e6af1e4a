"""A probability of inclusion as files write it."""

import re
from typing import Final

WRITTEN: Final = re.compile(r"[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)


def chance(written: str) -> float | None:
    """Return the probability a text stands for; None unless it is above 0 and at most 1."""
    found = float(written) if WRITTEN.fullmatch(written) else 0.0
    return found if 0 < found <= 1 else None
