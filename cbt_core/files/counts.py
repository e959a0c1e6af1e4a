"""Reading counts of guesses for the blinding indices: one row per guess, one column per arm."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from cbt_core.files.problems import WHOLE_FILE, Findings, Place, shown
from cbt_core.files.ratings import Grid, gathered, labels
from cbt_core.files.tables import Choice, Schema, open_table
from cbt_core.files.text_files import encoding, rows
from cbt_core.stats.bias.blinding import Guesses
from cbt_core.stats.ratings import Floats

PREFIX: Final = "actual_"
DONT_KNOW: Final = "dont_know"
WHOLE: Final = re.compile(r"[0-9]{1,9}(?:\.0+)?", re.ASCII)


def read_counts(path: Path, *, encoding: str | None = None, name: str | None = None) -> Guesses:
    """Return the counts of a CSV ``guess, actual_<arm>…`` with a row per arm and ``dont_know``.

    `name` is the file as typed.

    Raises:
        ImportProblems: the file cannot be taken.
    """
    place = Place(name or str(path), Findings())
    choice = Choice(encoding)
    open_table(path, place, Schema(("guess",), ("guess",)), choice)
    arms = _arms(path, place, encoding)
    columns = tuple(PREFIX + arm for arm in arms)
    schema = Schema(("guess", *columns), ("guess", *columns))
    table = open_table(path, place, schema, choice)
    grid = gathered(table.records, table.fields)
    guesses = labels(grid, "guess", place, required=True)
    lines = _lines(grid, guesses, (*arms, DONT_KNOW), place)
    counts = np.stack([_counts(grid, column, place) for column in columns], axis=1)
    place.findings.check()
    ordered = counts[[lines[guess] for guess in (*arms, DONT_KNOW)]].astype(np.int64)
    return Guesses(arms, ordered[:-1], ordered[-1])


def _arms(path: Path, place: Place, asked: str | None) -> tuple[str, ...]:
    _, header = next(rows(path, place, encoding(path, place, asked)))
    columns = [str(cell).strip() for cell in header]
    arms = tuple(cell[len(PREFIX) :] for cell in columns if cell.startswith(PREFIX))
    if not arms or "" in arms:
        raise place.stop(1, WHOLE_FILE, "ratings_file.arms_missing")
    return arms


def _lines(
    grid: Grid, guesses: Sequence[str], due: tuple[str, ...], place: Place
) -> dict[str, int]:
    """Return the index of the row of each guess; missing, unknown and double ones are refused."""
    index: dict[str, int] = {}
    names = ", ".join(due)
    for at, (row, guess) in enumerate(zip(grid.rows, guesses, strict=True)):
        if guess not in due:
            place.refuse(
                row, "guess", "ratings_file.guess_unknown", value=shown(guess), names=names
            )
        elif guess in index:
            place.refuse(row, "guess", "ratings_file.guess_twice", where=grid.rows[index[guess]])
        else:
            index[guess] = at
    missing = [guess for guess in due if guess not in index]
    if missing:
        place.refuse(1, "guess", "ratings_file.guess_missing", names=", ".join(missing))
    return index


def _counts(grid: Grid, column: str, place: Place) -> Floats:
    """Return a column of whole numbers of at least 0 (n,)."""
    cells = grid.columns[column]
    for row, cell in zip(grid.rows, cells, strict=True):
        if not WHOLE.fullmatch(cell):
            place.refuse(row, column, "ratings_file.not_a_count", value=shown(cell) or "''")
    return np.array([float(cell) if WHOLE.fullmatch(cell) else 0.0 for cell in cells])
