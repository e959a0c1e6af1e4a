"""Opening, saving, skipping and correcting tasks on a real database."""

from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, select

from cbt_core.analysis.rows import rating_sets
from cbt_core.domain.people import TERMINAL
from cbt_core.errors import Conflict, Invalid, Refused
from cbt_core.services.desk import desk_task, own_work
from cbt_core.services.results.study_rows import read_facts
from cbt_core.services.studies import lifecycle, study_setup
from db import audit
from db.engine import Database
from db.tables.desk import draft, escalation, score, submission, task
from tests import making
from tests.making import Made, entries, make_study, open_next, press, rate_all


@pytest.fixture
def study(database: Database, tmp_path: Path, now: datetime) -> Made:
    return make_study(database, tmp_path, now)


def count(database: Database, table: object) -> int:
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def test_a_save_stores_every_score_and_gives_the_next_task(
    database: Database, study: Made, now: datetime
) -> None:
    rater = study.raters["R01"]
    view = open_next(database, rater, "trial", now)
    answer = desk_task.save(database, rater, body=press(view), now=now)
    assert answer["saved"]["revision"] == 1  # type: ignore[index]
    assert answer["view"]["task"]["task"] != view["task"]["task"]  # type: ignore[index]
    assert answer["view"]["progress"]["done"] == 1  # type: ignore[index]
    assert count(database, score) == 6


def test_the_same_press_twice_is_one_revision(
    database: Database, study: Made, now: datetime
) -> None:
    rater = study.raters["R01"]
    body = press(open_next(database, rater, "trial", now))
    first = desk_task.save(database, rater, body=body, now=now)
    second = desk_task.save(database, rater, body=body, now=now)
    assert second["saved"]["repeated"] is True  # type: ignore[index]
    assert second["saved"]["revision"] == first["saved"]["revision"]  # type: ignore[index]
    assert count(database, submission) == 1


def test_a_token_with_other_scores_is_refused(
    database: Database, study: Made, now: datetime
) -> None:
    rater = study.raters["R01"]
    view = open_next(database, rater, "trial", now)
    body = press(view)
    desk_task.save(database, rater, body=body, now=now)
    with pytest.raises(Conflict) as refused:
        desk_task.save(database, rater, body={**body, "entries": entries(view, 2)}, now=now)
    assert refused.value.code == "rating.token_reused"


def test_a_stale_tab_is_told_and_overwrites_nothing(
    database: Database, study: Made, now: datetime
) -> None:
    rater = study.raters["R01"]
    view = open_next(database, rater, "trial", now)
    desk_task.save(database, rater, body=press(view), now=now)
    with pytest.raises(Conflict) as refused:
        desk_task.save(database, rater, body=press(view, entries=entries(view, 0)), now=now)
    assert refused.value.code == "rating.changed_elsewhere"
    assert count(database, submission) == 1


def test_a_correction_is_a_new_revision_with_a_reason(
    database: Database, study: Made, now: datetime
) -> None:
    rater = study.raters["R01"]
    view = open_next(database, rater, "trial", now)
    desk_task.save(database, rater, body=press(view), now=now)
    again = desk_task.open_task(
        database, rater, slug="trial", token=view["task"]["task"], now=now
    )
    assert again["task"]["entries"]["scores"]["A"]["relevance"] == 1  # type: ignore[index]
    with pytest.raises(Invalid) as refused:
        desk_task.save(database, rater, body=press(again), now=now)
    assert (None, "reason") in refused.value.missing
    corrected = entries(again, 2, reason="重新读过之后改判")
    answer = desk_task.save(database, rater, body=press(again, entries=corrected), now=now)
    assert answer["saved"]["revision"] == 2  # type: ignore[index]
    assert count(database, score) == 12


def test_missing_scores_are_named_by_slot_and_scale(
    database: Database, study: Made, now: datetime
) -> None:
    rater = study.raters["R01"]
    view = open_next(database, rater, "trial", now)
    sent = entries(view)
    del sent["scores"]["B"]["structure"]
    with pytest.raises(Invalid) as refused:
        desk_task.save(database, rater, body=press(view, entries=sent), now=now)
    assert refused.value.missing == (("B", "structure"),)
    assert count(database, submission) == 0


