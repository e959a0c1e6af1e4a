"""Adjudication in the real app: two annotators disagree, a lead decides, gold follows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from cbt_core.domain.people import TERMINAL
from cbt_core.domain.study import Role
from cbt_core.domain.submission import Work
from cbt_core.services.desk import desk_task
from cbt_core.services.export import study_export
from cbt_core.services.labels import machine_proposals
from cbt_core.services.labels.machine_proposals import Proposed
from db.engine import Database
from db.tables.people import person
from tests.browser.acts import enter, secret_of
from tests.browser.conftest import Served
from tests.conftest import NOW
from tests.label_study import make_label_study, open_next, press, span
from tests.making import enrol

pytestmark = pytest.mark.browser

READING, TELLING, SHOULD, LABELING = (
    "mind-reading", "fortune-telling", "should-statements", "labeling")
DULL, NEVER = "他们一定觉得我很无趣", "以后也不会再叫我了"


@dataclass
class Desk:
    """The adjudicator open before a lead, and everything its routes answered."""

    page: Page
    served: Served
    wire: list[str]

    def keys(self, pressed: str) -> None:
        """Press keys one after another; they are separated by spaces."""
        for one in pressed.split():
            self.page.keyboard.press(one)

    def decide(self, reason: str) -> None:
        """Write the reason and decide, by keyboard."""
        self.keys("c")
        self.page.keyboard.type(reason)
        with self.page.expect_response("**/api/adjudicate/save"):
            self.keys("Enter")

    def case(self) -> str:
        """Return the item on the screen."""
        return self.page.locator(".top .title").inner_text()

    def go(self, item: str) -> None:
        """Open an item from the queue."""
        self.page.locator(".case", has_text=item).click()
        expect(self.page.locator(".top .title")).to_have_text(item)


def label(database: Database, study: Any, code: str, words: dict[str, str]) -> None:
    """Let an annotator label four items alone, and adopt the machine's labels afterwards."""
    who = study.annotators[code]
    for _ in range(4):
        view = open_next(database, who, study.slug, NOW)
        spans = [span(view, quote, name) for quote, name in words.items()]
        saved = desk_task.save(
            database, who, body=press(view, spans=spans), work=Work.LABEL, now=NOW)
        after: Any = saved["view"]
        answers = {one["id"]: {"answer": "confirmed"} for one in after["task"]["proposals"]}
        desk_task.save(
            database, who, body=press(after, spans=spans, answers=answers),
            work=Work.LABEL, now=NOW)


