"""The audit trail: one hash chain per study and one for the system; an access log beside it.

h(n) = SHA-256(h(n-1) || canonical JSON of entry n). Whoever holds the file can rebuild a chain, so
the head is printed in exports: a copy kept outside shows a cut or rewritten trail.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, insert, select, text

from cbt_core.canonical import canonical
from db.columns import stamp
from db.tables.trail import access_log, audit

SYSTEM: Final = "system"
START: Final = "0" * 64

Payload = dict[str, object]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a chain as stored."""

    chain: str
    seq: int
    at: str
    actor: str
    action: str
    payload: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where a chain does not hold; `seq` counts from 1."""

    chain: str
    seq: int


def chain_of(study_id: int | None) -> str:
    """Return the chain's name for a study, or of the system."""
    return SYSTEM if study_id is None else str(study_id)


def append(
    connection: Connection,
    *,
    study_id: int | None,
    actor: str,
    action: str,
    payload: Payload,
    now: datetime,
) -> str:
    """Add an entry to a chain and return the new head hash."""
    chain = chain_of(study_id)
    if connection.dialect.name == "postgresql":  # another scope may write this chain too
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:key)"), {"key": 8_000_000 + (study_id or 0)}
        )
    last = connection.execute(
        select(audit.c.seq, audit.c.hash)
        .where(audit.c.chain == chain)
        .order_by(audit.c.seq.desc())
        .limit(1)
    ).first()
    seq, previous = (last.seq + 1, last.hash) if last else (1, START)
    body = canonical(payload)
    at = stamp(now)
    head = _hash(previous, chain, seq, at, actor, action, body)
    connection.execute(
        insert(audit),
        {"chain": chain, "seq": seq, "at": at, "actor": actor, "action": action,
         "payload": body, "previous": previous, "hash": head},
    )
    return head


def log_access(
    connection: Connection,
    *,
    actor: str,
    action: str,
    now: datetime,
    study_id: int | None = None,
    detail: str = "",
) -> None:
    """Note a sign-in, a read or an export: what happened, but changes no study."""
    connection.execute(
        insert(access_log),
        {"at": stamp(now), "actor": actor, "action": action, "study_id": study_id,
         "detail": detail.replace("\r", " ").replace("\n", " ")},
    )


def entries(connection: Connection, study_id: int | None) -> list[Entry]:
    """Return a chain in order."""
    rows = connection.execute(
        select(audit).where(audit.c.chain == chain_of(study_id)).order_by(audit.c.seq)
    )
    return [
        Entry(r.chain, r.seq, r.at, r.actor, r.action, r.payload, r.previous, r.hash) for r in rows
    ]


def head(connection: Connection, study_id: int | None) -> str:
    """Return the head hash of a chain (all zeros when it has no entry)."""
    newest_hash = connection.execute(
        select(audit.c.hash)
        .where(audit.c.chain == chain_of(study_id))
        .order_by(audit.c.seq.desc())
        .limit(1)
    ).scalar()
    return str(newest_hash) if newest_hash else START


def verify(connection: Connection, study_id: int | None) -> Break | None:
    """Walk a chain; return the first broken entry, or None when it holds."""
    previous = START
    for count, entry in enumerate(entries(connection, study_id), start=1):
        expected = _hash(
            previous, entry.chain, count, entry.at, entry.actor, entry.action, entry.payload
        )
        if entry.seq != count or entry.previous != previous or entry.hash != expected:
            return Break(entry.chain, count)
        previous = entry.hash
    return None


def _hash(previous: str, *parts: object) -> str:
    return sha256((previous + json.dumps(parts, ensure_ascii=False)).encode()).hexdigest()
