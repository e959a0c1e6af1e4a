"""The known cells of the CBT-LLM paper's tables; Table 5 is its human evaluation of 100 samples.

A cell that is not there is not published here; none is filled in. The paper gives neither
intervals nor agreement.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

SCALES: Final = ("relevance", "structure", "helpfulness")
"""The columns of Table 5, by the ids of instrument `cbt-3`."""


@dataclass(frozen=True, slots=True)
class PaperScores:
    """One tuned backbone: its known mean scores (0 to 2) by scale."""

    model: str
    means: dict[str, float]


@cache
def table_5() -> tuple[PaperScores, ...]:
    """Return the rows of Table 5."""
    rows = tomllib.loads(FILE.read_text("utf-8"))["table_5"]
    return tuple(
        PaperScores(row["model"], {scale: row[scale] for scale in SCALES if scale in row})
        for row in rows
    )


FILE: Final = Path(__file__).with_name("paper.toml")


@cache
def known() -> Mapping[str, Any]:
    """Return the paper's known cells."""
    return tomllib.loads(FILE.read_text("utf-8"))
