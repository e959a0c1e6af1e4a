"""Studies with their protocol and instrument versions and their systems."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from cbt_core.domain.study import Stage
from cbt_core.domain.study_setup import Digests, StudyRow
from db.tables.studies import instrument, membership, protocol, study, system


@dataclass(frozen=True, slots=True)
class SystemRow:
    """One system: its true name, and the masked one that everybody sees before unblinding."""

    id: int
    name: str
    masked: str
    position: int
    baseline: bool


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a protocol (`kind` protocol) or of an instrument (scales, labels)."""

    kind: str
    name: str
    version: int
    digest: str
    content: str
    at: str
    reason: str = ""
    actor: str = ""


_CURRENT: Final = (
    select(
        *study.c,
        protocol.c.digest.label("protocol_digest"),
        protocol.c.scales.label("scales_digest"),
        protocol.c.labels.label("labels_digest"),
    )
    .join(protocol, protocol.c.study_id == study.c.id)
    .where(study.c.id == bindparam("study_id"))
    .order_by(protocol.c.version.desc())
    .limit(1)
)
_BY_SLUG: Final = select(study).where(study.c.slug == bindparam("slug"))


def add(connection: Connection, **columns: object) -> int:
    """Store a study (columns of table `study`) and return its id."""
    made = connection.execute(insert(study).returning(study.c.id), columns)
    return int(made.scalar_one())


def add_protocol(connection: Connection, study_id: int, **columns: object) -> None:
    """Store a protocol version: version, digest, content, scales, labels, reason, actor, at."""
    connection.execute(insert(protocol), {"study_id": study_id, **columns})


def add_instrument(connection: Connection, study_id: int, **columns: object) -> None:
    """Store an instrument version: kind, name, version, digest, content, at."""
    connection.execute(insert(instrument), {"study_id": study_id, **columns})


def add_systems(
    connection: Connection, study_id: int, names: Sequence[str], *, baseline: str, draw: Random
) -> dict[str, int]:
    """Store the systems under masked names drawn at random; return their ids by true name.

    `draw` is a source of true randomness: a seed kept anywhere would reveal the names.
    """
    masked = [f"S{number}" for number in range(1, len(names) + 1)]
    draw.shuffle(masked)
    for position, name in enumerate(names):
        connection.execute(
            insert(system),
            {"study_id": study_id, "name": name, "masked": masked[position],
             "position": position, "baseline": int(name == baseline)},
        )
    return {row.name: row.id for row in systems(connection, study_id)}


def mark_baseline(connection: Connection, study_id: int, name: str) -> None:
    """Mark one system as the baseline, and no other."""
    connection.execute(
        update(system).where(system.c.study_id == study_id).values(baseline=0)
    )
    connection.execute(
        update(system)
        .where(system.c.study_id == study_id, system.c.name == name)
        .values(baseline=1)
    )


def by_slug(connection: Connection, slug: str) -> StudyRow | None:
    """Return a study by its short name; None when there is none."""
    row = connection.execute(_BY_SLUG, {"slug": slug}).first()
    return None if row is None else _study(row)


def by_id(connection: Connection, study_id: int) -> StudyRow | None:
    """Return a study by id; None when there is none."""
    row = connection.execute(select(study).where(study.c.id == study_id)).first()
    return None if row is None else _study(row)


def every(connection: Connection) -> list[StudyRow]:
    """Return every study, oldest first."""
    return [_study(row) for row in connection.execute(select(study).order_by(study.c.id))]


def of_person(connection: Connection, person_id: int) -> list[StudyRow]:
    """Return the studies in which a person now holds a role, oldest first."""
    own_studies = select(membership.c.study_id).where(
        membership.c.person_id == person_id, membership.c.left_at.is_(None)
    )
    rows = connection.execute(select(study).where(study.c.id.in_(own_studies)).order_by(study.c.id))
    return [_study(row) for row in rows]


def set_stage(connection: Connection, study_id: int, stage: str, **times: str | None) -> None:
    """Move a study to a stage; `times` are locked_at, unblinded_at where they change."""
    connection.execute(
        update(study).where(study.c.id == study_id).values(stage=stage, **times)
    )


def set_texts(
    connection: Connection, study_id: int, *, title: str, language: str, source_kind: str
) -> None:
    """Change title, language and the kind of source of a study (an amendment)."""
    connection.execute(
        update(study)
        .where(study.c.id == study_id)
        .values(title=title, language=language, source_kind=source_kind)
    )


def current(connection: Connection, study_id: int) -> tuple[StudyRow, Digests] | None:
    """Return a study with the digests in force, in one query; None when there is none."""
    row = connection.execute(_CURRENT, {"study_id": study_id}).first()
    if row is None:
        return None
    return _study(row), Digests(row.protocol_digest, row.scales_digest, row.labels_digest)


def systems(connection: Connection, study_id: int) -> list[SystemRow]:
    """Return the systems of a study in import order."""
    rows = connection.execute(
        select(system).where(system.c.study_id == study_id).order_by(system.c.position)
    )
    return [SystemRow(r.id, r.name, r.masked, r.position, bool(r.baseline)) for r in rows]


def protocols(connection: Connection, study_id: int) -> list[VersionRow]:
    """Return the protocol versions, first to last."""
    rows = connection.execute(
        select(protocol).where(protocol.c.study_id == study_id).order_by(protocol.c.version)
    )
    return [
        VersionRow("protocol", "", r.version, r.digest, r.content, r.at, r.reason, r.actor)
        for r in rows
    ]


def instruments(connection: Connection, study_id: int, kind: str) -> list[VersionRow]:
    """Return the versions of the scales or the labels, first to last."""
    rows = connection.execute(
        select(instrument)
        .where(instrument.c.study_id == study_id, instrument.c.kind == kind)
        .order_by(instrument.c.version)
    )
    return [VersionRow(r.kind, r.name, r.version, r.digest, r.content, r.at) for r in rows]


def protocol_text(connection: Connection, study_id: int, digest: str) -> str:
    """Return the stored text of a protocol by digest."""
    return str(
        connection.execute(
            select(protocol.c.content)
            .where(protocol.c.study_id == study_id, protocol.c.digest == digest)
            .limit(1)
        ).scalar_one()
    )


def instrument_text(connection: Connection, study_id: int, kind: str, digest: str) -> str:
    """Return the stored text of an instrument by digest."""
    return str(
        connection.execute(
            select(instrument.c.content)
            .where(
                instrument.c.study_id == study_id,
                instrument.c.kind == kind,
                instrument.c.digest == digest,
            )
            .limit(1)
        ).scalar_one()
    )


def _study(row: Row[*tuple[Any, ...]]) -> StudyRow:
    return StudyRow(
        row.id, row.slug, row.title, Stage(row.stage), row.language, row.source_kind,
        bool(row.demonstration), row.created_at, row.created_by, row.locked_at, row.unblinded_at,
    )


def only_demonstration(rows: Iterable[StudyRow]) -> bool:
    """Tell whether there is at least one study and each is the demonstration."""
    studies = list(rows)
    return bool(studies) and all(row.demonstration for row in studies)
