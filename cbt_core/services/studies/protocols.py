"""A study's protocol, instruments and systems: put into the database, and amended.

An amendment is a new version with date, actor and reason; the old ones stay.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from random import SystemRandom
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.domain.protocol import Protocol
from cbt_core.domain.study import BASELINE_NAMES, SLOTS, Panel, Stage
from cbt_core.domain.study_setup import StudyRow, StudySetup
from cbt_core.errors import StudyError
from cbt_core.files.protocol import LoadedProtocol, load_protocol
from cbt_core.services import guard
from cbt_core.services.studies.lifecycle import note, reason_given, refuse_unless
from cbt_core.services.studies.study_setup import current, stored_text
from db import items, progress, studies
from db.columns import stamp
from db.engine import Connection, Database
from db.items import EXTRA_KEYS, Extra

PAIR: Final = 2


def check_systems(names: Sequence[str], protocol: Protocol) -> None:
    """Refuse systems that the protocol's panel form or analysis plan cannot do with.

    No systems at all is a label study and always fine.

    Raises:
        StudyError: says which part of the protocol does not fit.
    """
    if not names:
        return
    panel, plan = protocol.design.panel, protocol.analysis
    if panel is not Panel.SINGLE and len(names) < PAIR:
        raise StudyError("studies.one_system", panel=panel.value)
    if panel is Panel.ALL and len(names) > len(SLOTS):
        raise StudyError("studies.too_many_systems", count=len(names), most=len(SLOTS))
    for field, name in (("baseline", plan.baseline), ("primary.system", plan.primary_system)):
        if name and name not in names:
            raise StudyError("studies.unknown_system", field=field, names=", ".join(names))


def baseline_of(names: Sequence[str], protocol: Protocol) -> str:
    """Return the baseline: the protocol's, else one named so; empty when there is none."""
    if protocol.analysis.baseline:
        return protocol.analysis.baseline
    for wanted in BASELINE_NAMES:
        for name in names:
            if name.casefold() == wanted:
                return name
    return ""


def lacks_baseline(names: Sequence[str], protocol: Protocol) -> bool:
    """Tell whether it matters, and is not said, which system is the baseline."""
    several = len(names) > PAIR and protocol.design.panel is Panel.PAIRS
    return several and not baseline_of(names, protocol)


def store_systems(
    connection: Connection, study_id: int, names: Sequence[str], protocol: Protocol
) -> dict[str, int]:
    """Store the systems under masked names drawn at random; return ids by true name.

    Pairs of three and more systems without a named baseline take the first system for it (the
    import warns of it).
    """
    stand_in = names[0] if lacks_baseline(names, protocol) else ""
    baseline = baseline_of(names, protocol) or stand_in
    return studies.add_systems(
        connection, study_id, names, baseline=baseline, draw=SystemRandom()
    )


def extras_of(protocol: Protocol) -> dict[str, Extra]:
    """Return the items a protocol brings, by key: quality checks, and calibration items if asked.

    Calibration shows the practice items again, whose answers have a key.
    """
    check, calibration = EXTRA_KEYS
    extras = [
        Extra(check + one.id, "check", one.question, one.description,
              (("better", one.better), ("worse", one.worse)))
        for one in protocol.raters.attention
    ]
    if protocol.raters.recalibrate_every:
        extras += [
            Extra(calibration + one.id, "calibration", one.question, one.description,
                  tuple(("", one.answers[slot]) for slot in sorted(one.answers)))
            for one in protocol.raters.practice
        ]
    return {one.key: one for one in extras}


def store_protocol(
    connection: Connection, study_id: int, loaded: LoadedProtocol, *, reason: str, actor: str,
    now: datetime,
) -> int:
    """Store a protocol with its instruments as the next version; return its number."""
    version = len(studies.protocols(connection, study_id)) + 1
    for kind, thing in (("scales", loaded.instrument), ("labels", loaded.scheme)):
        before = studies.instruments(connection, study_id, kind)
        if all(row.digest != thing.digest for row in before):
            studies.add_instrument(
                connection, study_id, kind=kind, name=thing.signature, version=len(before) + 1,
                digest=thing.digest, content=stored_text(thing), at=stamp(now),
            )
    studies.add_protocol(
        connection, study_id, version=version, digest=loaded.digest, content=loaded.text,
        scales=loaded.instrument.digest, labels=loaded.scheme.digest,
        reason=reason, actor=actor, at=stamp(now),
    )
    return version


def amend(
    database: Database, person: Person, *, slug: str, protocol: Path, reason: str, now: datetime
) -> StudyRow:
    """Put a changed protocol in force.

    What was measured with, and what tasks were drawn from, cannot change any more once there are
    submissions or tasks; the sentence says which part it is.

    Raises:
        StudyError: no reason, nothing changed, the study is locked, or a fixed part changed.
    """
    lead = guard.as_lead(database, person, study=slug, act="amend", now=now)
    lead.check()
    given = reason_given(reason)
    loaded = load_protocol(protocol)
    with lead.writing() as (connection, study):
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
    items.add_extras(
        connection, study.id, [extra for key, extra in wanted.items() if key not in known]
    )
    for key in extras_of(old):
        if key not in wanted and key in known:
            items.withdraw(connection, known[key], at=stamp(now), reason=reason)
            progress.withdraw_tasks(connection, known[key])
