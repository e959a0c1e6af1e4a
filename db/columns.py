"""How columns are written down: names of constraints, keys, texts, truths, times.

Times are ISO-8601 UTC text of fixed width, so that text order is time order.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    REAL,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


REAL_NUMBER = Float().with_variant(REAL(), "sqlite")  # STRICT tables know REAL, not FLOAT


def new_table(name: str, *parts: SchemaItem) -> Table:
    """Return a table of the schema; STRICT on SQLite."""
    return Table(name, metadata, *parts, sqlite_strict=True)


def row_key() -> Column[int]:
    """Return the whole-number primary key `id`."""
    return Column("id", Integer, primary_key=True)


def text(name: str, default: str | None = "") -> Column[str]:
    """Return a text column that is never NULL."""
    return Column(name, Text, nullable=False, server_default=default)


def refers(name: str, target: str, *, optional: bool = False, primary: bool = False) -> Column[int]:
    """Return a column that refers to another table's key."""
    return Column(name, Integer, ForeignKey(target), nullable=optional, primary_key=primary)


def truth(name: str) -> list[SchemaItem]:
    """Return a column of 0 or 1."""
    return [
        Column(name, Integer, nullable=False, server_default="0"),
        CheckConstraint(f"{name} IN (0, 1)", name=f"{name}_is_truth"),
    ]


def one_of(name: str, *values: str) -> CheckConstraint:
    """Return the constraint that a column holds one of these words."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{name} IN ({listed})", name=f"{name}_is_known")


def stamp(moment: datetime) -> str:
    """Return a UTC moment as stored text.

    Raises:
        ValueError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a stored time needs a time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(stored: str) -> datetime:
    """Return the moment of stored text."""
    return datetime.strptime(stored, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
