"""The items that split the raters, for the lead: which they are, and what everybody gave.

Before the lock no score may be told by system. So the answers of an item then stand without
letters, and the scores under letters drawn per item: which answer a score belongs to is not told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from string import ascii_uppercase

from cbt_core.domain.instrument import Scale
from cbt_core.domain.people import Person
from cbt_core.domain.study import Role, Stage
from cbt_core.domain.study_setup import StudyRow
from cbt_core.errors import Refused, StudyError
from cbt_core.services import guard
from cbt_core.services.studies.study_setup import current
from db import results
from db import results as rows
from db.engine import Connection, Database
from db.results import OneScore, SplitItem

Split = SplitItem
"""An item that splits the raters, as a screen lists it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer as it may be shown: `name` is a system's (masked) name, empty before the lock."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class RaterScores:
    """What one rater gave: by (answer's name or letter, scale) a value, or why there is none."""

    rater: int
    values: Mapping[tuple[str, str], int | str]


@dataclass(frozen=True, slots=True)
class Case:
    """One item: its text, its answers, and every rater's scores side by side.

    Raters are numbered anew for each item. `columns` are names of answers in the scores: systems
    from the lock on, letters before it.
    """

    key: str
    question: str
    description: str
    risk: str
    answers: tuple[Shown, ...]
    columns: tuple[str, ...]
    scores: tuple[RaterScores, ...]
    is_masked: bool


def split_items(
    database: Database, person: Person, *, slug: str, scale: str = "", system: str = "",
    now: datetime,
) -> tuple[SplitItem, ...]:
    """Return the items raters differ on, the widest gap first; by scale, and by system if locked.

    Raises:
        Refused: not the person's study, or the person rates in it and it is not locked yet; a
            system was named before the lock.
        StudyError: the study has no such scale or system.
    """
    lead = guard.as_onlooker(
        database, person, study=slug, role=Role.RATER, act="split_items", now=now
    )
    with lead.reading() as (connection, study):
        setup = current(connection, study.id)
        ranges = {one.id: _range(one) for one in setup.instrument.scales if one.level == "answer"}
        if scale:
            if scale not in ranges:
                raise StudyError("stats.no_such_scale", scale=scale)
            ranges = {scale: ranges[scale]}
        chosen = _system(connection, setup.study, system) if system else None
        return tuple(
            rows.split_items(connection, study.id, ranges=ranges, system_id=chosen)
        )


def case(database: Database, person: Person, *, slug: str, item: str, now: datetime) -> Case:
    """Return an item with everybody's scores.

    Raises:
        Refused: not the person's study, or the person rates in it and it is not locked yet.
        StudyError: the study has no such item.
    """
    lead = guard.as_onlooker(database, person, study=slug, role=Role.RATER, act="case", now=now)
    with lead.reading() as (connection, study):
        setup = current(connection, study.id)
        text = rows.item_text(connection, study.id, item)
        if text is None:
            raise StudyError("results.no_such_item", item=item)
        closed = setup.study.stage.is_closed
        held = rows.answer_texts(connection, text.item_id)
        scores = rows.item_scores(connection, study.id, text.item_id)
        systems = results.system_names(
            connection, study.id, unblinded=setup.study.stage == Stage.UNBLINDED
        )
    names = (
        {one.answer_id: systems[one.system_id] for one in held} if closed
        else _letters(text.item_id, [one.answer_id for one in held])
    )
    shown = [Shown(names[one.answer_id] if closed else "", one.text) for one in held]
    return Case(
        key=text.key, question=text.question, description=text.description, risk=text.risk,
        answers=tuple(sorted(shown, key=lambda one: one.name or _drawn("text", one.text))),
        columns=tuple(sorted(names.values())),
        scores=_side_by_side(text.item_id, scores, names),
        is_masked=not closed,
    )


def _system(connection: Connection, study: StudyRow, name: str) -> int:
    if not study.stage.is_closed:
        raise Refused("results.no_system_yet")
    unblinded = study.stage == Stage.UNBLINDED
    names = results.system_names(connection, study.id, unblinded=unblinded)
    for system_id, shown in names.items():
        if shown == name:
            return system_id
    raise StudyError("stats.no_such_system", system=name)


def _range(scale: Scale) -> int | None:
    """Return highest less lowest value; None where values are names."""
    if scale.measure == "nominal":
        return None
    values = [one.value for one in scale.values]
    return max(values) - min(values) or 1


def _letters(item_id: int, answers: Sequence[int]) -> dict[int, str]:
    ordered = sorted(answers, key=lambda one: _drawn("answer", item_id, one))
    return {answer: ascii_uppercase[place % 26] for place, answer in enumerate(ordered)}


def _side_by_side(
    item_id: int, scores: Sequence[OneScore], names: Mapping[int, str]
) -> tuple[RaterScores, ...]:
    people = sorted(
        {one.person_id for one in scores}, key=lambda one: _drawn("rater", item_id, one)
    )
    return tuple(
        RaterScores(number, {
            (names[one.answer_id], one.scale):
                one.missing_reason if one.value is None else one.value
            for one in scores if one.person_id == person
        })
        for number, person in enumerate(people, start=1)
    )  # fmt: skip


def _drawn(*parts: object) -> str:
    """Return a digest to order by: no order then tells which system or rater comes first."""
    return sha256("/".join(str(part) for part in parts).encode()).hexdigest()
