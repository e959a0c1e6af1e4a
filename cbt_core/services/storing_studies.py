"""Putting a protocol, its instruments and a study's systems into the database."""

from collections.abc import Sequence
from datetime import datetime
from random import SystemRandom
from typing import Final

from cbt_core.domain.protocol import Protocol
from cbt_core.domain.study import BASELINE_NAMES, SLOTS, Panel
from cbt_core.errors import StudyError
from cbt_core.files.protocol import LoadedProtocol
from cbt_core.services.studies import stored_text
from db import studies
from db.clock import stamp
from db.engine import Connection
from db.new_items import EXTRA_KEYS, Extra

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
    found = [
        Extra(check + one.id, "check", one.question, one.description,
              (("better", one.better), ("worse", one.worse)))
        for one in protocol.raters.attention
    ]
    if protocol.raters.recalibrate_every:
        found += [
            Extra(calibration + one.id, "calibration", one.question, one.description,
                  tuple(("", one.answers[slot]) for slot in sorted(one.answers)))
            for one in protocol.raters.practice
        ]
    return {one.key: one for one in found}


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
