"""Amending a protocol: a new version with date, actor and reason; the old ones stay."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from cbt_core.domain.people import Person
from cbt_core.domain.protocol import Protocol
from cbt_core.domain.study import Stage
from cbt_core.errors import StudyError
from cbt_core.files.protocol import LoadedProtocol, load_protocol
from cbt_core.services.lifecycle import note, reason_given, refuse_unless
from cbt_core.services.storing_studies import check_systems, extras_of, store_protocol
from cbt_core.services.studies import StudySetup, current, led_by
from db import items, new_items, progress, studies
from db.clock import stamp
from db.engine import Connection, Database
from db.new_items import Extra
from db.studies import StudyRow


def amend(
    database: Database, person: Person, *, slug: str, protocol: Path, reason: str, now: datetime
) -> StudyRow:
    """Put a changed protocol in force.

    What was measured with, and what tasks were drawn from, cannot change any more once there are
    submissions or tasks; the sentence says which part it is.

    Raises:
        StudyError: no reason, nothing changed, the study is locked, or a fixed part changed.
    """
    study = led_by(database, person, slug, act="amend", now=now)
    given = reason_given(reason)
    loaded = load_protocol(protocol)
    with database.writing(study.id) as connection:
        refuse_unless(connection, study, Stage.DRAFT, Stage.OPEN)
        before = current(connection, study.id)
        if before.digests.protocol == loaded.digest:
            raise StudyError("lifecycle.same_protocol")
        _check(connection, before, loaded)
        version = store_protocol(
            connection, study.id, loaded, reason=given, actor=person.code, now=now
        )
        _follow(connection, before, loaded.protocol, given, now)
        payload: dict[str, object] = {
            "version": version, "digest": loaded.digest, "reason": given,
            "before": before.digests.protocol,
        }
        return note(connection, study, person, "study.amend", payload, now)


def _check(connection: Connection, before: StudySetup, loaded: LoadedProtocol) -> None:
    old, new = before.protocol, loaded.protocol
    names = [row.name for row in studies.systems(connection, before.study.id)]
    check_systems(names, new)
    rated = progress.submissions(connection, before.study.id) > 0
    labelled = progress.label_submissions(connection, before.study.id) > 0
    if rated or labelled:
        _refuse_if(before.digests.scales != loaded.instrument.digest, "scales")
        _refuse_if(before.digests.labels != loaded.scheme.digest, "labels")
        _refuse_if(old.language != new.language, "language")
    if labelled:
        _refuse_if(old.label_mode != new.label_mode, "label_mode")
    if progress.tasks(connection, before.study.id):
        _refuse_if(old.design.panel != new.design.panel, "panel")
        _refuse_if(old.analysis.baseline != new.analysis.baseline, "baseline")
    _check_extras(extras_of(old), extras_of(new))


def _refuse_if(changed: bool, part: str) -> None:
    if changed:
        raise StudyError(f"lifecycle.fixed_{part}")


def _check_extras(old: Mapping[str, Extra], new: Mapping[str, Extra]) -> None:
    for key, extra in new.items():
        if key in old and old[key] != extra:
            raise StudyError("lifecycle.fixed_check", check=key)


def _follow(
    connection: Connection, before: StudySetup, new: Protocol, reason: str, now: datetime
) -> None:
    """Let title, language, source, baseline and the protocol's items follow the new protocol."""
    study, old = before.study, before.protocol
    title = new.title if new.title and new.title != old.title else study.title
    studies.set_texts(
        connection, study.id, title=title, language=new.language, source_kind=new.source_kind
    )
    if new.analysis.baseline:
        studies.mark_baseline(connection, study.id, new.analysis.baseline)
    known, wanted = items.keys(connection, study.id), extras_of(new)
    new_items.add_extras(
        connection, study.id, [extra for key, extra in wanted.items() if key not in known]
    )
    for key in extras_of(old):
        if key not in wanted and key in known:
            new_items.withdraw(connection, known[key], at=stamp(now), reason=reason)
            progress.withdraw_tasks(connection, known[key])
