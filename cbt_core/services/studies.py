"""Studies as others ask for them: what is in force, what a study holds, whose it is."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from cbt_core.domain.instrument import Instrument, Scheme
from cbt_core.domain.people import Person
from cbt_core.domain.protocol import Protocol
from cbt_core.domain.study import Role
from cbt_core.errors import StudyError
from cbt_core.files.protocol import parse_protocol
from cbt_core.instruments.canonical import content
from cbt_core.instruments.reading import Table
from cbt_core.instruments.scales import read_instrument
from cbt_core.instruments.schemes import read_scheme
from cbt_core.services.authorisation import require
from db import items, studies
from db.engine import Connection, Database
from db.studies import Digests, StudyRow, SystemRow, VersionRow

Thing = TypeVar("Thing")
KEPT: Final = 256
"""Parsed texts kept per kind; a server holds few studies, each with few versions."""


class _Kept(Generic[Thing]):
    """Parsed texts by digest. They never change, so they are parsed once per process."""

    def __init__(self) -> None:
        self._known: dict[str, Thing] = {}

    def get(self, digest: str, make: Callable[[], Thing]) -> Thing:
        found = self._known.get(digest)
        if found is None:
            if len(self._known) >= KEPT:
                self._known.clear()
            found = self._known[digest] = make()
        return found


_PROTOCOLS: Final = _Kept[Protocol]()
_INSTRUMENTS: Final = _Kept[Instrument]()
_SCHEMES: Final = _Kept[Scheme]()


@dataclass(frozen=True, slots=True)
class StudySetup:
    """A study with the protocol, instrument and label scheme that are in force."""

    study: StudyRow
    digests: Digests
    protocol: Protocol
    instrument: Instrument
    scheme: Scheme


@dataclass(frozen=True, slots=True)
class StudyLine:
    """One study in a list; `roles` are those of the person who asked."""

    study: StudyRow
    counts: items.Counts
    systems: int
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class ItemWithAnswers:
    """One item and its answers under masked names, for a lead."""

    item: items.ItemRow
    answers: tuple[items.AnswerRow, ...]


def current(connection: Connection, study_id: int) -> StudySetup:
    """Return a study with what is in force: one query, and no parsing after the first time.

    Raises:
        StudyError: there is no such study.
    """
    found = studies.current(connection, study_id)
    if found is None:
        raise StudyError("studies.unknown", slug=study_id)
    study, digests = found
    return StudySetup(
        study,
        digests,
        _PROTOCOLS.get(digests.protocol, lambda: _protocol(connection, study_id, digests)),
        _INSTRUMENTS.get(digests.scales, lambda: _instrument(connection, study_id, digests)),
        _SCHEMES.get(digests.labels, lambda: _scheme(connection, study_id, digests)),
    )


def stored_text(thing: Instrument | Scheme) -> str:
    """Return an instrument or scheme as the text kept with a study (canonical JSON)."""
    return json.dumps(content(thing), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def led_by(
    database: Database, person: Person, slug: str, *, act: str, now: datetime
) -> StudyRow:
    """Return a study which the person leads; every act of a lead starts here.

    Raises:
        StudyError: no study has this name.
        Refused: the person does not lead it (noted in the access log).
    """
    with database.reading() as connection:
        study = studies.by_slug(connection, slug)
    if study is None:
        raise StudyError("studies.unknown", slug=slug)
    require(database, person, Role.LEAD, study.id, act=act, now=now)
    return study


def setup_for(database: Database, person: Person, *, slug: str, now: datetime) -> StudySetup:
    """Return what is in force in a study which the person leads."""
    study = led_by(database, person, slug, act="setup_for", now=now)
    with database.reading() as connection:
        return current(connection, study.id)


def listing(database: Database, person: Person) -> list[StudyLine]:
    """Return the person's studies, oldest first; the terminal sees every one."""
    with database.reading() as connection:
        found = (
            studies.every(connection)
            if person.is_terminal
            else studies.of_person(connection, person.id)
        )
        return [
            StudyLine(
                study,
                items.counts(connection, study.id),
                len(studies.systems(connection, study.id)),
                tuple(role for role in Role if person.has(role, study.id)),
            )
            for study in found
        ]


def items_page(
    database: Database, person: Person, *, slug: str, now: datetime,
    offset: int = 0, limit: int = 25, search: str = "",
) -> list[ItemWithAnswers]:
    """Return some items with their answers under masked names, for the study's lead."""
    study = led_by(database, person, slug, act="items_page", now=now)
    with database.reading() as connection:
        rows = items.page(connection, study.id, offset=offset, limit=limit, search=search)
        answers = items.answers(connection, [row.id for row in rows])
    by_item: dict[int, list[items.AnswerRow]] = {}
    for one in answers:
        by_item.setdefault(one.item_id, []).append(one)
    return [ItemWithAnswers(row, tuple(by_item.get(row.id, ()))) for row in rows]


def item_counts(
    database: Database, person: Person, *, slug: str, now: datetime
) -> items.Counts:
    """Count what a study holds, for its lead."""
    study = led_by(database, person, slug, act="item_counts", now=now)
    with database.reading() as connection:
        return items.counts(connection, study.id)


def systems_of(
    database: Database, person: Person, *, slug: str, now: datetime
) -> list[SystemRow]:
    """Return the study's systems for its lead, true names only after the unblinding.

    Before it, `name` equals `masked`, the order is that of the masked names and none is marked
    as the baseline.
    """
    study = led_by(database, person, slug, act="systems_of", now=now)
    with database.reading() as connection:
        rows = studies.systems(connection, study.id)
    if study.unblinded_at:
        return rows
    hidden = [SystemRow(row.id, row.masked, row.masked, 0, baseline=False) for row in rows]
    return sorted(hidden, key=lambda row: int(row.masked.removeprefix("S")))


def versions(
    database: Database, person: Person, *, slug: str, now: datetime
) -> list[VersionRow]:
    """Return every protocol version with date, actor and reason, for the study's lead."""
    study = led_by(database, person, slug, act="versions", now=now)
    with database.reading() as connection:
        return studies.protocols(connection, study.id)


def _protocol(connection: Connection, study_id: int, digests: Digests) -> Protocol:
    text = studies.protocol_text(connection, study_id, digests.protocol)
    return parse_protocol(text).protocol


def _instrument(connection: Connection, study_id: int, digests: Digests) -> Instrument:
    text = studies.instrument_text(connection, study_id, "scales", digests.scales)
    return read_instrument(Table("instrument", "", json.loads(text)))


def _scheme(connection: Connection, study_id: int, digests: Digests) -> Scheme:
    text = studies.instrument_text(connection, study_id, "labels", digests.labels)
    return read_scheme(Table("labels", "", json.loads(text)))
