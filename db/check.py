"""Is the database sound? Pages, constraints, foreign keys, triggers and the audit chains."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from db import audit
from db.tables.studies import study
from db.triggers import APPEND_ONLY


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: `kind` is integrity, foreign_key, trigger or chain; `detail` names it."""

    kind: str
    detail: str


def faults(connection: Connection) -> list[Fault]:
    """Return everything wrong in the database; empty when it is sound."""
    problems: list[Fault] = []
    if connection.dialect.name == "sqlite":
        problems.extend(_sqlite(connection))
    problems.extend(_triggers(connection))
    problems.extend(Fault("chain", f"{one.chain}:{one.seq}") for one in broken(connection))
    return problems


def broken(connection: Connection) -> list[audit.Break]:
    """Return the first broken entry of each audit chain that does not hold."""
    scopes: list[int | None] = [None]
    scopes += [row.id for row in connection.execute(select(study.c.id).order_by(study.c.id))]
    breaks = (audit.verify(connection, scope) for scope in scopes)
    return [one for one in breaks if one is not None]


def _sqlite(connection: Connection) -> Iterator[Fault]:
    for row in connection.execute(text("PRAGMA integrity_check")):
        if row[0] != "ok":
            yield Fault("integrity", str(row[0]))
    for row in connection.execute(text("PRAGMA foreign_key_check")):
        yield Fault("foreign_key", f"{row[0]} {row[1]} -> {row[2]}")


def _triggers(connection: Connection) -> Iterator[Fault]:
    """Yield the append-only guards that somebody removed."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
    present = {row[0] for row in connection.execute(text(query))}
    for table in APPEND_ONLY:
        for act in ("update", "delete"):
            if f"{table}_no_{act}" not in present:
                yield Fault("trigger", f"{table}_no_{act}")
