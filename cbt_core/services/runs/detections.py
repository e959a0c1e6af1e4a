"""Distortions detected by a model in a study, as proposals.

Proposals are append-only and come before the eyes they are meant for: an item whose machine round
an annotator has seen takes no more of them (`machine_rounds.shown`), else annotators of one item
would have corrected different machines. The checks stand in the transaction that stores them.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cbt_core.canonical import digest_of
from cbt_core.domain.people import Person
from cbt_core.domain.study_setup import StudySetup
from cbt_core.errors import Refused, StudyError
from cbt_core.generation.backend.catalogue import Options
from cbt_core.generation.tasks.detection import Detection, detection_form
from cbt_core.generation.tasks.questions import Question
from cbt_core.generation.tasks.task import rows_of
from cbt_core.services import guard
from cbt_core.services.runs import model_run
from cbt_core.services.runs.model_run import Plan
from cbt_core.services.studies.study_setup import current
from cbt_core.settings import Settings
from db import audit, items, proposals
from db import proposals as stored
from db.engine import Connection, Database
from db.items import ItemRow
from db.proposals import NewProposal

NAMED: Final = 5
"""Items named in a refusal; more would hide the sentence."""


def plan_study(
    database: Database,
    person: Person,
    *,
    slug: str,
    options: Options,
    place: Path,
    settings: Settings,
    now: datetime,
    language: str = "",
    leave_seen: bool = False,
) -> Plan[Detection]:
    """Check a study for detection with its own scheme; `leave_seen` leaves out items seen before.

    Raises:
        Refused: the study is locked, not the person's, or holds items whose machine round
            somebody has seen.
        StudyError: the texts may not leave, or no item is left.
    """
    lead = guard.as_lead(database, person, study=slug, act="plan_study_detection", now=now)
    with lead.reading() as (connection, study):
        setup = current(connection, study.id)
        every = [one for one in items.stream(connection, study.id) if one.kind == "main"]
        seen = proposals.shown_items(connection, study.id, mode=setup.protocol.label_mode)
        require_open(setup)
        used = [one for one in every if one.withdrawn_at is None]
        shown = [one.key for one in used if one.id in seen]
        if shown and not leave_seen:
            raise Refused("detection.seen", count=len(shown), items=", ".join(shown[:NAMED]))
    if len(shown) == len(used):
        raise StudyError("detection.no_items", slug=slug)
    task = _task(setup, every, language or setup.study.language, seen)
    return model_run.plan(
        task, options, place=place, settings=settings, database=database, now=now
    )


def require_open(setup: StudySetup) -> None:
    """Refuse a study that takes no machine labels any more.

    Raises:
        Refused: it is locked.
    """
    if setup.study.stage.is_closed:
        raise Refused("annotation.locked")


def _task(
    setup: StudySetup, every: Sequence[ItemRow], language: str, seen: Collection[int]
) -> Detection:
    """Return the task; its settings hold all texts: a withdrawal must not forbid to resume."""
    used = [one for one in every if one.withdrawn_at is None]
    open_items = [one for one in used if one.id not in seen]
    texts = digest_of([(one.key, one.question, one.description) for one in every])
    return Detection(
        form=detection_form(setup.scheme, language), scheme=setup.scheme,
        texts=[Question(one.key, one.question, one.description, one.source) for one in open_items],
        total=len(open_items), sources=Counter(one.source for one in open_items),
        about={"study": setup.study.slug, "scheme": setup.scheme.signature, "texts": texts},
        slug=setup.study.slug, left_out=len(used) - len(open_items),
    )


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
    database: Database, person: Person, *, plan: Plan[Detection], now: datetime
) -> Stored:
    """Store a finished detection as proposals of its study, all or nothing.

    Called again (a resumed run, a second call) it takes only items it has not taken yet.

    Raises:
        Refused: the study is locked meanwhile, or not the person's.
        StudyError: there is no finished file, or an item's text is not the one the model read.
    """
    lead = guard.as_lead(database, person, study=plan.task.slug, act="store_detection", now=now)
    lead.check()
    rows = rows_of(plan.place)
    run, source = plan.run, source_of(plan)
    with lead.writing() as (connection, study):
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
                payload=_trail(plan, proposals, len(passed)),
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
    seen = proposals.shown_items(connection, study_id, mode=setup.protocol.label_mode)
    known = {
        line.item for line in stored.passes(connection, study_id)
        if (line.source, line.run) == (source, run)
    }
    kept: Taken = []
    left: Counter[str] = Counter()
    for row in rows:
        item = by_key.get(str(row["id"]))
        if item is None or row["text_digest"] != digest_of(item.question, item.description):
            raise StudyError("detection.other_text", item=row["id"])
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
    candidates = [NewProposal(
        item_id=item.id, label=one["label"], field=one["field"], start=one["start"],
        end=one["end"],
    ) for one in (evidence if isinstance(evidence, list) else [])]
    placed = {one.label for one in candidates if one.field}
    return list(dict.fromkeys(one for one in candidates if one.field or one.label not in placed))


def source_of(plan: Plan[Detection]) -> str:
    """Return what is stored as the origin: the model and the prompt it was asked with."""
    options, form = plan.options, plan.task.form
    adapter = f"+{Path(options.adapter).name}" if options.adapter else ""
    return f"{options.model}{adapter} {form.name}#{form.hash[:8]}"


def _trail(plan: Plan[Detection], proposals: Sequence[NewProposal], passed: int) -> audit.Payload:
    return {
        "origin": digest_of([source_of(plan), plan.run]), "run": plan.run,
        "prompt": plan.task.form.hash, "scheme": plan.task.scheme.digest,
        "count": len(proposals), "items": passed,
        "digest": digest_of([astuple(one) for one in proposals]),
    }
