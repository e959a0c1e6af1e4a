"""The signature of an export, and the files beside its tables: same line, same numbers."""

from collections.abc import Sequence
from hashlib import sha256

from cbt_core.domain.study_setup import StudySetup
from cbt_core.export import gold, study_tables
from cbt_core.files.writer import Table, csv_bytes, jsonl_bytes
from cbt_core.version import VERSION


def sign(setup: StudySetup, tables: Sequence[Table]) -> str:
    """Return the line that names data, instrument and version: same line, same numbers.

    The data are the ratings; in a study that only labels, labels and spans, with their scheme.
    """
    by_name = {table.name: table for table in tables}
    ratings, labels = by_name["ratings"], by_name["labels"]
    if ratings.rows or not labels.rows:
        data: tuple[Table, ...] = (ratings,)
        analysed = "main,last"
        people = f"raters:{len({row[2] for row in ratings.rows})}"
        wording = f"instrument:{setup.instrument.signature}"
    else:
        data, analysed = (labels, by_name["spans"]), "first,last"
        people = f"annotators:{len({row[1] for row in labels.rows})}"
        wording = f"scheme:{setup.scheme.signature}"
    return "|".join((
        f"study:{setup.study.slug}",
        f"data:#{table_digest(*data)[:8]}",
        f"set:{analysed}",
        f"items:{len({row[0] for row in data[0].rows})}",
        people,
        wording,
        f"protocol:#{setup.digests.protocol[:8]}",
        f"v:{VERSION}",
    ))


def table_digest(*tables: Table) -> str:
    """Return the SHA-256 of the rows of tables, one after the other."""
    return sha256(b"".join(jsonl_bytes(table) for table in tables)).hexdigest()


def files_beside(
    tables: Sequence[Table], setup: StudySetup, protocol: str, signature: str, head: str
) -> dict[str, bytes]:
    """Return what stands beside the tables: codebook, protocol, signature with digests."""
    codebook = study_tables.codebook(tables, setup.instrument)
    lines = [signature, f"audit-head:{head}"]
    if any(table.name == "gold" for table in tables):
        lines.append(gold.GOLD_RULE)
    lines += [f"{table.name}:{len(table.rows)}:#{table_digest(table)}" for table in tables]
    return {
        "codebook.csv": csv_bytes(codebook),
        "protocol.toml": protocol.encode(),
        "signature.txt": ("\n".join(lines) + "\n").encode(),
    }
