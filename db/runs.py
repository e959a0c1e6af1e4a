"""Long runs, one row each, written by whoever starts, stops or works; what texts may leave.

What the texts of a source may do is append-only: the last word about a source counts.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from db.columns import moment, stamp
from db.tables.runs import run, source_agreement

GENERATION: Final = "generation"
FORMER_SECTIONS: Final = {
    "exporting": "export", "generating": "generation", "importing": "files",
    "local": "local_model", "running": "runs",
}
"""Sections of words as rows written before they were named by nouns call them."""
ACTIVE: Final = ("waiting", "running")


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be said of a run: a code of `cbt_core.words` ('' for nothing) and values."""

    code: str = ""
    values: Mapping[str, object] | None = None

    def stored(self) -> str:
        """Return the message as it stands in the table."""
        if not self.code:
            return ""
        return json.dumps({"code": self.code, "values": dict(self.values or {})})


@dataclass(frozen=True, slots=True)
class Run:
    """A run as stored. `config` is what was asked for; `heartbeat_at` the last sign of life."""

    id: int
    code: str
    kind: str
    actor: str
    status: str
    config: Mapping[str, Any]
    folder: str
    pid: int | None
    stop_asked: bool
    total: int
    done: int
    failed: int
    cost: float | None
    message: Message
    created_at: datetime
    heartbeat_at: datetime
    ended_at: datetime | None

    @property
    def active(self) -> bool:
        """Tell whether the row says that somebody is, or will be, at work."""
        return self.status in ACTIVE


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a run is; `cost` None without prices."""

    done: int = 0
    failed: int = 0
    cost: float | None = None


def add(
    connection: Connection, *, code: str, actor: str, config: Mapping[str, object], folder: str,
    total: int, now: datetime, kind: str = GENERATION,
) -> None:
    """Store a run that waits for its process."""
    connection.execute(insert(run), {
        "code": code, "kind": kind, "actor": actor, "status": "waiting", "folder": folder,
        "config": json.dumps(config, ensure_ascii=False), "total": total,
        "created_at": stamp(now), "heartbeat_at": stamp(now),
    })


def by_code(connection: Connection, code: str) -> Run | None:
    """Return one run."""
    row = connection.execute(select(run).where(run.c.code == code)).first()
    return None if row is None else _run(row)


def listed(
    connection: Connection, *, actor: str | None = None, kind: str = GENERATION, most: int = 200
) -> Sequence[Run]:
    """Return runs, the newest first: one person's, or everybody's."""
    wanted = select(run).where(run.c.kind == kind)
    if actor is not None:
        wanted = wanted.where(run.c.actor == actor)
    return [_run(row) for row in connection.execute(wanted.order_by(run.c.id.desc()).limit(most))]


def active(connection: Connection, kind: str = GENERATION) -> Sequence[Run]:
    """Return the runs whose rows say that they wait or work."""
    rows = connection.execute(select(run).where(run.c.kind == kind, run.c.status.in_(ACTIVE)))
    return [_run(row) for row in rows]


def claim(connection: Connection, code: str, *, pid: int, now: datetime) -> bool:
    """Give a waiting run to a process; False when it does not wait (any more)."""
    changed = connection.execute(
        update(run).where(run.c.code == code, run.c.status == "waiting")
        .values(status="running", pid=pid, heartbeat_at=stamp(now), ended_at=None)
    )
    return changed.rowcount == 1


def beat(
    connection: Connection, code: str, *, pid: int, counts: Counts, message: Message, now: datetime
) -> bool | None:
    """Note a sign of life; return whether a stop was asked for, None when the run is not ours."""
    changed = connection.execute(
        update(run).where(run.c.code == code, run.c.pid == pid, run.c.status == "running")
        .values(
            done=counts.done, failed=counts.failed, cost=counts.cost, heartbeat_at=stamp(now),
            message=message.stored(),
        )
    )
    if changed.rowcount != 1:
        return None
    return bool(connection.execute(select(run.c.stop_asked).where(run.c.code == code)).scalar())


def ask_stop(connection: Connection, code: str) -> None:
    """Ask the process of a run to stop."""
    connection.execute(
        update(run).where(run.c.code == code, run.c.status == "running").values(stop_asked=1)
    )


def end(
    connection: Connection, seen: Run, *, status: str, now: datetime,
    counts: Counts | None = None, message: Message | None = None,
) -> bool:
    """Close a run that is still as it was seen (same status, same process)."""
    values: dict[str, object] = {
        "status": status, "ended_at": stamp(now), "stop_asked": 0, "pid": None,
        "message": (message or Message()).stored(),
    }
    if counts is not None:
        values |= {"done": counts.done, "failed": counts.failed, "cost": counts.cost}
    changed = connection.execute(
        update(run)
        .where(run.c.id == seen.id, run.c.status == seen.status, run.c.pid.is_not_distinct_from(
            seen.pid))
        .values(**values)
    )
    return changed.rowcount == 1


def queue_again(connection: Connection, seen: Run, *, now: datetime) -> bool:
    """Let a run wait for a new process; False when it changed since it was seen."""
    changed = connection.execute(
        update(run)
        .where(run.c.id == seen.id, run.c.status == seen.status,
               func.coalesce(run.c.heartbeat_at, "") == stamp(seen.heartbeat_at))
        .values(status="waiting", stop_asked=0, pid=None, heartbeat_at=stamp(now), ended_at=None,
                message="")
    )
    return changed.rowcount == 1


def clear_folder(connection: Connection, code: str) -> None:
    """Note that a run's files are gone."""
    connection.execute(update(run).where(run.c.code == code).values(folder=""))


def _run(row: Row[Any]) -> Run:
    created = moment(row.created_at)
    return Run(
        row.id, row.code, row.kind, row.actor, row.status, json.loads(row.config), row.folder,
        row.pid, bool(row.stop_asked), row.total, row.done, row.failed, row.cost,
        _message(row.message), created,
        moment(row.heartbeat_at) if row.heartbeat_at else created,
        moment(row.ended_at) if row.ended_at else None,
    )


def _message(stored: str) -> Message:
    if not stored:
        return Message()
    kept = json.loads(stored)
    section, _, key = kept["code"].partition(".")
    return Message(f"{FORMER_SECTIONS.get(section, section)}.{key}", kept["values"])


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


def add_agreement(
    connection: Connection, *, source: str, may_leave: str, agreement: str, valid_until: str,
    actor: str, now: datetime,
) -> None:
    """Store what was decided about a source."""
    connection.execute(insert(source_agreement), {
        "source": source, "may_leave": may_leave, "agreement": agreement,
        "valid_until": valid_until or None, "actor": actor, "at": stamp(now),
    })


def agreement_of(connection: Connection) -> Sequence[Agreement]:
    """Return the last word about each source, by source."""
    table = source_agreement
    rows = connection.execute(
        select(table.c.source, table.c.may_leave, table.c.agreement, table.c.valid_until,
               table.c.actor, table.c.at).order_by(table.c.id)
    )
    by_source = {
        row.source: Agreement(row.source, row.may_leave, row.agreement, row.valid_until or "",
                              row.actor, row.at)
        for row in rows
    }
    return [by_source[source] for source in sorted(by_source)]
