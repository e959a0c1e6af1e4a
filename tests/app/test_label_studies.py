"""A study of labels alone on its lead's screens: nothing of scores, systems or unblinding."""

import csv
from datetime import datetime
from pathlib import Path

import pytest

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.services.export import study_export
from cbt_core.services.people import roster
from cbt_core.services.studies import contents, creation, lifecycle
from cbt_core.services.studies.creation import StudyFiles
from db.engine import Database
from pages.ui.chrome import _listed
from tests import making
from tests.app.desk import Enter, press, show, words
from tests.label_study import LabelStudy, make_label_study
from tests.making import Made


@pytest.fixture
def labels(database: Database, tmp_path: Path, moment: datetime) -> LabelStudy:
    """Return a label study with one annotator who has tasks and one who has none."""
    made = make_label_study(database, tmp_path, moment, items=4)
    making.enrol(database, "N02", made.study_id, Role.ANNOTATOR, moment)
    return made


@pytest.fixture
def labels_lead(
    database: Database, labels: LabelStudy, moment: datetime, enter: Enter
) -> Person:
    """Return its lead, signed in; may create no study."""
    issued = roster.add_person(
        database, TERMINAL, code="L05", now=moment, role=Role.LEAD, study_id=labels.study_id
    )
    return enter("L05", issued.secret or "")


def stage_of(database: Database, moment: datetime) -> str:
    return contents.setup_for(database, TERMINAL, slug="labels", now=moment).study.stage


def test_the_balance_counts_label_tasks(labels_lead: Person) -> None:
    told = words(press(show("design"), "Show the balance"))
    assert "4 new tasks would be drawn" in told


def test_the_design_says_nothing_of_ratings(labels_lead: Person) -> None:
    told = words(show("design"))
    for word in ("Scales", "Shown together", "Overall preference", "Closing guess",
                 "Ratings per panel", "Repeats"):
        assert word not in told, word
    assert "open for rating" not in told


def test_no_word_of_systems_or_unblinding_before_and_after_the_lock(
    database: Database, labels_lead: Person, moment: datetime
) -> None:
    for _ in range(2):
        told = words(show("studies")).casefold()
        assert "unblind" not in told
        assert "masked name" not in told
        if stage_of(database, moment) == "open":
            lifecycle.lock(database, TERMINAL, slug="labels", now=moment)
    assert "label results" in told


def test_the_lock_asks_first_and_can_be_left(
    database: Database, labels_lead: Person, moment: datetime
) -> None:
    screen = press(show("studies"), "Lock the study")
    assert "can save nothing more" in words(screen)
    screen = press(screen, "Not now")
    assert stage_of(database, moment) == "open"
    press(press(screen, "Lock the study"), "Yes, lock now")
    assert stage_of(database, moment) == "locked"


def test_a_study_in_preparation_has_no_lock_button(
    database: Database, tmp_path: Path, labels_lead: Person, moment: datetime
) -> None:
    made = creation.create_study(
        database, TERMINAL, slug="draft", title="Draft", now=moment,
        files=StudyFiles(study_file=making.study_file(tmp_path)),
    )
    roster.add_person(
        database, TERMINAL, code="L05", now=moment, role=Role.LEAD, study_id=made.study_id
    )
    screen = show("studies")
    screen = screen.selectbox(key="lead-study-pick").select("draft").run()
    assert "in preparation" in words(screen)
    assert "Lock the study" not in [one.label for one in screen.button]


def test_who_may_not_create_studies_is_not_led_to_the_import(
    labels_lead: Person, database: Database
) -> None:
    assert "import_study" not in _listed(labels_lead)
    assert "studies" in _listed(labels_lead)
    assert "import_study" in _listed(Person(1, "L", may_create_studies=True))


def test_the_start_names_each_led_study_with_stage_and_next_step(labels_lead: Person) -> None:
    told = words(show("home"))
    assert "open · 0 of 4 tasks done" in told
    assert "Labelling is under way." in told


def test_the_export_lists_the_tables_of_its_codebook(
    database: Database, study: Made, labels: LabelStudy, tmp_path: Path, moment: datetime
) -> None:
    for slug in (study.slug, labels.slug):
        folder = tmp_path / f"export-{slug}"
        study_export.export_study(database, TERMINAL, slug=slug, folder=folder, now=moment)
        with (folder / "codebook.csv").open(encoding="utf-8-sig", newline="") as file:
            coded = list(dict.fromkeys(row["table"] for row in csv.DictReader(file)))
        named = study_export.table_names(database, TERMINAL, slug=slug, now=moment)
        assert list(named[:-3]) == [one for one in coded if one != "instrument"]
        assert {f"{one}" for one in named} <= {file.stem for file in folder.iterdir()}


def test_the_export_screen_says_what_each_table_is(labels_lead: Person) -> None:
    told = words(show("export"))
    assert "adjudications" in told
    assert "gold labels, and the rule behind each" in told
    assert "Names can be exported" not in told
