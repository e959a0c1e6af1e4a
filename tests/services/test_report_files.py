"""The files of a report: whole or not at all, the same again, LaTeX that can be set."""

import io
import json
import re
import shlex
import zipfile
from datetime import datetime
from html import unescape
from pathlib import Path

import pytest

from cbt_core.cli import main
from cbt_core.domain.people import TERMINAL
from cbt_core.errors import StudyError
from cbt_core.services.report import study_report
from db.engine import Database
from tests import making as studies
from tests.making import Made
from tests.services.test_report_sections import PROTOCOL, report
from tests.services.test_study_analysis import everybody, unblind
from tests.unit.report.test_latex import balanced, rows


@pytest.fixture
def rated(database: Database, tmp_path: Path, now: datetime) -> Made:
    study = studies.make_study(database, tmp_path, now, items=8, protocol=PROTOCOL)
    everybody(database, study, now)
    return study


def write(database: Database, folder: Path, now: datetime) -> list[str]:
    return study_report.write_report(database, TERMINAL, slug="trial", folder=folder, now=now)


def test_a_report_replaces_an_earlier_one_and_leaves_nothing_beside_it(
    database: Database, rated: Made, tmp_path: Path, now: datetime
) -> None:
    folder = tmp_path / "made" / "report"
    first = write(database, folder, now)
    (folder / "tables" / "old.csv").write_text("old", "utf-8")
    assert write(database, folder, now) == first
    there = sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())
    assert there == sorted(first)
    assert [one.name for one in folder.parent.iterdir()] == ["report"]


def test_a_folder_with_other_files_is_left_alone(
    database: Database, rated: Made, tmp_path: Path, now: datetime
) -> None:
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter.txt").write_text("mine", "utf-8")
    with pytest.raises(StudyError) as told_error:
        write(database, folder, now)
    assert told_error.value.code == "report.folder_holds_others"
    assert [one.name for one in folder.iterdir()] == ["chapter.txt"]


def test_a_file_in_the_way_is_said_in_a_sentence(
    database: Database, rated: Made, tmp_path: Path, now: datetime
) -> None:
    file = tmp_path / "report"
    file.write_text("mine", "utf-8")
    with pytest.raises(StudyError) as told_error:
        write(database, file, now)
    assert told_error.value.code == "export.folder_taken"
    assert file.read_text("utf-8") == "mine"


def test_the_zip_holds_the_same_files_and_no_time(
    database: Database, rated: Made, now: datetime
) -> None:
    content = study_report.report_zip(database, TERMINAL, slug="trial", now=now)
    assert content == study_report.report_zip(database, TERMINAL, slug="trial", now=now)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {one.date_time[0] for one in archive.infolist()} == {1980}
        assert "trial-report/report.html" in archive.namelist()


def test_the_commands_it_names_compute_its_figures_again(
    database: Database, rated: Made, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    unblind(database, now)
    read = report(database, now, language="en")
    found = re.search(r"<pre>(python -m.*?)</pre>", read.page, re.S)
    assert found is not None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONCORD_DATABASE", database.url)
    for line in unescape(found.group(1)).splitlines():
        assert main(shlex.split(line)[3:]) == 0
    again = {str(one.relative_to("report")): one.read_bytes()
             for one in Path("report").rglob("*") if one.is_file()}
    assert again == read.files
    told_before = json.loads(read.files["report.json"])
    ours, theirs = told_before["agreement"]["scales"], json.loads(
        Path("agreement.json").read_text("utf-8"))["scales"]
    for scale in told_before["scales"]:
        for key in ("alpha_ordinal", "ac2_quadratic", "percent_agreement", "icc_2_k"):
            assert ours[scale]["ALL"][key] == pytest.approx(theirs[scale]["ALL"][key])
    compared = json.loads(Path("compare.json").read_text("utf-8"))["scales"]
    for scale in told_before["scales"]:
        mine = told_before["comparison"]["scales"][scale]["comparisons"][0]
        other = compared[scale]["comparisons"][0]
        assert mine["difference"] == pytest.approx(other["difference"])
        assert mine["permutation_p"] == other["permutation_p"]


def test_every_table_is_latex_with_all_braces_closed_and_rows_of_one_width(
    database: Database, rated: Made, now: datetime
) -> None:
    unblind(database, now)
    read = report(database, now, language="zh")
    tables = {name: one.decode() for name, one in read.files.items() if name.endswith(".tex")}
    for name, text in tables.items():
        assert balanced(text), name
        if "\\toprule" in text:
            assert len({len(re.findall(r"(?<!\\)&", row)) for row in rows(text)}) == 1, name
            assert f"\\input{{{Path(name).name}}}" in tables["tables/all.tex"]
