"""Bringing a study in: what the files hold, and the study made from them, whole or not at all."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.domain.study import ImportedItem, ImportedStudy, Problem, Risk, Role, Stage
from cbt_core.errors import Refused, StudyError
from cbt_core.files.problems import ImportProblems, refuse_warnings
from cbt_core.files.protocol import LoadedProtocol, default_protocol, load_protocol
from cbt_core.generation.gates.findings import Report
from cbt_core.services import machine_labels
from cbt_core.services.gating import gates_of
from cbt_core.services.storing_studies import extras_of, store_protocol, store_systems
from cbt_core.services.study_files import Checked, StudyFiles, digest_of, read_checked
from db import audit, items, memberships, new_items, studies
from db.clock import stamp
from db.engine import Connection, Database
from db.items import Counts

SLUG: Final = re.compile(r"[a-z0-9-]{1,60}")
TITLE_CHARACTERS: Final = 200
FIRST_ROWS: Final = 5
LEAST_FREE_BYTES: Final = 50_000_000
"""Below this much free disk an import is refused (it would end half-way at best)."""

CREATED: Final = "study.create"

Step = Callable[[int, int], None]


def _silent(_done: int, _of: int) -> None:
    return


@dataclass(frozen=True, slots=True)
class Preview:
    """What the files hold, before anything is stored.

    With `problems` nothing can be imported and the counts are zero; `problem_count` counts those
    left out too. `rows` are the first items; `gates` is what the answers show (None without any).
    """

    items: int = 0
    answers: int = 0
    references: int = 0
    systems: tuple[str, ...] = ()
    rows: tuple[ImportedItem, ...] = ()
    risks: dict[str, int] | None = None
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0
    warnings: tuple[Problem, ...] = ()
    gates: Report | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """What an import did. `new` is false when the same data were there already.

    `read` is what the files hold (for the gates: the study itself tells no true names).
    """

    study_id: int
    slug: str
    new: bool
    counts: Counts
    systems: int
    digest: str
    warnings: tuple[Problem, ...] = ()
    read: ImportedStudy | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class _Ready:
    """Everything checked and at hand before the transaction begins."""

    slug: str
    title: str
    checked: Checked
    protocol: LoadedProtocol
    own_protocol: bool
    digest: str
    demonstration: bool


def preview(files: StudyFiles, *, protocol: LoadedProtocol | None = None) -> Preview:
    """Return what a set of files holds, or what is wrong in it; nothing is stored."""
    try:
        checked = read_checked(files, protocol or default_protocol())
    except ImportProblems as found:
        return Preview(problems=found.problems, problem_count=found.count)
    read = checked.study
    return Preview(
        items=len(read.items),
        answers=sum(len(one.answers) for one in read.items),
        references=sum(len(one.references) for one in read.items),
        systems=read.systems,
        rows=read.items[:FIRST_ROWS],
        risks={risk.value: sum(one.risk is risk for one in read.items) for risk in Risk},
        warnings=checked.warnings,
        gates=gates_of(read) if read.systems else None,
    )


def create_study(
    database: Database,
    person: Person,
    *,
    slug: str,
    title: str,
    files: StudyFiles,
    now: datetime,
    protocol: LoadedProtocol | Path | None = None,
    strict: bool = False,
    demonstration: bool = False,
    step: Step = _silent,
) -> Created:
    """Import a study: everything, or nothing and the reasons.

    The same data under the same short name again change nothing (`new` is false). The person who
    imports becomes its lead. `step` is told how many items are stored, of how many.

    Raises:
        ImportProblems: anything is wrong in the files (with `strict`, a warning too).
        StudyError: the name is taken or no name, or the protocol does not fit the files.
        Refused: the person may not create studies.
    """
    _may_create(database, person, now)
    _check_names(slug, title)
    _check_space(database)
    loaded = load_protocol(protocol) if isinstance(protocol, Path) else protocol
    plan = loaded or default_protocol(title)
    checked = read_checked(files, plan)
    if strict:
        refuse_warnings(checked.warnings)
    digest = digest_of(checked.study.items, checked.detected)
    ready = _Ready(slug, title.strip(), checked, plan, loaded is not None, digest, demonstration)
    with database.writing() as connection:
        standing = studies.by_slug(connection, slug)
        if standing is not None:
            return _same_again(connection, standing.id, ready)
        return _store(connection, person, ready, now, step)


def _store(
    connection: Connection, person: Person, ready: _Ready, now: datetime, step: Step
) -> Created:
    plan = ready.protocol.protocol
    study_id = studies.add(
        connection, slug=ready.slug, title=ready.title, stage=Stage.DRAFT.value,
        language=plan.language, source_kind=plan.source_kind,
        demonstration=int(ready.demonstration), created_at=stamp(now),
        created_by=person.id or None,
    )
    store_protocol(
        connection, study_id, ready.protocol, reason="", actor=person.code, now=now
    )
    read = ready.checked.study
    systems = store_systems(connection, study_id, read.systems, plan)
    new_items.add(
        connection, study_id, read.items, systems, detected=ready.checked.detected,
        step=lambda done: step(done, len(read.items)),
    )
    new_items.add_extras(connection, study_id, extras_of(plan).values())
    if not person.is_terminal:
        memberships.join(
            connection, study_id=study_id, person_id=person.id, role=Role.LEAD, now=now
        )
    counts = items.counts(connection, study_id)
    payload: audit.Payload = {
        "digest": ready.digest, "items": counts.items, "answers": counts.answers,
        "references": counts.references, "systems": len(systems),
        "protocol": ready.protocol.digest, "scales": ready.protocol.instrument.digest,
        "labels": ready.protocol.scheme.digest,
    }
    audit.append(
        connection, study_id=study_id, actor=person.code, action=CREATED, payload=payload, now=now
    )
    machine_labels.store(
        connection, study_id, read.items, ready.protocol.scheme, actor=person.code, now=now
    )
    return Created(
        study_id, ready.slug, True, counts, len(systems), ready.digest, ready.checked.warnings,
        read,
    )


def _same_again(connection: Connection, study_id: int, ready: _Ready) -> Created:
    """Return what stands when the same data come again.

    Raises:
        StudyError: the name holds other data, or another protocol was brought.
    """
    first = json.loads(audit.entries(connection, study_id)[0].payload)
    brought = ready.protocol.digest if ready.own_protocol else first["protocol"]
    if first["digest"] != ready.digest or first["protocol"] != brought:
        raise StudyError("studies.taken", slug=ready.slug)
    return Created(
        study_id, ready.slug, False, items.counts(connection, study_id), first["systems"],
        ready.digest, ready.checked.warnings,
    )


def _may_create(database: Database, person: Person, now: datetime) -> None:
    if person.may_create_studies:
        return
    with database.writing() as connection:
        audit.log_access(connection, actor=person.code, action="denied:create_study", now=now)
    raise Refused("access.not_allowed")


def _check_names(slug: str, title: str) -> None:
    if not SLUG.fullmatch(slug):
        raise StudyError("studies.slug", slug=slug[:60])
    if not title.strip() or len(title) > TITLE_CHARACTERS:
        raise StudyError("studies.title")


def _check_space(database: Database) -> None:
    if not database.is_sqlite:
        return
    if shutil.disk_usage(database.path.parent).free < LEAST_FREE_BYTES:
        raise StudyError("studies.space", megabytes=LEAST_FREE_BYTES // 1_000_000)