@pytest.mark.parametrize("value", [3, -1, 99, "2", 2.0, 1.5, True, "２", "1_0", [], {}])
def test_only_a_whole_number_of_the_scale_is_a_score(
    database: Database, study: Made, now: datetime, value: object
) -> None:
    rater = study.raters["R01"]
    view = open_next(database, rater, "trial", now)
    sent = entries(view)
    sent["scores"]["A"]["relevance"] = value
    with pytest.raises(Invalid):
        desk_task.save(database, rater, body=press(view, entries=sent), now=now)
    assert count(database, submission) == 0


def test_cannot_rate_is_a_reason_never_a_number(
    database: Database, study: Made, now: datetime
) -> None:
    rater = study.raters["R01"]
    view = open_next(database, rater, "trial", now)
    sent = entries(view)
    sent["scores"]["A"]["relevance"] = "cannot_rate"
    desk_task.save(database, rater, body=press(view, entries=sent), now=now)
    with database.reading() as connection:
        rows = connection.execute(
            select(score.c.value, score.c.missing_reason).where(
                score.c.slot == "A", score.c.scale == "relevance"
            )
        ).all()
    assert [tuple(row) for row in rows] == [(None, "cannot_rate")]


def test_skipping_needs_a_known_reason_and_stores_no_score(
    database: Database, study: Made, now: datetime
) -> None:
    rater = study.raters["R01"]
    view = open_next(database, rater, "trial", now)
    body = {**press(view), "skip": {"reason": "too_distressing", "note": ""}}
    answer = desk_task.skip(database, rater, body=body, now=now)
    assert answer["view"]["progress"]["done"] == 1  # type: ignore[index]
    assert count(database, score) == 0
    with pytest.raises(Invalid):
        desk_task.skip(database, rater, body={**body, "skip": {"reason": "bored"}}, now=now)


def test_a_serious_flag_reaches_the_escalation_queue(
    database: Database, study: Made, now: datetime
) -> None:
    rater = study.raters["R01"]
    view = open_next(database, rater, "trial", now)
    text = view["task"]["slots"][0]["text"]
    flag = {"slot": "A", "kind": "unsafe_advice", "severity": "serious", "quote": "whatever",
            "start": 2, "end": 6}
    desk_task.save(
        database, rater, body=press(view, entries=entries(view, flags=[flag])), now=now
    )
    assert count(database, escalation) == 1
    again = desk_task.open_task(
        database, rater, slug="trial", token=view["task"]["task"], now=now
    )
    assert again["task"]["entries"]["flags"][0]["quote"] == text[2:6]  # type: ignore[index]


def test_the_latest_draft_wins_and_is_gone_after_the_save(
    database: Database, study: Made, now: datetime
) -> None:
    rater = study.raters["R01"]
    view = open_next(database, rater, "trial", now)
    name = view["task"]["task"]
    for sequence, value in ((2, 2), (1, 0)):  # the older one arrives late
        body = {"task": name, "sequence": sequence, "base_revision": 0,
                "entries": entries(view, value)}
        assert desk_task.keep_draft(database, rater, body=body, now=now) == 2
    reloaded = open_next(database, rater, "trial", now)
    assert reloaded["task"]["entries"]["scores"]["A"]["relevance"] == 2
    desk_task.save(database, rater, body=press(reloaded), now=now)
    assert count(database, draft) == 0


def test_nobody_opens_saves_or_drafts_another_raters_task(
    database: Database, study: Made, now: datetime
) -> None:
    view = open_next(database, study.raters["R01"], "trial", now)
    other = study.raters["R02"]
    name = view["task"]["task"]
    with pytest.raises(Refused):
        desk_task.open_task(database, other, slug="trial", token=name, now=now)
    with pytest.raises(Refused):
        desk_task.save(database, other, body=press(view), now=now)
    with pytest.raises(Refused):
        desk_task.keep_draft(
            database, other, now=now,
            body={"task": name, "sequence": 1, "base_revision": 0, "entries": {}},
        )
    lead = making.lead(database, study.study_id, now)
    with pytest.raises(Refused):
        desk_task.open_task(database, lead, slug="trial", token=None, now=now)
    with pytest.raises(Refused):
        desk_task.save(database, TERMINAL, body=press(view), now=now)


