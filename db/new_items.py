"""Putting items with their answers and references into the database, and taking one out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from random import SystemRandom
from typing import Final

from sqlalchemy import Connection, Table, func, insert, select, update

from cbt_core.domain.study import ImportedItem
from db.items import keys
from db.models import answer, item, reference

CHUNK: Final = 2_000
"""Rows per executemany: large enough to be quick, small enough to keep memory flat."""

EXTRA_KEYS: Final = ("check:", "calibration:")
"""Prefixes of the keys of items that the protocol brings: an imported id must not start so."""


@dataclass(frozen=True, slots=True)
class Extra:
    """An item of the protocol: a quality check or a calibration item (`kind`).

    `answers` are (part, text): better and worse of a check; empty parts in slot order else.
    """

    key: str
    kind: str
    question: str
    description: str
    answers: tuple[tuple[str, str], ...]


Step = Callable[[int], None]
"""Told after each chunk how many items are stored."""


def _ignore(_count: int) -> None:
    return


def add(
    connection: Connection,
    study_id: int,
    items: Sequence[ImportedItem],
    systems: Mapping[str, int],
    *,
    detected: frozenset[str] = frozenset(),
    step: Step = _ignore,
) -> None:
    """Store imported items with answers and references, in chunks.

    `detected` names the items whose risk a detector set, not the file.
    """
    rows = (
        _item_row(study_id, position, one, one.key in detected)
        for position, one in enumerate(items, start=1)
    )
    _insert(connection, item, rows)
    ids = keys(connection, study_id)
    for start in range(0, len(items), CHUNK):
        part = items[start : start + CHUNK]
        _insert(connection, answer, _answer_rows(part, ids, systems))
        _insert(connection, reference, _reference_rows(part, ids))
        step(start + len(part))


def add_extras(connection: Connection, study_id: int, extras: Iterable[Extra]) -> None:
    """Store the items that the protocol brings, after those of the files."""
    start = int(
        connection.execute(
            select(func.coalesce(func.max(item.c.position), 0)).where(item.c.study_id == study_id)
        ).scalar_one()
    )
    for position, extra in enumerate(extras, start=start + 1):
        made = connection.execute(
            insert(item).returning(item.c.id),
            {"study_id": study_id, "position": position, "key": extra.key, "kind": extra.kind,
             "question": extra.question, "description": extra.description},
        )
        item_id = int(made.scalar_one())
        _insert(
            connection, answer,
            ({"item_id": item_id, "part": part, "text": text} for part, text in extra.answers),
        )


def withdraw(connection: Connection, item_id: int, *, at: str, reason: str) -> None:
    """Mark an item as withdrawn; its rows stay."""
    connection.execute(
        update(item)
        .where(item.c.id == item_id)
        .values(withdrawn_at=at, withdrawn_reason=reason)
    )


def _insert(connection: Connection, table: Table, rows: Iterable[dict[str, object]]) -> None:
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        connection.execute(insert(table), chunk)


def _item_row(study_id: int, position: int, one: ImportedItem, detected: bool) -> dict[str, object]:
    return {
        "study_id": study_id, "position": position, "key": one.key, "kind": "main",
        "question": one.question, "description": one.description,
        "keywords": "|".join(one.keywords), "source": one.source, "licence": one.licence,
        "risk": one.risk.value if one.risk else "none", "risk_detected": int(detected),
        "inclusion_probability": one.inclusion_probability,
    }


def _answer_rows(
    items: Sequence[ImportedItem], ids: Mapping[str, int], systems: Mapping[str, int]
) -> Iterator[dict[str, object]]:
    draw = SystemRandom()
    for one in items:
        answers = list(one.answers.items())
        draw.shuffle(answers)  # else the ids, which the audit trail names, would follow the import
        for name, given in answers:
            yield {
                "item_id": ids[one.key], "system_id": systems[name], "part": "",
                "text": given.text, "model": given.model, "adapter": given.adapter,
                "prompt": given.prompt, "run": given.run,
                "distortions": "|".join(given.distortions),
            }


def _reference_rows(
    items: Sequence[ImportedItem], ids: Mapping[str, int]
) -> Iterator[dict[str, object]]:
    for one in items:
        for position, text in enumerate(one.references):
            yield {"item_id": ids[one.key], "position": position, "text": text}
