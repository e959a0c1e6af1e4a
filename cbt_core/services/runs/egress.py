"""What may leave this machine: to which hosts, which sources' texts, and that it is written down.

Hosts stand in the server's configuration (CONCORD_ALLOWED_HOSTS), which the browser cannot change.
PsyQA's texts stay here until the agreement that allows it is recorded; those of other sources may
go to the listed hosts unless that is denied.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.errors import StudyError
from cbt_core.generation.backend.hosts import require_host
from cbt_core.services import guard
from cbt_core.services.operations import storage
from cbt_core.settings import Settings
from db import audit, runs
from db.engine import Connection, Database
from db.runs import Agreement

LISTED, NO = "listed", "no"
CLOSED: Final = frozenset({"psyqa"})
"""Sources whose user agreement forbids passing texts on: closed until an agreement is recorded."""

LONGEST: Final = 200
LOG: Final = "egress.log"


@dataclass(frozen=True, slots=True)
class Sending:
    """What is about to leave: how many texts, of which sources, to which host, for what run."""

    host: str
    texts: int
    sources: Mapping[str, int]
    run: str


def normal_source(source: str) -> str:
    """Return a source's name in the form it is compared in."""
    return unicodedata.normalize("NFKC", source).strip().casefold()


def allow_source(
    database: Database,
    person: Person,
    *,
    source: str,
    agreement: str,
    now: datetime,
    valid_until: date | None = None,
) -> None:
    """Record the agreement under which a source's texts may go to the listed hosts.

    Raises:
        Refused: the person leads no study. StudyError: no source, no agreement, or a past date.
    """
    lead = guard.as_lead_anywhere(database, person, act="allow_source", now=now)
    with lead.writing() as connection:
        if not agreement.strip():
            raise StudyError("egress.no_agreement")
        if valid_until and valid_until < now.date():
            raise StudyError("egress.past", day=valid_until.isoformat())
        until = valid_until.isoformat() if valid_until else ""
        _decide(connection, person, (source, LISTED, agreement.strip(), until), now)


def deny_source(
    database: Database, person: Person, *, source: str, now: datetime, reason: str = ""
) -> None:
    """Record that a source's texts stay on this machine.

    Raises:
        Refused: the person leads no study. StudyError: no source is named.
    """
    lead = guard.as_lead_anywhere(database, person, act="deny_source", now=now)
    with lead.writing() as connection:
        _decide(connection, person, (source, NO, reason.strip(), ""), now)


def sources(database: Database, person: Person, *, now: datetime) -> Sequence[Agreement]:
    """Return the last word about each source, those closed from the start among them.

    Raises:
        Refused: the person leads no study.
    """
    lead = guard.as_lead_anywhere(database, person, act="sources", now=now)
    with lead.reading() as connection:
        agreements = list(runs.agreement_of(connection))
    known = {one.source for one in agreements}
    closed = [Agreement(name, NO, "", "", "", "") for name in sorted(CLOSED - known)]
    return sorted((*agreements, *closed), key=lambda one: one.source)


def require_sendable(
    database: Database | None,
    *,
    base_url: str,
    sources: Mapping[str, int],
    settings: Settings,
    now: datetime,
) -> str:
    """Return the host's name when these sources' texts may go there; nothing is sent or noted.

    `database` is None where there is none: then no agreement can have been recorded.

    Raises:
        StudyError: the host is not listed, or a source may not leave.
    """
    host = require_host(base_url, settings.allowed_hosts)
    words = _words(database)
    for source in sorted(sources):
        _require_source(normal_source(source), words, now)
    return host.shown


def note_sending(
    database: Database | None, person: Person, sending: Sending, *, now: datetime, folder: Path
) -> None:
    """Write down what is about to leave: in the system's chain, or beside the run's own files.

    Raises:
        StudyError: it cannot be written; then nothing may be sent.
    """
    payload: dict[str, object] = {**asdict(sending), "sources": dict(sending.sources)}
    if database is not None:
        with database.writing() as connection:
            audit.append(
                connection, study_id=None, actor=person.code, action="texts_sent",
                payload=payload, now=now,
            )
        return
    line = json.dumps(
        {"at": now.isoformat(), "actor": person.code, "action": "texts_sent", **payload},
        ensure_ascii=False,
    )
    try:
        with (folder / LOG).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        raise StudyError("egress.not_noted", file=folder / LOG) from error


def _words(database: Database | None) -> dict[str, Agreement]:
    if database is None or not storage.exists(database):
        return {}
    with database.reading() as connection:
        return {one.source: one for one in runs.agreement_of(connection)}


def _require_source(source: str, words: Mapping[str, Agreement], now: datetime) -> None:
    """Refuse a source that is closed, denied, or whose agreement has run out."""
    word = words.get(source)
    if word is None:
        if source in CLOSED:
            raise StudyError("egress.source_closed", source=source)
        return
    if word.may_leave != LISTED:
        raise StudyError("egress.source_denied", source=source)
    if word.valid_until and date.fromisoformat(word.valid_until) < now.date():
        raise StudyError("egress.source_expired", source=source, day=word.valid_until)


def _decide(
    connection: Connection, person: Person, word: tuple[str, str, str, str], now: datetime
) -> None:
    """Store a decision (source, may_leave, agreement, valid_until) and its audit entry."""
    source, may_leave, agreement, until = word
    name = normal_source(source)
    if not name or len(name) > LONGEST or not name.isprintable():
        raise StudyError("egress.no_source")
    runs.add_agreement(
        connection, source=name, may_leave=may_leave, agreement=agreement, valid_until=until,
        actor=person.code, now=now,
    )
    audit.append(
        connection, study_id=None, actor=person.code, action="source_decided", now=now,
        payload={"source": name, "may_leave": may_leave, "valid_until": until,
                 "agreement": hashlib.sha256(agreement.encode()).hexdigest()},
    )
