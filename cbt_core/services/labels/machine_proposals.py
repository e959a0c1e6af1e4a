"""A machine's labels of items; they reach annotators when the study's protocol says so."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

from cbt_core.canonical import digest_of
from cbt_core.domain.instrument import Scheme
from cbt_core.domain.people import Person
from cbt_core.errors import Invalid, Refused
from cbt_core.services import guard
from cbt_core.services.studies.study_setup import current
from db import audit, items
from db import proposals as stored
from db.engine import Database
from db.items import ItemRow
from db.proposals import NewProposal


@dataclass(frozen=True, slots=True)
class Proposed:
    """A machine's label of one item: id, name or alias of a label, perhaps with its evidence.

    `item` is the imported id; `start` and `end` are string offsets into `field` (question or
    description), end exclusive. Without a field there is no evidence.
    """

    item: str
    label: str
    field: str = ""
    start: int | None = None
    end: int | None = None


def propose(
    database: Database,
    person: Person,
    *,
    slug: str,
    proposals: Sequence[Proposed],
    source: str,
    run: str = "",
    empty: Iterable[str] = (),
    now: datetime,
) -> int:
    """Store what a machine proposed, all or nothing; return how many.

    `empty` are the items on which it was run and found nothing: they are told from those on which
    it was not run. `source` says what proposed it (a model, an answers file) and is shown to
    nobody who labels.

    Raises:
        Invalid: an unknown item or label, or evidence outside the text; the item is named.
        Refused: the study is locked, or not the person's.
    """
    lead = guard.as_lead(database, person, study=slug, act="propose", now=now)
    with lead.writing() as (connection, study):
        setup = current(connection, study.id)
        if setup.study.stage.is_closed:
            raise Refused("annotation.locked")
        by_key = {one.key: one for one in items.stream(connection, study.id)}
        rows = [_row(by_key.get(one.item), setup.scheme, one) for one in proposals]
        passed = {_known(by_key, key).id: 0 for key in empty}
        passed.update(Counter(row.item_id for row in rows))
        stored.add(
            connection, study_id=study.id, proposals=rows, source=source, run=run, now=now
        )
        stored.add_passes(
            connection, study_id=study.id, found=passed, source=source, run=run, now=now
        )
        audit.append(
            connection, study_id=study.id, actor=person.code, action="proposals",
            payload={"origin": digest_of([source, run]), "count": len(rows), "items": len(passed),
                     "digest": digest_of([astuple(one) for one in rows])}, now=now,
        )
    return len(rows)


def _known(by_key: Mapping[str, ItemRow], key: str) -> ItemRow:
    if key not in by_key:
        raise Invalid("annotation.unknown_item", item=key)
    return by_key[key]


def _row(item: ItemRow | None, scheme: Scheme, mark: Proposed) -> NewProposal:
    if item is None:
        raise Invalid("annotation.unknown_item", item=mark.item)
    label = scheme.find(mark.label)
    if label is None:
        raise Invalid("annotation.proposal_unknown_label", item=mark.item, label=mark.label)
    if not mark.field:
        return NewProposal(item_id=item.id, label=label.id)
    text = {"question": item.question, "description": item.description}.get(mark.field, "")
    if mark.start is None or mark.end is None or not 0 <= mark.start < mark.end <= len(text):
        raise Invalid("annotation.proposal_out_of_range", item=mark.item)
    return NewProposal(
        item_id=item.id, label=label.id, field=mark.field, start=mark.start, end=mark.end
    )
