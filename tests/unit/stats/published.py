"""Published data sets, and how a table of scores becomes ratings."""

from collections.abc import Sequence

import numpy as np

from cbt_core.stats.agreement.figures import agreement
from cbt_core.stats.ratings import Columns, Floats, Ratings, gather

NAN = float("nan")

# K. Krippendorff, Computing Krippendorff's alpha-reliability (2011): 4 observers x 12 units.
KRIPPENDORFF = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""

# J. L. Fleiss, Psychological Bulletin 76 (1971), table 1: 30 patients, counts of six raters'
# diagnoses depression, personality, schizophrenia, neurosis, other.
FLEISS = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006
10050 11040 03300 10050 02031 00501 30012 51000 02040 10203
00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
"""

# P. E. Shrout & J. L. Fleiss, Psychological Bulletin 86 (1979): 6 targets x 4 judges.
SHROUT_FLEISS = [
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
]

# J. Cohen, Psychological Bulletin 70 (1968): two judges, n = 200.
COHEN = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]


def krippendorff_table() -> Floats:
    """Return the scores (12 units, 4 observers)."""
    rows = [line.split() for line in KRIPPENDORFF.split("\n") if line]
    return np.array([[NAN if cell == "." else float(cell) for cell in row] for row in rows]).T


def fleiss_table() -> Floats:
    """Return the scores (30 patients, 6 raters); which rater gave which is not known."""
    counts = [[int(digit) for digit in row] for row in FLEISS.split()]
    return np.array([np.repeat(np.arange(5.0), row) for row in counts])


def cohen_table() -> Floats:
    """Return the scores (200 units, 2 judges)."""
    return np.array(
        [(a, b) for a in range(3) for b in range(3) for _ in range(COHEN[a][b])], dtype=np.float64
    )


def as_ratings(*tables: Floats | Sequence[Sequence[float]], order: bool = False) -> Ratings:
    """Return tables (items, raters), one per system, as ratings on the scale `s`."""
    arrays = [np.asarray(table, dtype=np.float64) for table in tables]
    rows = [
        (f"i{item:03}", f"S{system}", f"R{rater}", array[item, rater], item + 1.0)
        for system, array in enumerate(arrays, start=1)
        for item in range(array.shape[0])
        for rater in range(array.shape[1])
    ]
    item, system, rater, score, position = zip(*rows, strict=True)
    columns = Columns(
        item=item, system=system, rater=rater, values={"s": score},
        order=position if order else None,
    )  # fmt: skip
    return gather(columns)


def stats_of(
    table: Floats | Sequence[Sequence[float]], values: Sequence[float], **options: int
) -> dict[str, object]:
    """Return the pooled figures of one table of scores; no intervals unless asked."""
    body = agreement(as_ratings(table), values={"s": values}, **({"bootstrap": 0} | options)).json()
    return body["scales"]["s"]["ALL"]  # type: ignore[index]


def figure(stats: dict[str, object], key: str) -> float:
    """Return the value of a figure."""
    return stats[key]["value"]  # type: ignore[index,no-any-return]
