"""The validation report tells what ran, and a bar holds only when all its tests did."""

from datetime import UTC, datetime
from pathlib import Path

from tests.reliability.report import Bar, bars, files, judge, outcomes, text

ROOT = Path(__file__).resolve().parents[2]
BAR = Bar(1, "kills", ("reliability/test_kills.py", "services/test_desk_ratings.py::test_once"))
JUNIT = """<testsuites><testsuite>
<testcase classname="tests.reliability.test_kills" name="test_a[1]" />
<testcase classname="tests.reliability.test_kills" name="test_b"><skipped /></testcase>
<testcase classname="tests.services.test_desk_ratings" name="test_once[x]">{}</testcase>
<testcase classname="tests.services.test_desk_ratings" name="test_once_more"><failure /></testcase>
</testsuite></testsuites>"""


def found(folder: Path, inside: str = "") -> dict[str, str]:
    (folder / "all.xml").write_text(JUNIT.format(inside), "utf-8")
    return outcomes(folder)


def test_a_bar_holds_when_its_tests_ran_and_passed(tmp_path: Path) -> None:
    judged = judge(BAR, found(tmp_path))
    assert (judged.verdict, judged.ran) == ("pass", 2)
    assert judged.skipped == ("reliability/test_kills.py::test_b",)


def test_a_failing_test_fails_its_bar(tmp_path: Path) -> None:
    judged = judge(BAR, found(tmp_path, "<failure />"))
    assert judged.verdict == "FAIL"
    assert judged.wrong == ("services/test_desk_ratings.py::test_once[x]",)


def test_a_test_that_did_not_run_shows_nothing(tmp_path: Path) -> None:
    assert judge(BAR, found(tmp_path, "<skipped />")).verdict == "not run"
    assert judge(BAR, {}).verdict == "not run"


def test_every_file_and_test_a_bar_names_exists() -> None:
    for file in files(bars()):
        assert (ROOT / file).exists(), file
    for bar in bars():
        for test in bar.tests:
            file, _, name = test.partition("::")
            assert f"def {name}" in (ROOT / "tests" / file).read_text("utf-8"), test
    assert [bar.number for bar in bars()] == list(range(1, 26))


def test_the_report_names_versions_settings_and_verdicts(tmp_path: Path) -> None:
    report = text([judge(BAR, found(tmp_path))], tmp_path, datetime(2026, 11, 23, tzinfo=UTC))
    for told in ("2026-11-23", "synchronous 2", "journal_mode wal", "| 1 | pass | 2 | kills |"):
        assert told in report