def tables(database: Database, folder: Path) -> dict[str, list[dict[str, Any]]]:
    study_export.export_study(
        database, TERMINAL, slug="labels", folder=folder, form="jsonl", now=NOW)
    return {
        file.stem: [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        for file in folder.glob("*.jsonl")
    }


@pytest.fixture(scope="module")
def prepared(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two annotators who are apart on four items, a machine with its own view, and a lead."""
    folder = tmp_path_factory.mktemp("adjudicate")
    study = make_label_study(served.database, folder, NOW, items=4, annotators=("N01", "N02"))
    machine_proposals.propose(
        served.database, TERMINAL, slug="labels", source="gpt-secret-7b", now=NOW,
        proposals=[Proposed(f"Q{n:03d}", SHOULD) for n in range(1, 5)])
    label(served.database, study, "N01", {DULL: READING})
    label(served.database, study, "N02", {DULL[2:]: READING, NEVER: TELLING})
    enrol(served.database, "L01", study.study_id, Role.LEAD, NOW)
    return folder


@pytest.fixture
def desk(browser: Browser, served: Served, prepared: Path) -> Iterator[Desk]:
    """Yield the adjudicator open before the lead; its own errors fail the test."""
    context, page = enter(browser, served, "L01", secret_of(served.database, "L01"))
    faults: list[str] = []
    wire: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("response", lambda one: wire.append(one.text())
            if "/api/adjudicate/" in one.url else None)
    page.goto(f"{served.url}/adjudicate")
    page.wait_for_selector("main[data-screen=task]")
    yield Desk(page, served, wire)
    context.close()
    assert faults == []


def test_a_lead_decides_by_keyboard_and_gold_follows(desk: Desk, tmp_path: Path) -> None:
    before = tables(desk.served.database, tmp_path / "before")
    item = desk.case()
    rows = desk.page.locator("[data-row]")
    expect(rows).to_have_count(3)
    assert desk.page.locator(".mark-list .show").count() == 0  # nothing is taken by itself
    desk.keys("y x")
    expect(rows.first).to_have_class("taken")
    desk.keys("y")
    desk.decide("原文有“一定”，是猜测他人的想法")
    expect(desk.page.locator(".top .title")).not_to_have_text(item)
    after = tables(desk.served.database, tmp_path / "after")
    gold = next(row for row in after["gold"] if row["item_id"] == item)
    assert (gold["rule"], gold["revision"]) == ("adjudicated", 1)
    assert gold["gold"] == f"{TELLING}|{READING}"
    quotes = [row["quote"] for row in after["gold_spans"] if row["item_id"] == item]
    assert quotes[-1] == NEVER
    assert quotes[0] in {DULL, DULL[2:]}
    for name in ("labels", "spans", "labels_second", "spans_second", "label_revisions"):
        assert before[name] == after[name]


def test_spans_are_adjudicated_exactly_where_no_annotator_marked(
    desk: Desk, tmp_path: Path
) -> None:
    item = desk.case()
    desk.keys("m Shift+ArrowLeft 5")  # the words of the row in hand, a word shorter
    chosen = desk.page.locator(".mark-list q").inner_text()
    desk.decide("取更短的片段")
    expect(desk.page.locator(".top .title")).not_to_have_text(item)
    after = tables(desk.served.database, tmp_path)
    assert [r["quote"] for r in after["gold_spans"] if r["item_id"] == item] == [chosen]
    assert chosen not in {DULL, DULL[2:], NEVER}


def test_a_decision_needs_labels_and_a_reason(desk: Desk) -> None:
    item = desk.case()
    desk.keys("s")
    expect(desk.page.locator(".banner")).to_contain_text("请至少给出一个标签")
    desk.keys("0 s")
    expect(desk.page.locator(".banner")).to_contain_text("请写明裁定理由")
    assert desk.case() == item
    desk.page.keyboard.press("Escape")


def test_a_changed_mind_is_a_new_revision(desk: Desk, tmp_path: Path) -> None:
    desk.page.locator("[data-show=decided]").click()
    expect(desk.page.locator("[data-show=decided]")).to_have_attribute("aria-pressed", "true")
    item = desk.case()
    expect(desk.page.locator(".past")).to_be_visible()
    desk.keys("0")
    desk.decide("重读后认为没有歪曲")
    rows = [row for row in tables(desk.served.database, tmp_path)["adjudications"]
            if row["item_id"] == item]
    assert [(row["revision"], row["outcome"], row["last"]) for row in rows] == [
        (1, "labelled", 0), (2, "none", 1)]


def test_neither_names_nor_machine_nor_second_round_are_on_the_wire(desk: Desk) -> None:
    for item in ("Q001", "Q002", "Q003", "Q004"):
        desk.page.locator("[data-show=all]").click()
        desk.go(item)
    views = [json.loads(body)["view"] for body in desk.wire]
    assert len(views) > 4
    for view in views:
        told = json.dumps({**view, "scheme": None})
        for secret in ("N01", "N02", "gpt-secret", SHOULD, "proposal", "model"):
            assert secret not in told


def test_the_queue_is_searched_and_the_other_items_are_reached_by_key(desk: Desk) -> None:
    desk.page.locator("[data-show=all]").click()
    expect(desk.page.locator(".case")).to_have_count(4)
    first = desk.case()
    desk.keys("n")
    expect(desk.page.locator(".top .title")).not_to_have_text(first)
    desk.keys("b")
    expect(desk.page.locator(".top .title")).to_have_text(first)
    desk.page.locator(".search input").fill("Q003")
    desk.page.locator(".search input").press("Enter")
    expect(desk.page.locator(".case")).to_have_count(1)
    expect(desk.page.locator(".top .title")).to_have_text("Q003")


def test_annotators_are_told_apart_by_the_pattern_of_their_lines(desk: Desk) -> None:
    shapes = desk.page.locator("thead .swatch").evaluate_all(
        "nodes => nodes.map((node) => getComputedStyle(node).backgroundImage)")
    assert len(set(shapes)) == len(shapes) == 2
    drawn = desk.page.locator(".seg.marked").evaluate_all(
        "nodes => nodes.map((node) => node.style.background.split('gradient').length)")
    assert max(drawn) > min(drawn)  # where both marked, two lines stand


@pytest.mark.parametrize("size", [(1366, 768), (1024, 768), (768, 1024)])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_runs_out_of_the_window(
    browser: Browser, served: Served, prepared: Path, size: tuple[int, int], language: str
) -> None:
    with served.database.writing() as connection:
        connection.execute(
            update(person).where(person.c.code == "L01").values(language=language))
    context, page = enter(browser, served, "L01", secret_of(served.database, "L01"))
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{served.url}/adjudicate")
    page.wait_for_selector("main[data-screen=task]")
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    save = page.locator(".actions .primary").bounding_box()
    context.close()
    with served.database.writing() as connection:
        connection.execute(update(person).where(person.c.code == "L01").values(language="zh"))
    assert wide <= 0
    assert save is not None
    assert save["x"] + save["width"] <= size[0]
    assert save["y"] + save["height"] <= size[1]
