"""What the texts of a source may do: append-only; the last word about a source counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from db.clock import stamp
from db.machine_models import source_agreement


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether texts of a source may leave (`no`, `listed`), on what ground, until which day.

    `valid_until` is a date (YYYY-MM-DD), the last day included; '' without an end.
    """

    source: str
    may_leave: str
    agreement: str
    valid_until: str
    actor: str
    at: str


def add(
    connection: Connection, *, source: str, may_leave: str, agreement: str, valid_until: str,
    actor: str, now: datetime,
) -> None:
    """Store what was decided about a source."""
    connection.execute(insert(source_agreement), {
        "source": source, "may_leave": may_leave, "agreement": agreement,
        "valid_until": valid_until or None, "actor": actor, "at": stamp(now),
    })


def current(connection: Connection) -> Sequence[Agreement]:
    """Return the last word about each source, by source."""
    table = source_agreement
    rows = connection.execute(
        select(table.c.source, table.c.may_leave, table.c.agreement, table.c.valid_until,
               table.c.actor, table.c.at).order_by(table.c.id)
    )
    found = {
        row.source: Agreement(row.source, row.may_leave, row.agreement, row.valid_until or "",
                              row.actor, row.at)
        for row in rows
    }
    return [found[source] for source in sorted(found)]
