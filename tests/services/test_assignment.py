"""Drawing tasks for a study: balanced, stored once, and kept when people come and go."""

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from cbt_core.domain.people import TERMINAL
from cbt_core.domain.study import Role
from cbt_core.errors import Refused, StudyError
from cbt_core.services.assignment import task_draw
from cbt_core.services.desk import desk_task
from cbt_core.services.studies import lifecycle
from db.engine import Database
from db.tables.desk import seat, task, task_slot
from db.tables.people import person
from tests.label_study import make_label_study
from tests.making import SYSTEMS, enrol, make_study, open_next, press


def stored(database: Database) -> list[tuple[str, int, str, int]]:
    """Return (rater, item, state, position) of every task."""
    with database.reading() as connection:
        rows = connection.execute(
            select(person.c.code, task.c.item_id, task.c.state, task.c.position)
            .join(person, person.c.id == task.c.person_id)
            .order_by(person.c.code, task.c.position)
        )
        return [tuple(row) for row in rows]  # type: ignore[misc]


def totals(database: Database) -> dict[str, int]:
    with database.reading() as connection:
        rows = connection.execute(
            select(person.c.code, seat.c.total).join(person, person.c.id == seat.c.person_id)
        )
        return {row[0]: row[1] for row in rows}


def test_a_preview_stores_nothing(database: Database, tmp_path: Path, now: datetime) -> None:
    made = make_study(database, tmp_path, now, items=6)
    before = stored(database)
    enrol(database, "R04", made.study_id, Role.RATER, now)
    told = task_draw.preview(
        database, TERMINAL, slug="trial", raters=["R01", "R02", "R03", "R04"], now=now
    )
    assert told.balance.load[1] - told.balance.load[0] <= 2
    assert stored(database) == before


def test_every_item_is_rated_by_as_many_as_the_overlap_says(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    make_study(database, tmp_path, now, items=9, raters=("R01", "R02", "R03", "R04"))
    rows = stored(database)
    assert set(Counter(item for _, item, _, _ in rows).values()) == {3}
    assert len({(rater, item) for rater, item, _, _ in rows}) == len(rows)
    load = Counter(rater for rater, _, _, _ in rows)
    assert max(load.values()) - min(load.values()) <= 2
    assert totals(database) == dict(load)


def test_assigning_again_changes_nothing(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    make_study(database, tmp_path, now, items=6)
    before = stored(database)
    again = task_draw.assign(
        database, TERMINAL, slug="trial", raters=["R01", "R02", "R03"], now=now
    )
    assert again.added == 0
    assert stored(database) == before


def test_a_newcomer_gets_a_share_and_no_opened_task_moves(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = make_study(database, tmp_path, now, items=12)
    view = open_next(database, made.raters["R01"], "trial", now)
    desk_task.save(database, made.raters["R01"], body=press(view), now=now)
    opened = [row for row in stored(database) if row[2] != "waiting"]
    assert len(opened) == 2
    enrol(database, "R04", made.study_id, Role.RATER, now)
    task_draw.assign(database, TERMINAL, slug="trial", raters=["R04"], now=now)
    rows = stored(database)
    assert [row for row in rows if row[2] != "waiting"] == opened
    load = Counter(rater for rater, _, _, _ in rows)
    assert load["R04"] >= 8
    assert max(load.values()) - min(load.values()) <= 2
    assert set(Counter(item for _, item, _, _ in rows).values()) == {3}
    assert totals(database) == dict(load)


def test_a_leavers_unopened_tasks_go_to_the_others(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = make_study(database, tmp_path, now, items=12, raters=("R01", "R02", "R03", "R04"))
    open_next(database, made.raters["R02"], "trial", now)
    task_draw.release(database, TERMINAL, slug="trial", rater="R02", now=now)
    rows = stored(database)
    assert [row[2] for row in rows if row[0] == "R02"] == ["opened"]
    assert set(Counter(item for _, item, _, _ in rows).values()) == {3}
    load = Counter(rater for rater, _, _, _ in rows)
    assert totals(database) == dict(load)


def test_a_release_nobody_can_take_over_is_refused_whole(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    make_study(database, tmp_path, now, items=6)
    before = stored(database)
    with pytest.raises(StudyError) as refused:
        task_draw.release(database, TERMINAL, slug="trial", rater="R01", now=now)
    assert refused.value.code == "assignment.cannot_release"
    assert stored(database) == before


def test_too_few_raters_are_refused_with_the_number_needed(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    with pytest.raises(StudyError) as refused:
        make_study(database, tmp_path, now, raters=("R01", "R02"))
    assert "3 raters are needed and 2 are available" in str(refused.value)
    assert stored(database) == []


def test_three_systems_against_the_baseline_go_to_different_raters(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    make_study(
        database, tmp_path, now, items=6, systems=("baseline", "a-lora", "b-lora"),
        raters=("R01", "R02", "R03", "R04"), protocol="[design]\noverlap = 2\n",
    )
    rows = stored(database)
    assert set(Counter(item for _, item, _, _ in rows).values()) == {4}
    assert len({(rater, item) for rater, item, _, _ in rows}) == len(rows)


def test_sides_are_balanced_for_every_rater(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    make_study(database, tmp_path, now, items=11)
    with database.reading() as connection:
        rows = connection.execute(
            select(task.c.person_id, task_slot.c.slot, task_slot.c.answer_id)
            .join(task, task.c.id == task_slot.c.task_id)
        ).all()
        from db import assignment

        systems = {
            answer: system
            for (_item, system), answer in assignment.answer_ids(connection, 1).items()
        }
    sides = Counter((row.person_id, systems[row.answer_id], row.slot) for row in rows)
    for (who, system, slot), count in sides.items():
        assert abs(count - sides[(who, system, "B" if slot == "A" else "A")]) <= 1
    assert len(SYSTEMS) == 2


def test_nothing_is_drawn_after_the_lock_or_by_others(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = make_study(database, tmp_path, now, items=3)
    with pytest.raises(Refused):
        task_draw.assign(database, made.raters["R01"], slug="trial", raters=["R01"], now=now)
    lifecycle.lock(database, TERMINAL, slug="trial", now=now)
    with pytest.raises(Refused):
        task_draw.assign(database, TERMINAL, slug="trial", raters=["R01"], now=now)


def test_a_preview_counts_the_tasks_of_annotators(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = make_label_study(database, tmp_path, now, items=4)
    enrol(database, "N02", study.study_id, Role.ANNOTATOR, now)
    order = {"slug": study.slug, "raters": [], "annotators": ["N01", "N02"], "now": now}
    told = task_draw.preview(database, TERMINAL, **order)
    assert (told.added, told.annotator_tasks) == (0, 4)  # N01 has had theirs
    assert task_draw.assign(database, TERMINAL, **order).annotator_tasks == 4
