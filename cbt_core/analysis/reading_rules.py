"""By which rules an agreement is read: Krippendorff's benchmarks of alpha.

Krippendorff 2018, Content analysis, 4th ed., p. 356 (2004, p. 241): .800 reliable, .667 tentative.
"""

from typing import Final

RELIABLE: Final = 0.8
TENTATIVE: Final = 0.667
"""Krippendorff 2018, Content analysis, 4th ed., p. 356: .800 reliable, .667 tentative."""


def alpha_verdict(alpha: float) -> str:
    """Return the key of the sentence on an alpha: reliable, tentative or low (Krippendorff)."""
    if alpha >= RELIABLE:
        return "alpha_reliable"
    return "alpha_tentative" if alpha >= TENTATIVE else "alpha_low"
