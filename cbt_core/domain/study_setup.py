"""A study with what is in force in it: protocol, instrument and label scheme, by their digests."""

from dataclasses import dataclass

from cbt_core.domain.instrument import Instrument, Scheme
from cbt_core.domain.protocol import Protocol
from cbt_core.domain.study import Stage


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One study. Times are stored UTC text."""

    id: int
    slug: str
    title: str
    stage: Stage
    language: str
    source_kind: str
    demonstration: bool
    created_at: str
    created_by: int | None
    locked_at: str | None
    unblinded_at: str | None


@dataclass(frozen=True, slots=True)
class Digests:
    """Which protocol and instruments are in force (SHA-256, hexadecimal)."""

    protocol: str
    scales: str
    labels: str


@dataclass(frozen=True, slots=True)
class StudySetup:
    """A study with the protocol, instrument and label scheme that are in force."""

    study: StudyRow
    digests: Digests
    protocol: Protocol
    instrument: Instrument
    scheme: Scheme
