"""The span marker before its real routes: mouse, touch, keyboard; offsets; rounds on the wire."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import func, select

from cbt_core.domain.people import TERMINAL
from cbt_core.services.export import study_export
from cbt_core.services.labels import machine_proposals
from cbt_core.services.labels.machine_proposals import Proposed
from db.engine import Database
from db.tables.labels import label_submission, span
from tests.browser.acts import enter, secret_of
from tests.browser.conftest import Served as ServedApp
from tests.browser.marker_server import Served, opened
from tests.label_study import DESCRIPTION, LabelStudy, make_label_study

pytestmark = pytest.mark.browser

DULL = "他们一定觉得我很无趣"
WRONG = "我做什么都会出错"
FAMILY = "cafe\u0301待久了就会好👩‍👩‍👧"
PLACES = """([field, start, end]) => {
  const root = document.querySelector("#host").shadowRoot;
  const box = root.querySelector(`.text[data-field=${field}]`);
  const walk = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
  const edge = (at) => {
    for (walk.currentNode = box; walk.nextNode();) {
      const letters = Array.from(walk.currentNode.data);
      const before = letters.slice(0, at).join("").length;
      if (at < letters.length) return [walk.currentNode, before, letters[at].length];
      at -= letters.length;
    }
  };
  const rect = (at) => {
    const range = document.createRange();
    const [node, offset, size] = edge(at);
    range.setStart(node, offset);
    range.setEnd(node, offset + size);
    return range.getBoundingClientRect();
  };
  const [first, last] = [rect(start), rect(end - 1)];
  return [first.left + 1, first.top + first.height / 2, last.right - 1, last.top + last.height / 2];
}"""
SELECTED = """() => {
  const root = document.querySelector("#host").shadowRoot;
  const range = document.getSelection().getComposedRanges({ shadowRoots: [root] })[0];
  if (!range) return "";
  const made = document.createRange();
  made.setStart(range.startContainer, range.startOffset);
  made.setEnd(range.endContainer, range.endOffset);
  return made.toString();
}"""


@dataclass(frozen=True, slots=True)
class Marker:
    """An open marker with its study and database."""

    page: Page
    database: Database
    study: LabelStudy
    folder: Path
    now: datetime

    def keys(self, pressed: str) -> None:
        """Press keys one after another; they are separated by spaces."""
        for one in pressed.split():
            self.page.keyboard.press("Space" if one == "␣" else one)

    def drag(self, words: str, text: str = DESCRIPTION, field: str = "description") -> None:
        """Select words of a field with the mouse."""
        start = text.index(words)
        left, top, right, bottom = self.page.evaluate(PLACES, [field, start, start + len(words)])
        self.page.mouse.move(left, top)
        self.page.mouse.down()
        self.page.mouse.move((left + right) / 2, (top + bottom) / 2)
        self.page.mouse.move(right, bottom)
        self.page.mouse.up()

    def to(self, words: str) -> None:
        """Go clause by clause until these words are selected."""
        for _ in range(30):
            self.page.keyboard.press("ArrowDown")
            if self.selected() == words:
                return
        raise AssertionError(words)

    def selected(self) -> str:
        """Return the selected words."""
        return str(self.page.evaluate(SELECTED))

    def listed(self) -> list[str]:
        """Return the rows of the list of marks."""
        rows = self.page.locator(".mark-list .show").all_inner_texts()
        return [row.replace("\n", " ") for row in rows]

    def save(self) -> None:
        """Press save and wait for the receipt."""
        self.page.keyboard.press("s")
        expect(self.page.locator(".status")).to_contain_text("已提交")

    def exported(self) -> tuple[list[str], dict[str, list[dict[str, Any]]]]:
        """Return the words cut out of the exported documents, and the exported tables."""
        study_export.export_study(
            self.database, TERMINAL, slug="labels", folder=self.folder / "out", form="jsonl",
            now=self.now,
        )
        tables = {
            file.stem: [json.loads(line) for line in file.read_text("utf-8").splitlines()]
            for file in (self.folder / "out").glob("*.jsonl")
        }
        text = {row["item_id"]: row["text"] for row in tables["documents"]}
        cut = [text[row["item_id"]][row["start"]:row["end"]] for row in tables["spans"]]
        return cut, tables

    def submissions(self) -> int:
        """Return how many revisions are stored."""
        with self.database.reading() as connection:
            return connection.execute(
                select(func.count()).select_from(label_submission)).scalar_one()


@contextmanager
def marking(
    browser: Browser, database: Database, folder: Path, now: datetime, *, proposals: bool = False,
    size: tuple[int, int] = (1366, 768), touch: bool = False, query: str = "", **study: Any,
) -> Iterator[Marker]:
    """Yield the marker open on the first item of a new study."""
    made = make_label_study(database, folder, now, **study)
    if proposals:
        start = DESCRIPTION.index(DULL)
        machine_proposals.propose(
            database, TERMINAL, slug="labels", source="gpt-secret-7b", now=now, proposals=[
                one for number in (1, 2, 3) for one in (
                    Proposed(f"Q{number:03d}", "mind-reading", "description", start,
                             start + len(DULL)),
                    Proposed(f"Q{number:03d}", "should-statements"))])
    served = Served(database, made.slug)
    with opened(browser, served, made.annotators["N01"], size=size, touch=touch,
                query=query) as page:
        yield Marker(page, database, made, folder, now)
    served.stop()


@pytest.fixture
def marker(
    browser: Browser, database: Database, tmp_path: Path, now: datetime
) -> Iterator[Marker]:
    with marking(browser, database, tmp_path, now) as one:
        yield one


def test_three_spans_by_mouse_are_cut_exactly_in_python(marker: Marker) -> None:
    for words, shortcut in ((DULL, "5"), (FAMILY, "7"), (WRONG, "2")):
        marker.drag(words)
        assert marker.selected() == words
        marker.keys(shortcut)
    marker.save()
    cut, tables = marker.exported()
    assert sorted(cut) == sorted([DULL, FAMILY, WRONG])
    assert tables["labels"][0]["labels"] == "magnification|mind-reading|overgeneralization"
    assert tables["labels"][0]["input"] == "mixed"


def test_three_spans_by_keyboard_alone_are_cut_exactly_in_python(marker: Marker) -> None:
    marker.to(DULL)
    marker.keys("5")
    marker.to("妈妈说我在" + FAMILY)
    marker.keys("Alt+ArrowRight Alt+ArrowRight Alt+ArrowRight")
    while not marker.selected().startswith("cafe"):
        marker.keys("Alt+ArrowRight")
    marker.keys("7")
    marker.to("可是" + WRONG)
    marker.keys("> > 2")
    marker.save()
    cut, tables = marker.exported()
    assert sorted(cut) == sorted([DULL, FAMILY, WRONG])
    assert tables["labels"][0]["input"] == "keyboard"


def test_a_span_over_an_emoji_in_the_question_is_cut_exactly(marker: Marker) -> None:
    question = marker.page.locator(".text.question").inner_text()
    words = question[question.index("个月"):question.index("，还是")]
    assert "😔" in words
    marker.drag(words, question, "question")
    marker.keys("q")
    marker.save()
    assert marker.exported()[0] == [words]


def test_spans_overlap_and_carry_several_labels(marker: Marker) -> None:
    marker.to(DULL)
    marker.keys("5 6 Shift+ArrowDown 2")
    assert marker.listed() == [
        f"5 读心术 {DULL}", f"6 先知错误 {DULL}", f"2 以偏概全 {DULL}，以后也不会再叫我了"]
    marker.keys("2")
    assert len(marker.listed()) == 2
    marker.save()
    assert sorted(marker.exported()[0]) == [DULL, DULL]


def test_without_a_selection_a_label_belongs_to_the_whole_item(marker: Marker) -> None:
    marker.keys("3")
    marker.to(DULL)
    marker.keys("Shift+Digit1")
    assert sorted(marker.listed()) == ["1 非此即彼 整题", "3 心理过滤 整题"]
    marker.save()
    _, tables = marker.exported()
    assert tables["spans"] == []
    assert tables["labels"][0]["whole"] == "all-or-nothing|mental-filter"


def test_none_replaces_marks_and_undo_brings_them_back(marker: Marker) -> None:
    marker.to(DULL)
    marker.keys("5 0")
    assert marker.listed() == []
    expect(marker.page.locator("[data-verdict=none]")).to_have_attribute("aria-pressed", "true")
    marker.keys("z")
    assert marker.listed() == [f"5 读心术 {DULL}"]
    marker.keys("z")
    assert marker.listed() == []
    marker.keys("Control+y Shift+z")
    expect(marker.page.locator("[data-verdict=none]")).to_have_attribute("aria-pressed", "true")
    marker.save()
    assert marker.exported()[1]["labels"][0]["labels"] in (None, "")


def test_a_mark_is_removed_from_the_list_and_by_key(marker: Marker) -> None:
    marker.to(DULL)
    marker.keys("5 6")
    marker.page.locator(".remove").first.click()
    assert marker.listed() == [f"6 先知错误 {DULL}"]
    marker.page.locator(".text.description").focus()
    marker.keys("[ Backspace")
    assert marker.listed() == []


def test_words_clauses_sentences_and_characters_can_be_reached(marker: Marker) -> None:
    marker.keys("PageDown PageDown")
    assert marker.selected() == "换工作以后搬到这里，除了同事打招呼👍🏽，几乎没有人和我说话"
    marker.keys("ArrowDown")
    assert marker.selected() == "上周聚餐时大家聊得很热闹"
    marker.keys("Comma Comma Shift+Period")
    assert marker.selected() == "周聚餐时大家聊得很"
    marker.keys("␣")  # first to whole words, then to the clause, then to the sentence
    assert marker.selected() == "上周聚餐时大家聊得很"
    marker.keys("␣")
    assert marker.selected() == "上周聚餐时大家聊得很热闹"
    marker.keys("␣")
    assert marker.selected().endswith("以后也不会再叫我了")
    marker.keys("ArrowRight")
    assert marker.selected() == "妈妈"
    marker.keys("Shift+ArrowRight Shift+ArrowRight Shift+ArrowLeft")
    assert marker.selected() == "妈妈说"
    marker.keys("ArrowLeft Escape")
    assert marker.selected() == ""


def test_an_input_method_at_work_marks_nothing(marker: Marker) -> None:
    marker.to(DULL)
    for init in ({"isComposing": True}, {"keyCode": 229}, {}):
        marker.page.evaluate(
            """(init) => document.querySelector("#host").shadowRoot.activeElement.dispatchEvent(
              new KeyboardEvent("keydown",
                { key: "5", code: "Digit5", bubbles: true, composed: true, ...init }))""", init)
        assert marker.listed() == ([] if init else [f"5 读心术 {DULL}"])


def test_keys_write_in_the_note_and_focus_comes_back_to_the_text(marker: Marker) -> None:
    marker.to(DULL)
    marker.keys("5 c")
    marker.page.keyboard.type("5s0 note")
    marker.keys("Escape")
    focused = marker.page.evaluate(
        "() => document.querySelector('#host').shadowRoot.activeElement.dataset.field")
    assert focused == "description"
    assert marker.selected() == DULL
    assert marker.listed() == [f"5 读心术 {DULL}"]
    marker.save()
    assert marker.exported()[1]["labels"][0]["note"] == "5s0 note"


def test_the_draft_survives_a_reload(marker: Marker) -> None:
    marker.to(DULL)
    marker.keys("5 v 2")
    expect(marker.page.locator(".status")).to_contain_text("草稿已保存")
    marker.page.reload()
    marker.page.wait_for_selector("main[data-screen=task]")
    assert marker.listed() == [f"5 读心术 {DULL}"]
    assert marker.page.locator("input[name=certainty][value='2']").is_checked()
    marker.save()
    assert marker.exported()[0] == [DULL]


def test_proposals_reach_the_browser_only_after_the_blind_save(
    browser: Browser, database: Database, tmp_path: Path, now: datetime
) -> None:
    with marking(browser, database, tmp_path, now, proposals=True) as marker:
        wire: list[tuple[str, str]] = []
        marker.page.on("response", lambda answer: wire.append(
            (answer.url.rpartition("/")[2], answer.text())) if "/api/" in answer.url else None)
        marker.page.reload()
        marker.page.wait_for_selector("main[data-screen=task]")
        marker.to(DULL)
        marker.keys("6")
        expect(marker.page.locator(".status")).to_contain_text("草稿已保存")
        for _, body in wire:
            view = json.loads(body).get("view")
            assert view is None or view["task"]["proposals"] == []
        assert marker.page.locator(".proposals").count() == 0
        marker.save()
        expect(marker.page.locator("[data-proposal]")).to_have_count(2)
        first = next(body for path, body in wire if path == "save")
        assert [one["label"] for one in json.loads(first)["view"]["task"]["proposals"]] == [
            "mind-reading", "should-statements"]
        assert all("gpt-secret" not in body for _, body in wire)
        marker.keys("y x")
        assert marker.listed() == [f"6 先知错误 {DULL}", f"5 读心术 {DULL} 采纳自建议"]
        marker.keys("s")
        expect(marker.page.locator(".item")).to_contain_text("第 2 题")
        _, tables = marker.exported()
        assert [row["labels"] for row in tables["labels"]] == ["fortune-telling"]
        second = [row["labels"] for row in tables["labels_second"]]
        assert second == ["fortune-telling|mind-reading"]


def test_a_proposal_is_changed_with_its_words(
    browser: Browser, database: Database, tmp_path: Path, now: datetime
) -> None:
    with marking(browser, database, tmp_path, now, proposals=True, mode="correct") as marker:
        marker.keys("s")
        expect(marker.page.locator(".banner")).to_contain_text("还有 2 条建议")
        marker.keys("m Shift+ArrowDown 6 x")
        assert marker.listed() == [f"6 先知错误 {DULL}，以后也不会再叫我了 采纳自建议"]
        marker.save()
        _, tables = marker.exported()
        assert [row["answer"] for row in tables["proposal_answers"]] == ["changed", "rejected"]
        assert tables["spans"][0]["quote"] == f"{DULL}，以后也不会再叫我了"


def test_two_quick_presses_of_save_are_one_submission(marker: Marker) -> None:
    marker.keys("0 s s")
    expect(marker.page.locator(".item")).to_contain_text("第 2 题")
    assert marker.submissions() == 1


def test_a_save_whose_answer_was_lost_is_repeated_once_stored(marker: Marker) -> None:
    lost: list[str] = []

    def lose(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.request.post_data or "")
        route.fetch()
        route.abort()

    marker.page.route("**/api/marker/save", lose)
    marker.keys("0 s")
    expect(marker.page.locator(".item")).to_contain_text("第 2 题")
    assert marker.submissions() == 1


def test_a_tab_left_behind_is_told_and_overwrites_nothing(
    browser: Browser, marker: Marker
) -> None:
    other = marker.page.context.new_page()
    other.goto(marker.page.url)
    other.wait_for_selector("main[data-screen=task]")
    marker.keys("0")
    marker.save()
    other.keyboard.press("3")
    expect(other.locator(".banner")).to_contain_text("其他窗口")
    assert marker.submissions() == 1


def test_a_risk_marked_text_comes_after_a_warning(
    browser: Browser, database: Database, tmp_path: Path, now: datetime
) -> None:
    risk = {1: "high", 2: "high", 3: "high"}
    with marking(browser, database, tmp_path, now, risk=risk) as marker:
        expect(marker.page.locator(".warned")).to_be_visible()
        assert marker.page.locator(".text").count() == 0
        marker.keys("Enter")
        expect(marker.page.locator(".text.description")).to_be_visible()


def test_going_back_corrects_with_a_reason(marker: Marker) -> None:
    marker.keys("0")
    marker.save()
    marker.keys("b")
    expect(marker.page.locator(".notice")).to_contain_text("正在更正")
    marker.keys("0 3 s")
    expect(marker.page.locator(".banner")).to_contain_text("更正理由")
    marker.page.keyboard.type("重新读过")
    marker.keys("Control+s")
    expect(marker.page.locator(".item")).to_contain_text("第 2 题")
    assert marker.submissions() == 2


def test_a_label_is_tapped_for_words_selected_by_touch(
    browser: Browser, database: Database, tmp_path: Path, now: datetime
) -> None:
    with marking(browser, database, tmp_path, now, size=(820, 1180), touch=True) as marker:
        marker.page.evaluate(
            """([start, end]) => {
              const box = document.querySelector("#host").shadowRoot.querySelector(".description");
              const text = box.querySelector(".seg").firstChild;
              const at = (points) => Array.from(text.data).slice(0, points).join("").length;
              document.getSelection().setBaseAndExtent(text, at(start), text, at(end));
            }""", [DESCRIPTION.index(DULL), DESCRIPTION.index(DULL) + len(DULL)])
        expect(marker.page.locator(".aim")).to_contain_text("他们一定")
        marker.page.locator("[data-label=mind-reading]").tap()
        assert marker.listed() == [f"5 读心术 {DULL}"]
        small = marker.page.evaluate(
            """() => {
              const root = document.querySelector("#host").shadowRoot;
              const height = (one) => one.getBoundingClientRect().height;
              return [...root.querySelectorAll("button, .choice")]
                .filter((one) => one.offsetParent && height(one) < 44).map((one) => one.className);
            }""")
        assert small == []


@pytest.mark.parametrize("size", [(1366, 768), (1024, 768), (820, 1180), (390, 844), (683, 384)])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_runs_out_of_the_page(
    browser: Browser, database: Database, tmp_path: Path, now: datetime,
    size: tuple[int, int], lang: str,
) -> None:
    with marking(browser, database, tmp_path, now, size=size, language=lang, proposals=True,
                 query=f"?lang={lang}", mode="correct") as marker:
        width = marker.page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= size[0]


def test_the_definitions_stand_beside_the_text_on_demand(marker: Marker) -> None:
    expect(marker.page.locator(".book")).to_be_hidden()
    marker.keys("g")
    expect(marker.page.locator(".book")).to_contain_text("没有足够的依据")
    expect(marker.page.locator(".text.description")).to_be_visible()
    marker.keys("g")
    expect(marker.page.locator(".book")).to_be_hidden()


INK_ON_GROUND = (
    ("ink", "ground"), ("soft", "ground"), ("accent-strong", "ground"), ("ink", "pick"),
    ("accent-strong", "pick"), ("accent-strong", "accent-wash"), ("soft", "accent-wash"),
    ("ink", "accent-wash"), ("soft", "wash"), ("risk", "risk-wash"), ("on-accent", "accent"),
)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_contrast_aa_in_both_themes(
    browser: Browser, database: Database, tmp_path: Path, now: datetime, theme: str
) -> None:
    with marking(browser, database, tmp_path, now, query=f"?theme={theme}") as marker:
        for ink, ground in INK_ON_GROUND:
            colours = marker.page.evaluate(
                """(names) => {
                  const style = getComputedStyle(document.querySelector("#host").shadowRoot
                    .querySelector("main"));
                  return names.map((name) => style.getPropertyValue(`--${name}`).trim());
                }""", [ink, ground])
            assert contrast(*colours) >= 4.5, (theme, ink, ground)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rgb`` or ``#rrggbb``."""
    digits = colour.removeprefix("#")
    digits = "".join(2 * one for one in digits) if len(digits) == 3 else digits
    parts = [int(digits[place:place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_proposal_that_came_meanwhile_is_shown_and_the_marks_stay(
    browser: Browser, database: Database, tmp_path: Path, now: datetime
) -> None:
    with marking(browser, database, tmp_path, now, mode="correct", items=1) as marker:
        marker.to(DULL)
        marker.keys("5")
        machine_proposals.propose(
            database, TERMINAL, slug="labels", source="m", now=now,
            proposals=[Proposed("Q001", "labeling")])
        marker.keys("s")
        expect(marker.page.locator("[data-proposal]")).to_have_count(1)
        assert marker.listed() == [f"5 读心术 {DULL}"]
        marker.keys("x")
        marker.save()
        assert marker.exported()[0] == [DULL]


CLAUSES = (
    "今天又被领导/说了几句", "我觉得/自己什么都做不好", "同事们/肯定都在背后笑我",
    "回到家/也没有胃口", "以后的日子/只会越来越糟", "孩子成绩下降/都是我的错",
    "他就是/一个自私的人", "我必须/让每个人都满意", "心里难受/说明我一定做错了",
    "昨天晚上/只睡了四个小时", "周末/本来约了朋友爬山", "评上优秀/也只是运气好",
    "体检报告/还没有出来", "手机响了/我也不想接",
)
SECONDS_PER_KEY = 0.2


def a_text(seed: int) -> tuple[str, list[tuple[str, str]]]:
    """Return about 150 characters and two (clause, span): one whole, one without its beginning."""
    draw = Random(seed)
    chosen = draw.sample(CLAUSES, len(CLAUSES))
    plain = [one.replace("/", "") for one in chosen]
    text = "".join(one + ("，" if place % 3 < 2 else "。") for place, one in enumerate(plain))
    first, second = sorted(draw.sample(range(len(chosen)), 2))
    return text, [(plain[first], plain[first]), (plain[second], chosen[second].partition("/")[2])]


def test_two_spans_in_150_characters_take_under_20_seconds_at_200_ms_a_key(
    browser: Browser, database: Database, tmp_path: Path, now: datetime
) -> None:
    texts = dict(a_text(seed) for seed in range(30))
    with marking(browser, database, tmp_path, now, descriptions=list(texts)) as marker:
        pressed = sum(mark_two(marker, texts, number) for number in range(1, 31))
        marker.page.wait_for_selector("main[data-screen=done]")
        cut, _ = marker.exported()
    assert sorted(cut) == sorted(words for marks in texts.values() for _, words in marks)
    assert pressed * SECONDS_PER_KEY / len(texts) <= 20


def mark_two(marker: Marker, texts: dict[str, list[tuple[str, str]]], number: int) -> int:
    """Mark the two spans of the text on the screen and save; return how many keys it took."""
    expect(marker.page.locator(".item")).to_contain_text(f"第 {number} 题")
    pressed = 0
    for clause, words in texts[marker.page.locator(".text.description").inner_text()]:
        while marker.selected() != clause:
            marker.keys("ArrowDown")
            pressed += 1
        while marker.selected() != words:
            marker.keys("Alt+ArrowRight")
            pressed += 1
        marker.keys("5")
        pressed += 1
    marker.keys("s")
    return pressed + 1


def test_an_annotator_reads_the_guide_and_marks_in_the_real_app(
    browser: Browser, served: ServedApp, tmp_path: Path, now: datetime
) -> None:
    make_label_study(served.database, tmp_path, now, guided=False)
    context, page = enter(browser, served, "N01", secret_of(served.database, "N01"))
    page.goto(f"{served.url}/annotate")
    page.get_by_text("怎样标注").wait_for()
    page.get_by_text("没有足够的依据，就认定自己知道别人在想什么").wait_for()
    page.get_by_role("button", name="我已阅读指南").click()
    page.locator("main[data-screen=task]").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("5")
    page.keyboard.press("s")
    expect(page.locator(".item")).to_contain_text("第 2 题")
    with served.database.reading() as connection:
        assert connection.execute(select(span.c.label)).scalars().all() == ["mind-reading"]
    context.close()
