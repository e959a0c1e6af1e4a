"""The analysis plan as it was fixed: its digest, when, and what changed after the first rating."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Final

from cbt_core.analysis.study import Amendment, Registered
from cbt_core.domain.people import Person
from cbt_core.errors import StudyError
from cbt_core.files.protocol import parse_protocol
from cbt_core.files.writer import write_text
from cbt_core.report.plan_text import plan_text
from cbt_core.services import guard
from cbt_core.services.studies.lifecycle import note
from cbt_core.services.studies.study_setup import current
from db import audit, items, results, studies
from db.columns import stamp
from db.engine import Connection, Database
from db.studies import VersionRow

ACTION: Final = "study.register"


@dataclass(frozen=True, slots=True)
class Frozen:
    """A registration: the plan's text and the digests that go with it."""

    text: str
    digest: str
    text_digest: str
    at: str


def registered(connection: Connection, study_id: int) -> Registered:
    """Return how the plan stands to the data of a study."""
    versions = studies.protocols(connection, study_id)
    first = results.first_entry_at(connection, study_id)
    now = versions[-1]
    plan = _plan_of_record(versions, first)
    declared = _declared(connection, study_id)
    return Registered(
        digest=now.digest,
        at=now.at,
        first_rating_at=first,
        before=first is None or now.at <= first,
        intact=parse_protocol(now.content).digest == now.digest,
        plan_digest=plan.digest,
        plan_version=plan.version,
        declared_at=declared[0] if declared else None,
        declared_digest=declared[1] if declared else None,
        amendments=tuple(
            Amendment(
                new.version, new.at, new.actor, new.reason, _changed(old.content, new.content),
                first is not None and new.at > first,
            )
            for old, new in pairwise(versions)
        ),
    )


def register(
    database: Database, person: Person, *, slug: str, language: str, now: datetime
) -> Frozen:
    """Freeze the plan before the first rating and return it as text (Markdown).

    The same protocol may be registered again (the text says the same); every act is audited.

    Raises:
        Refused: the person does not lead the study.
        StudyError: something was rated or labelled already.
    """
    lead = guard.as_lead(database, person, study=slug, act="register", now=now)
    with lead.writing() as (connection, study):
        first = results.first_entry_at(connection, study.id)
        if first is not None:
            raise StudyError("registration.too_late", slug=slug, day=first[:10])
        setup = current(connection, study.id)
        counts = items.counts(connection, study.id)
        names = [row.name for row in studies.systems(connection, study.id)]
        at = stamp(now)
        text = plan_text(
            setup, language=language, at=at, items=counts.items, systems=len(names),
            protocol=studies.protocol_text(connection, study.id, setup.digests.protocol),
        )
        plan = Frozen(text, setup.digests.protocol, sha256(text.encode()).hexdigest(), at)
        payload: audit.Payload = {
            "protocol": plan.digest, "text": plan.text_digest, "language": language,
        }
        note(connection, study, person, ACTION, payload, now)
    return plan


def write(plan: Frozen, out: Path) -> None:
    """Write the plan's text.

    Raises:
        StudyError: the place cannot be written.
    """
    write_text(plan.text, out)


def _plan_of_record(versions: Sequence[VersionRow], first: str | None) -> VersionRow:
    """Return the newest version stored before the first rating."""
    earlier = [one for one in versions if first is None or one.at <= first]
    return earlier[-1] if earlier else versions[0]


def _declared(connection: Connection, study_id: int) -> tuple[str, str] | None:
    """Return when the plan was last registered, and the digest of its protocol."""
    acts = [one for one in audit.entries(connection, study_id) if one.action == ACTION]
    if not acts:
        return None
    payload: Mapping[str, str] = json.loads(acts[-1].payload)
    return acts[-1].at, payload["protocol"]


def _changed(old: str, new: str) -> tuple[str, ...]:
    """Return the parts of the protocol that two versions differ in, as ``analysis.planned``."""
    before, after = (_flat(asdict(parse_protocol(text).protocol)) for text in (old, new))
    return tuple(sorted(key for key in before | after if before.get(key) != after.get(key)))


def _flat(content: Mapping[str, object]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            fields |= {f"{key}.{inner}": one for inner, one in value.items()}
        else:
            fields[key] = value
    return fields
