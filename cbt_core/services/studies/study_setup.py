"""What is in force in a study: protocol, instrument and label scheme, parsed once."""

import json
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from cbt_core.canonical import canonical
from cbt_core.domain.instrument import Instrument, Scheme, content
from cbt_core.domain.protocol import Protocol
from cbt_core.domain.study_setup import Digests, StudySetup
from cbt_core.errors import StudyError
from cbt_core.files.protocol import parse_protocol
from cbt_core.instruments.scales import read_instrument
from cbt_core.instruments.schemes import read_scheme
from cbt_core.instruments.toml_reader import Table
from db import studies
from db.engine import Connection

Thing = TypeVar("Thing")
KEPT: Final = 256
"""Parsed texts kept per kind; a server holds few studies, each with few versions."""


class _Kept(Generic[Thing]):
    """Parsed texts by digest. They never change, so they are parsed once per process."""

    def __init__(self) -> None:
        self._known: dict[str, Thing] = {}

    def get(self, digest: str, make: Callable[[], Thing]) -> Thing:
        thing = self._known.get(digest)
        if thing is None:
            if len(self._known) >= KEPT:
                self._known.clear()
            thing = self._known[digest] = make()
        return thing


_PROTOCOLS: Final = _Kept[Protocol]()
_INSTRUMENTS: Final = _Kept[Instrument]()
_SCHEMES: Final = _Kept[Scheme]()


def current(connection: Connection, study_id: int) -> StudySetup:
    """Return a study with what is in force: one query, and no parsing after the first time.

    Raises:
        StudyError: there is no such study.
    """
    record = studies.current(connection, study_id)
    if record is None:
        raise StudyError("studies.unknown", slug=study_id)
    study, digests = record
    return StudySetup(
        study,
        digests,
        _PROTOCOLS.get(digests.protocol, lambda: _protocol(connection, study_id, digests)),
        _INSTRUMENTS.get(digests.scales, lambda: _instrument(connection, study_id, digests)),
        _SCHEMES.get(digests.labels, lambda: _scheme(connection, study_id, digests)),
    )


def stored_text(thing: Instrument | Scheme) -> str:
    """Return an instrument or scheme as the text kept with a study (canonical JSON)."""
    return canonical(content(thing))


def _protocol(connection: Connection, study_id: int, digests: Digests) -> Protocol:
    text = studies.protocol_text(connection, study_id, digests.protocol)
    return parse_protocol(text).protocol


def _instrument(connection: Connection, study_id: int, digests: Digests) -> Instrument:
    text = studies.instrument_text(connection, study_id, "scales", digests.scales)
    return read_instrument(Table("instrument", "", json.loads(text)))


def _scheme(connection: Connection, study_id: int, digests: Digests) -> Scheme:
    text = studies.instrument_text(connection, study_id, "labels", digests.labels)
    return read_scheme(Table("labels", "", json.loads(text)))
