"""Every page guards itself: opened cold, without a session, it shows nothing."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(p for p in (ROOT / "pages").glob("*.py") if p.stem != "__init__")


@pytest.fixture(autouse=True)
def empty_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCORD_DATABASE", f"sqlite:///{tmp_path / 'concord.db'}")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_shows_nothing_to_a_visitor_who_is_not_signed_in(path: Path) -> None:
    page = AppTest.from_file(str(path), default_timeout=60).run()
    assert not page.title
    assert not page.button
    assert not page.text
    assert not page.dataframe
    assert not page.main.children


def test_there_are_pages_to_test() -> None:
    assert len(PAGES) > 10
