"""The files of a dataset folder: JSON lines, Parquet, a study's questions."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from cbt_core.domain.study import ImportedItem
from cbt_core.errors import StudyError

ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode
NUMBERS: Final = ("steps", "steps_by_model")
LISTS: Final = ("keywords", "distortions", "unknown_distortions")
PIECE: Final = 1 << 20


def write_lines(rows: Iterable[Mapping[str, object]], out: Path) -> int:
    """Write rows as JSON lines, the file whole or not at all; return how many.

    Raises:
        StudyError: the place cannot be written.
    """
    count = 0
    part = out.with_name(f".{out.name}.part")
    try:
        with part.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
            for row in rows:
                file.write(ENCODE(row) + "\n")
                count += 1
            file.flush()
            os.fsync(file.fileno())
        part.replace(out)
    except OSError as error:
        raise StudyError("exporting.cannot_write", file=out) from error
    return count


def question_row(item: ImportedItem) -> dict[str, object]:
    """Return the row of a questions file that an item is."""
    return {
        "id": item.key, "question": item.question, "description": item.description,
        "keywords": list(item.keywords), "source": item.source, "licence": item.licence,
        "risk": item.risk.value if item.risk else "",
    }


def write_text(text: str, out: Path) -> None:
    """Write a text, whole or not at all.

    Raises:
        StudyError: the place cannot be written.
    """
    part = out.with_name(f".{out.name}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(out)
    except OSError as error:
        raise StudyError("exporting.cannot_write", file=out) from error


def write_parquet(rows: Sequence[Mapping[str, object]], out: Path) -> None:
    """Write dataset rows as Parquet with a fixed type for every column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from cbt_core.generation.dataset.rows import FIELDS

    text, number = pa.string(), pa.int64()
    kinds = {
        **dict.fromkeys(FIELDS, text), **dict.fromkeys(LISTS, pa.list_(text)),
        **dict.fromkeys(NUMBERS, pa.list_(number)), "seed": number,
        "evidence": pa.list_(pa.struct([("label", text), ("quote", text)])),
    }
    schema = pa.schema([(name, kinds[name]) for name in FIELDS])
    part = out.with_name(f".{out.name}.part")
    try:
        pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), part)
        part.replace(out)
    except OSError as error:
        raise StudyError("exporting.cannot_write", file=out) from error


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file (64 hexadecimal digits)."""
    found = sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            found.update(piece)
    return found.hexdigest()