def test_nothing_can_be_changed_after_the_lock_but_own_work_can_be_read(
    database: Database, study: Made, now: datetime
) -> None:
    rater = study.raters["R01"]
    view = open_next(database, rater, "trial", now)
    desk_task.save(database, rater, body=press(view), now=now)
    lifecycle.lock(database, TERMINAL, slug="trial", now=now)
    done = desk_task.open_task(database, rater, slug="trial", token=view["task"]["task"], now=now)
    assert done["task"]["read_only"] is True  # type: ignore[index]
    with pytest.raises(Refused) as refused:
        desk_task.save(
            database, rater, body=press(done, entries=entries(done, 2, reason="x")), now=now
        )
    assert refused.value.code == "rating.locked"


def test_scores_are_final_once_the_rater_says_so(
    database: Database, study: Made, now: datetime
) -> None:
    rater = study.raters["R01"]
    posted = rate_all(database, rater, "trial", now)
    own_work.confirm_final(database, rater, slug="trial", now=now)
    again = desk_task.open_task(database, rater, slug="trial", token=posted[0]["task"], now=now)
    shown: Any = again["task"]
    assert shown["read_only"] is True
    assert shown["entries"]["scores"] == posted[0]["entries"]["scores"]
    with pytest.raises(Refused) as refused:
        desk_task.save(
            database, rater, body=press(again, entries=entries(again, 0, reason="x")), now=now
        )
    assert refused.value.code == "rating.final"


def test_the_closing_question_shows_own_tasks_and_takes_one_guess_each(
    database: Database, study: Made, now: datetime
) -> None:
    rater = study.raters["R01"]
    rate_all(database, rater, "trial", now)
    assert own_work.shown_again(database, rater, slug="trial", now=now) == []
    own_work.confirm_final(database, rater, slug="trial", now=now)
    shown = own_work.shown_again(database, rater, slug="trial", now=now)
    assert len(shown) == 8
    answers = {one.task: ("A", "") for one in shown}
    own_work.guess(database, rater, slug="trial", answers=answers, now=now)
    own_work.guess(database, rater, slug="trial", answers=answers, now=now)
    assert own_work.shown_again(database, rater, slug="trial", now=now) == []


