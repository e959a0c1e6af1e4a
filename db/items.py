"""Items with their answers and references: put in, taken out, read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from random import SystemRandom
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Table, func, insert, or_, select, update

from cbt_core.domain.study import ImportedItem
from db.tables.studies import answer, item, reference, system


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item as stored; `kind` is main, check or calibration."""

    id: int
    position: int
    key: str
    kind: str
    question: str
    description: str
    keywords: tuple[str, ...]
    source: str
    licence: str
    risk: str
    risk_detected: bool
    withdrawn_at: str | None
    withdrawn_reason: str
    inclusion_probability: float | None


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer as stored. `system` is the masked name; empty for a quality check's parts."""

    id: int
    item_id: int
    system_id: int | None
    system: str
    part: str
    text: str
    model: str
    adapter: str
    prompt: str
    run: str
    distortions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a study holds; `checks` are the protocol's items, `withdrawn` main items only."""

    items: int
    answers: int
    references: int
    checks: int
    withdrawn: int


def keys(connection: Connection, study_id: int) -> dict[str, int]:
    """Return item ids by key."""
    rows = connection.execute(select(item.c.key, item.c.id).where(item.c.study_id == study_id))
    return {row.key: row.id for row in rows}


def chances(connection: Connection, study_id: int) -> dict[str, float]:
    """Return the probability of inclusion by item key, where it is known."""
    rows = connection.execute(
        select(item.c.key, item.c.inclusion_probability)
        .where(item.c.study_id == study_id, item.c.inclusion_probability.is_not(None))
    )
    return {row.key: row.inclusion_probability for row in rows}


def by_key(connection: Connection, study_id: int, key: str) -> ItemRow | None:
    """Return one item by its imported id; None when there is none."""
    row = connection.execute(
        select(item).where(item.c.study_id == study_id, item.c.key == key)
    ).first()
    return None if row is None else _item(row)


def by_id(connection: Connection, item_id: int) -> ItemRow | None:
    """Return one item by its own id; None when there is none."""
    row = connection.execute(select(item).where(item.c.id == item_id)).first()
    return None if row is None else _item(row)


def page(
    connection: Connection, study_id: int, *, offset: int = 0, limit: int = 50, search: str = ""
) -> list[ItemRow]:
    """Return main items in import order, only those whose key or question holds `search`."""
    wanted = select(item).where(item.c.study_id == study_id, item.c.kind == "main")
    if search:
        wanted = wanted.where(
            or_(
                item.c.key.contains(search, autoescape=True),
                item.c.question.contains(search, autoescape=True),
            )
        )
    rows = connection.execute(wanted.order_by(item.c.position).offset(offset).limit(limit))
    return [_item(row) for row in rows]


def in_use(connection: Connection, study_id: int) -> list[ItemRow]:
    """Return the items that are still asked, every kind, in import order."""
    rows = connection.execute(
        select(item)
        .where(item.c.study_id == study_id, item.c.withdrawn_at.is_(None))
        .order_by(item.c.position)
    )
    return [_item(row) for row in rows]


def stream(connection: Connection, study_id: int) -> Iterator[ItemRow]:
    """Yield every item of a study by key (for exports: import order reveals nothing)."""
    rows = connection.execute(
        select(item).where(item.c.study_id == study_id).order_by(item.c.key)
    )
    for row in rows:
        yield _item(row)


def answers(connection: Connection, item_ids: Sequence[int]) -> list[AnswerRow]:
    """Return the answers of these items, by item and masked name."""
    rows = connection.execute(
        select(answer, system.c.masked)
        .outerjoin(system, system.c.id == answer.c.system_id)
        .where(answer.c.item_id.in_(item_ids))
        .order_by(answer.c.item_id, system.c.masked, answer.c.part, answer.c.id)
    )
    return [_answer(row) for row in rows]


def references(connection: Connection, item_id: int) -> list[str]:
    """Return the reference answers of an item in file order."""
    rows = connection.execute(
        select(reference.c.text)
        .where(reference.c.item_id == item_id)
        .order_by(reference.c.position)
    )
    return [row.text for row in rows]


def counts(connection: Connection, study_id: int) -> Counts:
    """Count what a study holds; quality checks apart from the items that are studied."""
    main = (item.c.study_id == study_id) & (item.c.kind == "main")

    def count(table: Table, *where: ColumnElement[bool]) -> int:
        counted = select(func.count()).select_from(table).where(*where)
        return int(connection.execute(counted).scalar_one())

    main_items = select(item.c.id).where(main)
    return Counts(
        items=count(item, main),
        answers=count(answer, answer.c.item_id.in_(main_items)),
        references=count(reference, reference.c.item_id.in_(main_items)),
        checks=count(item, item.c.study_id == study_id, item.c.kind != "main"),
        withdrawn=count(item, main, item.c.withdrawn_at.is_not(None)),
    )


def _item(row: Row[Any]) -> ItemRow:
    return ItemRow(
        row.id, row.position, row.key, row.kind, row.question, row.description,
        _parts(row.keywords), row.source, row.licence, row.risk, bool(row.risk_detected),
        row.withdrawn_at, row.withdrawn_reason, row.inclusion_probability,
    )


def _answer(row: Row[Any]) -> AnswerRow:
    return AnswerRow(
        row.id, row.item_id, row.system_id, row.masked or "", row.part, row.text, row.model,
        row.adapter, row.prompt, row.run, _parts(row.distortions),
    )


def _parts(joined: str) -> tuple[str, ...]:
    return tuple(part for part in joined.split("|") if part)


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


def _item_row(study_id: int, position: int, row: ImportedItem, detected: bool) -> dict[str, object]:
    return {
        "study_id": study_id, "position": position, "key": row.key, "kind": "main",
        "question": row.question, "description": row.description,
        "keywords": "|".join(row.keywords), "source": row.source, "licence": row.licence,
        "risk": row.risk.value if row.risk else "none", "risk_detected": int(detected),
        "inclusion_probability": row.inclusion_probability,
    }


def _answer_rows(
    items: Sequence[ImportedItem], ids: Mapping[str, int], systems: Mapping[str, int]
) -> Iterator[dict[str, object]]:
    draw = SystemRandom()
    for entry in items:
        answers = list(entry.answers.items())
        draw.shuffle(answers)  # else the ids, which the audit trail names, would follow the import
        for name, given in answers:
            yield {
                "item_id": ids[entry.key], "system_id": systems[name], "part": "",
                "text": given.text, "model": given.model, "adapter": given.adapter,
                "prompt": given.prompt, "run": given.run,
                "distortions": "|".join(given.distortions),
            }


def _reference_rows(
    items: Sequence[ImportedItem], ids: Mapping[str, int]
) -> Iterator[dict[str, object]]:
    for entry in items:
        for position, text in enumerate(entry.references):
            yield {"item_id": ids[entry.key], "position": position, "text": text}
