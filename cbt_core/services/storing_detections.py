"""A finished detection becomes proposals of its study; the checks stand in the same transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

from cbt_core.domain.people import Person
from cbt_core.errors import StudyError
from cbt_core.services.asking import rows_of
from cbt_core.services.detecting import Detection, require_open
from cbt_core.services.entries import digest
from cbt_core.services.studies import StudySetup, current, led_by
from db import audit, items, machine_rounds
from db import proposals as stored
from db.engine import Connection, Database
from db.items import ItemRow
from db.proposals import NewProposal

Taken = list[tuple[ItemRow, Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class Stored:
    """What a study took: items, proposals, items without any; what it left out and why.

    `known` items had this run's labels already, `seen` ones were shown to an annotator while the
    model was at work, `withdrawn` ones are not asked any more.
    """

    items: int
    proposals: int
    nothing: int
    known: int
    seen: int
    withdrawn: int


def store(
    database: Database, person: Person, *, detection: Detection, now: datetime
) -> Stored:
    """Store a finished detection as proposals of its study, all or nothing.

    Called again (a resumed run, a second call) it takes only items it has not taken yet.

    Raises:
        Refused: the study is locked meanwhile, or not the person's.
        StudyError: there is no finished file, or an item's text is not the one the model read.
    """
    study = led_by(database, person, detection.slug, act="store_detection", now=now)
    rows = rows_of(detection.asking.place)
    run, source = detection.asking.run, detection.asking.source
    with database.writing(study.id) as connection:
        setup = current(connection, study.id)
        require_open(setup)
        kept, left = _sorted_out(connection, setup, rows, source=source, run=run)
        proposals = [one for item, row in kept for one in _proposals(item, row)]
        counts = Counter(one.item_id for one in proposals)
        passed = {item.id: counts[item.id] for item, _ in kept}
        if passed:
            stored.add(connection, study_id=study.id, proposals=proposals, source=source,
                       run=run, now=now)
            stored.add_passes(connection, study_id=study.id, found=passed, source=source,
                              run=run, now=now)
            audit.append(
                connection, study_id=study.id, actor=person.code, action="proposals", now=now,
                payload=_trail(detection, proposals, len(passed)),
            )
    return Stored(
        items=len(passed), proposals=len(proposals),
        nothing=sum(1 for count in passed.values() if not count),
        known=left["known"], seen=left["seen"], withdrawn=left["withdrawn"],
    )


def _sorted_out(
    connection: Connection, setup: StudySetup, rows: Sequence[Mapping[str, object]], *,
    source: str, run: str,
) -> tuple[Taken, Counter[str]]:
    """Return the rows a study takes, and how many it does not, by reason."""
    study_id = setup.study.id
    by_key = {one.key: one for one in items.stream(connection, study_id)}
    seen = machine_rounds.shown(connection, study_id, mode=setup.protocol.label_mode)
    known = {
        line.item for line in stored.passes(connection, study_id)
        if (line.source, line.run) == (source, run)
    }
    kept: Taken = []
    left: Counter[str] = Counter()
    for row in rows:
        item = by_key.get(str(row["id"]))
        if item is None or row["text_digest"] != digest(item.question, item.description):
            raise StudyError("detecting.other_text", item=row["id"])
        if item.key in known:
            left["known"] += 1
        elif item.withdrawn_at is not None:
            left["withdrawn"] += 1
        elif item.id in seen:
            left["seen"] += 1
        else:
            kept.append((item, row))
    return kept, left


def _proposals(item: ItemRow, row: Mapping[str, object]) -> list[NewProposal]:
    """Return an item's proposals: a label without a place only where it has no place at all."""
    evidence = row["evidence"]
    found = [NewProposal(
        item_id=item.id, label=one["label"], field=one["field"], start=one["start"],
        end=one["end"],
    ) for one in (evidence if isinstance(evidence, list) else [])]
    placed = {one.label for one in found if one.field}
    return list(dict.fromkeys(one for one in found if one.field or one.label not in placed))


def _trail(detection: Detection, proposals: Sequence[NewProposal], passed: int) -> audit.Payload:
    form, run = detection.asking.task.form, detection.asking.run
    return {
        "origin": digest([detection.asking.source, run]), "run": run, "prompt": form.hash,
        "scheme": detection.scheme.digest, "count": len(proposals), "items": passed,
        "digest": digest([astuple(one) for one in proposals]),
    }