def test_a_repeat_comes_with_sides_reversed_and_hides_the_first_scores(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = make_study(
        database, tmp_path, now, items=30,
        protocol="[design]\nrepeats = 0.1\nrepeat_gap_tasks = 20\n",
    )
    rater = made.raters["R01"]
    seen: dict[str, tuple[str, str]] = {}
    repeats = []
    view = open_next(database, rater, "trial", now)
    while view["state"] in {"task", "break"}:
        if view["state"] == "break":
            view = desk_task.open_task(
                database, rater, slug="trial", token=None, now=now, rested=True
            )  # type: ignore[assignment]
            continue
        shown = view["task"]
        texts = (shown["slots"][0]["text"], shown["slots"][1]["text"])
        assert shown["kind"] == "main"
        if shown["question"] in seen:
            repeats.append((seen[shown["question"]], texts))
            assert shown["entries"] is None
        seen[shown["question"]] = texts
        view = desk_task.save(database, rater, body=press(view), now=now)["view"]  # type: ignore[assignment]
    assert len(repeats) == 3
    assert all(first == again[::-1] for first, again in repeats)


def test_the_original_of_a_coming_repeat_stays_closed(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = make_study(
        database, tmp_path, now, items=24,
        protocol="[design]\nrepeats = 0.05\nrepeat_gap_tasks = 20\n",
    )
    rater = made.raters["R01"]
    with database.reading() as connection:
        original = connection.execute(
            select(task.c.repeat_of).where(
                task.c.person_id == rater.id, task.c.repeat_of.is_not(None)
            )
        ).scalar_one()
        name = connection.execute(select(task.c.token).where(task.c.id == original)).scalar_one()
    view = open_next(database, rater, "trial", now)
    while view["task"]["task"] != name:
        view = desk_task.save(database, rater, body=press(view), now=now)["view"]  # type: ignore[assignment]
    desk_task.save(database, rater, body=press(view), now=now)
    with pytest.raises(Refused) as refused:
        desk_task.open_task(database, rater, slug="trial", token=name, now=now)
    assert refused.value.code == "rating.repeat_pending"
    rows, _ = own_work.done_tasks(database, rater, slug="trial", now=now)
    assert [row.openable for row in rows if row.task == name] == [False]


def test_a_break_is_offered_after_the_minutes_of_the_protocol(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = make_study(database, tmp_path, now, protocol="[rater]\nbreak_after_minutes = 2\n")
    rater = made.raters["R01"]
    view = open_next(database, rater, "trial", now)
    view = desk_task.save(database, rater, body=press(view), now=now)["view"]  # type: ignore[assignment]
    assert view["state"] == "task"
    view = desk_task.save(database, rater, body=press(view), now=now)["view"]  # type: ignore[assignment]
    assert view["state"] == "break"
    assert open_next(database, rater, "trial", now)["state"] == "break"
    rested = desk_task.open_task(database, rater, slug="trial", token=None, now=now, rested=True)
    assert rested["state"] == "task"


def test_two_tabs_pressing_save_at_once_give_one_revision(
    database: Database, study: Made, now: datetime
) -> None:
    rater = study.raters["R01"]
    view = open_next(database, rater, "trial", now)
    outcomes: list[str] = []

    def tab(value: int) -> None:
        try:
            desk_task.save(
                database, rater, body=press(view, entries=entries(view, value)), now=now
            )
            outcomes.append("saved")
        except Conflict:
            outcomes.append("told")

    threads = [Thread(target=tab, args=(value % 3,)) for value in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["saved"] + ["told"] * 7


def test_the_trail_of_a_study_holds_and_rebuilds_the_scores(
    database: Database, study: Made, now: datetime
) -> None:
    rate_all(database, study.raters["R01"], "trial", now, value=2)
    with database.reading() as connection:
        assert audit.verify(connection, study.study_id) is None
        entries_of = audit.entries(connection, study.study_id)
        stored = connection.execute(select(func.count()).select_from(score)).scalar_one()
    replayed = sum(
        entry.payload.count('"relevance",2') for entry in entries_of if entry.action == "submission"
    )
    assert replayed == stored / 3
    assert not any("内容各不相同" in entry.payload for entry in entries_of)


def test_no_byte_of_a_view_names_a_system(
    database: Database, study: Made, now: datetime
) -> None:
    seen = str(open_next(database, study.raters["R01"], "trial", now))
    for name in (*making.SYSTEMS, "S1", "S2", "system"):
        assert name not in seen


def test_a_calibration_item_answers_with_its_key_and_stays_out_of_the_analysis(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = make_study(
        database, tmp_path, now, items=6,
        protocol='[rater]\npractice = "default"\npass_mark = 0.0\nrecalibrate_every = 3\n',
    )
    rater = made.raters["R01"]
    seen = []
    view = open_next(database, rater, "trial", now)
    while view["state"] in {"task", "feedback"}:
        if view["state"] == "feedback":
            seen.append(view["feedback"])
            view = open_next(database, rater, "trial", now)
            continue
        view = desk_task.save(database, rater, body=press(view), now=now)["view"]  # type: ignore[assignment]
    assert len(seen) == 1
    assert {mark["given"] for mark in seen[0]["marks"]} == {1}
    assert all(mark["reason"] for mark in seen[0]["marks"])
    with database.reading() as connection:
        setup = study_setup.current(connection, made.study_id)
        ratings = rating_sets(read_facts(connection, setup))["analysis"]
    assert len(ratings.items) == 6


def test_a_quality_check_looks_like_any_item_and_stays_out_of_the_analysis(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    (tmp_path / "checks.toml").write_text(
        '[[checks]]\nid = "c1"\nquestion = "核对题"\ndescription = "描述"\n'
        'better = "这是一段切题、具体而温和的回答。"\nworse = "今天天气不错。"\n'
        'scale = "relevance"\n',
        "utf-8",
    )
    made = make_study(
        database, tmp_path, now, items=12, protocol='[rater]\nattention = "checks.toml"\n'
    )
    rater = made.raters["R01"]
    assert len(rate_all(database, rater, "trial", now)) == 13
    with database.reading() as connection:
        setup = study_setup.current(connection, made.study_id)
        ratings = rating_sets(read_facts(connection, setup))["analysis"]
    assert len(ratings.items) == 12
