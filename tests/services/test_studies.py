"""What is in force in a study, and what its lead may see of it."""

import time
from datetime import datetime
from pathlib import Path

import pytest

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.errors import Refused, StudyError
from cbt_core.files.protocol import default_protocol
from cbt_core.services.studies import contents, lifecycle, study_setup
from db import studies as stored
from db.engine import Database
from tests.making import lead, make_study

STRANGER = Person(99, "L99", roles={99: frozenset({Role.LEAD})})


def test_the_instrument_comes_back_as_it_was_loaded(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = make_study(database, tmp_path, now)
    wanted = default_protocol("研究一")
    with database.reading() as connection:
        found = study_setup.current(connection, made.study_id)
    assert found.instrument == wanted.instrument
    assert found.scheme == wanted.scheme
    assert found.protocol == wanted.protocol
    assert found.digests.protocol == wanted.digest


def test_asking_what_is_in_force_costs_little(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = make_study(database, tmp_path, now)
    with database.reading() as connection:
        study_setup.current(connection, made.study_id)
        start = time.process_time()
        for _ in range(200):
            study_setup.current(connection, made.study_id)
    assert (time.process_time() - start) / 200 < 0.001  # 0.05 ms on an idle machine


def test_a_lead_sees_own_studies_only(database: Database, tmp_path: Path, now: datetime) -> None:
    made = make_study(database, tmp_path, now)
    own = lead(database, made.study_id, now)
    assert [line.study.slug for line in contents.listing(database, own, now=now)] == ["trial"]
    assert contents.listing(database, STRANGER, now=now) == []
    assert [line.study.slug for line in contents.listing(database, TERMINAL, now=now)] == ["trial"]


def test_no_true_name_is_shown_before_the_unblinding(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = make_study(database, tmp_path, now)
    own = lead(database, made.study_id, now)
    before = contents.systems_of(database, own, slug=made.slug, now=now)
    pages = contents.items_page(database, own, slug=made.slug, now=now)
    assert [(row.name, row.baseline) for row in before] == [("S1", False), ("S2", False)]
    assert {one.system for page in pages for one in page.answers} == {"S1", "S2"}
    assert "zebra" not in repr((before, pages))
    lifecycle.lock(database, own, slug=made.slug, now=now)
    lifecycle.unblind(database, own, slug=made.slug, reason="as planned", now=now)
    after = contents.systems_of(database, own, slug=made.slug, now=now)
    assert {row.name for row in after} == {"baseline", "zebra-lora"}


def test_masked_names_do_not_follow_the_import_order(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    systems = ("a1", "b2", "c3", "d4")
    orders = set()
    for number in range(12):
        made = make_study(
            database, tmp_path, now, slug=f"s{number}", raters=(), systems=systems,
            protocol='[design]\npanel = "single"\n',
        )
        with database.reading() as connection:
            rows = stored.systems(connection, made.study_id)
        orders.add(tuple(row.masked for row in rows))
    assert len(orders) > 1  # by chance all alike: 24 ** -11


@pytest.mark.parametrize(
    "act", [contents.items_page, contents.systems_of, contents.versions, contents.item_counts]
)
def test_a_lead_of_another_study_is_refused(
    database: Database, tmp_path: Path, now: datetime, act: object
) -> None:
    made = make_study(database, tmp_path, now)
    with pytest.raises(Refused):
        act(database, STRANGER, slug=made.slug, now=now)  # type: ignore[operator]
    with pytest.raises(Refused):
        act(database, made.raters["R01"], slug=made.slug, now=now)  # type: ignore[operator]


def test_an_unknown_study_is_named(database: Database, now: datetime) -> None:
    with pytest.raises(StudyError, match="no study nowhere"):
        contents.item_counts(database, TERMINAL, slug="nowhere", now=now)
