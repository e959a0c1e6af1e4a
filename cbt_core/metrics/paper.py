"""Table 4 of the paper: the cells that are known, to stand beside ours."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

METRICS: Final = ("bleu", "meteor", "chrf", "bleurt", "bertscore")
"""The columns of Table 4, in its order."""

FILE: Final = Path(__file__).with_name("paper.toml")


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One tuned backbone: known values on the scale 0-1, and metrics only known to be highest."""

    backbone: str
    values: dict[str, float]
    best: tuple[str, ...]

    def value(self, metric: str) -> float | None:
        """Return a known value; None is "not published here"."""
        return self.values.get(metric)


@cache
def table() -> tuple[PaperRow, ...]:
    """Return the rows of Table 4 in its order."""
    rows = tomllib.loads(FILE.read_text("utf-8"))["row"]
    return tuple(
        PaperRow(
            row["backbone"],
            {metric: row[metric] for metric in METRICS if metric in row},
            tuple(row.get("best", ())),
        )
        for row in rows
    )
