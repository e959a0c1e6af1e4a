"""The lead's screen of label results: what it shows at which stage, in both languages."""

from datetime import datetime
from pathlib import Path

import pytest

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.services.access import sessions
from cbt_core.services.people import roster
from cbt_core.services.studies import lifecycle
from db.engine import Database
from pages.ui import session
from pages.ui.charts import label_ticks
from tests.app.desk import Enter, cold, show, words
from tests.label_figures import worked_study
from tests.label_study import LabelStudy, make_label_study


@pytest.fixture
def labelled(database: Database, tmp_path: Path, moment: datetime) -> LabelStudy:
    return worked_study(database, tmp_path, moment)


@pytest.fixture
def leading(database: Database, labelled: LabelStudy, moment: datetime, enter: Enter) -> Person:
    return enter("L01", invited(database, labelled.study_id, moment))


def invited(database: Database, study_id: int, moment: datetime) -> str:
    issued = roster.add_person(
        database, TERMINAL, code="L01", now=moment, role=Role.LEAD, study_id=study_id
    )
    return issued.secret or ""


def lock(database: Database, study: LabelStudy, moment: datetime) -> None:
    lifecycle.lock(database, TERMINAL, slug=study.slug, now=moment)


def test_before_the_lock_agreement_is_shown_and_nothing_of_the_machine(leading: Person) -> None:
    screen = show("label_results")
    assert not screen.exception
    told = words(screen)
    assert "Alpha of label sets (MASI)" in told
    assert "54.4%" in told
    assert "Machine against gold" not in told
    assert "Anchoring effect" not in told


def test_after_the_lock_detection_and_anchoring_are_shown(
    database: Database, labelled: LabelStudy, leading: Person, moment: datetime
) -> None:
    lock(database, labelled, moment)
    told = words(show("label_results"))
    assert "Machine against gold" in told
    assert "adjudicated 0, majority 6" in told
    assert "Anchoring effect" in told
    assert "What was made of the proposals" in told
    assert "0.93" in told  # the paper's recall


def test_no_machine_is_named_before_the_unblinding(
    database: Database, labelled: LabelStudy, leading: Person, moment: datetime
) -> None:
    assert "qwen" not in words(show("label_results"))
    lock(database, labelled, moment)
    assert "qwen" not in words(show("label_results"))
    lifecycle.unblind(database, TERMINAL, slug=labelled.slug, reason="planned", now=moment)
    screen = show("label_results")
    assert not screen.exception
    assert "qwen" in words(screen)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_screen_opens_in_both_languages(
    language: str, database: Database, labelled: LabelStudy, leading: Person, moment: datetime
) -> None:
    lock(database, labelled, moment)
    sessions.set_language(database, leading, language=language, now=session.now())
    screen = show("label_results")
    assert not screen.exception
    assert screen.title[0].value == {"zh": "标注结果", "en": "Label results"}[language]


def test_an_undefined_figure_stands_with_its_reason(leading: Person) -> None:
    assert "all annotators gave the same everywhere" in words(show("label_results"))


def test_pooled_f1_stands_before_the_mean_and_the_smallest_pair_is_told(leading: Person) -> None:
    told = words(show("label_results"))
    assert told.index("F1 of marked characters, all pairs together") < told.index(
        "F1 of marked characters, mean over pairs")
    assert "3 pairs of annotators; the pair with fewest shares 5 items" in told


def test_the_axis_begins_at_a_tick_below_the_lowest_whisker() -> None:
    assert label_ticks(-0.28) == [-0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert label_ticks(0.0)[0] == 0.0
    assert label_ticks(-0.6)[0] == -0.6


def test_another_pair_can_be_chosen(leading: Person) -> None:
    screen = show("label_results")
    box = next(one for one in screen.selectbox if one.label == "Pair")
    assert list(box.options) == ["N01 – N02", "N01 – N03", "N02 – N03"]
    screen = box.select("N02 – N03").run()
    assert not screen.exception
    assert "Rows: N02, columns: N03" in words(screen).replace("\\", "")


def test_every_chart_has_words_beside_it(
    database: Database, labelled: LabelStudy, leading: Person, moment: datetime
) -> None:
    lock(database, labelled, moment)
    charts = show("label_results").get("vega_lite_chart")
    assert len(charts) == 7
    assert all(one.proto.alt for one in charts)


def test_a_study_without_labels_says_so(
    database: Database, tmp_path: Path, moment: datetime, enter: Enter
) -> None:
    made = make_label_study(database, tmp_path, moment)
    enter("L01", invited(database, made.study_id, moment))
    assert "Nobody has labelled anything yet" in words(show("label_results")).replace("\\", "")


def test_an_annotator_sees_nothing_of_it(
    database: Database, labelled: LabelStudy, moment: datetime, enter: Enter
) -> None:
    enter("N01", roster.reset(database, TERMINAL, code="N01", now=moment).secret or "")
    screen = cold("label_results")
    assert not screen.exception
    assert words(screen) == ""


def test_opened_cold_it_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "token", lambda: None)
    assert words(cold("label_results")) == ""
