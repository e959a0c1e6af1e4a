"""The HTML: nothing people wrote is markup, nothing is fetched, drawings can be heard."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

from cbt_core.report import writers
from tests.unit.report.report_samples import HOSTILE, drawing, report

VOID = {"meta", "!doctype"}


class Reader(HTMLParser):
    """Collects tags that were opened and whether each was closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag, and that it is open."""
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that closes itself."""
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that the tag opened last is closed."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text.append(data)


def read() -> Reader:
    reader = Reader()
    reader.feed(writers.page(report()))
    return reader


def test_what_people_wrote_is_text_and_never_markup() -> None:
    reader = read()
    assert "script" not in reader.seen
    assert reader.open == []
    assert sum(HOSTILE in one for one in reader.text) >= 10


def test_the_running_head_cannot_leave_the_style_sheet() -> None:
    style = re.search(r"<style>(.*?)</style>", writers.page(report()), re.DOTALL)
    assert style is not None
    assert "alert(" in style.group(1)
    assert "<" not in style.group(1)
    assert style.group(1).count("{") == style.group(1).count("}")


def test_nothing_is_fetched() -> None:
    page = writers.page(report())
    assert "default-src 'none'" in page
    assert not re.search(r"\b(src|href)=\"(?!#)", page)
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", page)


def test_a_figure_stands_with_its_limits_and_an_undefined_one_with_its_reason() -> None:
    page = writers.page(report())
    assert '0.25 <span class="limits">[0.10,\u00a00.50]</span>' in page
    assert '<td class="n none">&lt;script&gt;' in page


def test_a_drawing_has_a_title_and_a_description_and_is_whole_xml() -> None:
    root = ElementTree.fromstring(drawing().svg)
    names = {"{http://www.w3.org/2000/svg}title", "{http://www.w3.org/2000/svg}desc"}
    told = {one.tag: one.text for one in root if one.tag in names}
    assert set(told) == names
    assert "0.50 [0.20,\u00a00.80]" in str(told["{http://www.w3.org/2000/svg}desc"])


def test_two_drawings_on_a_page_have_ids_of_their_own() -> None:
    first, second = drawing("one").svg, drawing("two").svg
    ids = [set(re.findall(r'id="([^"]+)"', svg)) for svg in (first, second)]
    assert not ids[0] & ids[1]
