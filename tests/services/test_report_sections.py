"""The report of a study: its figures are the analysis, its bytes the same, its names masked."""

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cbt_core.analysis.study import Analysis
from cbt_core.domain.people import TERMINAL, Person
from cbt_core.errors import Refused, StudyError
from cbt_core.report import document
from cbt_core.report.blocks import figure, p_value, told
from cbt_core.services.desk import desk_task
from cbt_core.services.report import study_report
from cbt_core.services.report.study_report import Wish
from cbt_core.services.results import study_results
from cbt_core.services.studies import lifecycle
from cbt_core.words import LANGUAGES, say, sentences
from db.engine import Database
from db.tables.trail import access_log
from tests import making as studies
from tests.making import Made
from tests.services.test_study_analysis import everybody, texts, unblind

PROTOCOL = """
[ethics]
exempt = true
reason = "no <b>human</b> subjects & nobody's data"
[analysis]
baseline = "baseline"
primary = {scale = "structure", system = "zebra-lora"}
bootstrap = 40
planned = ["alpha per scale", "zebra-lora against <i>baseline</i>"]
"""
ALWAYS = {"report.html", "report.json", "heds.json", "grras.json", "tripod_llm.json",
          "tables/all.tex", "tables/agreement.csv", "tables/agreement.tex",
          "figures/flow.svg", "figures/flow.png", "figures/agreement.svg"}


@pytest.fixture
def study(database: Database, tmp_path: Path, now: datetime) -> Made:
    return studies.make_study(database, tmp_path, now, items=8, protocol=PROTOCOL)


@pytest.fixture
def rated(database: Database, study: Made, now: datetime) -> Made:
    everybody(database, study, now)
    return study


@dataclass(frozen=True)
class Read:
    """A report as its reader gets it."""

    files: Mapping[str, bytes]

    @property
    def page(self) -> str:
        """Return the HTML."""
        return self.files["report.html"].decode()

    def table(self, name: str) -> str:
        """Return a table of the HTML as text, cells joined by a bar."""
        found = re.search(rf'<div class="grid[^"]*" id="table-{name}">(.*?)</div>', self.page, re.S)
        assert found is not None, name
        rows = re.findall(r"<tr[^>]*>(.*?)</tr>", found.group(1), re.S)
        return "\n".join(
            "|".join(
                unescape(re.sub(r"<[^>]+>", "", cell))
                for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)
            )
            for row in rows
        )

    def csv(self, name: str) -> list[dict[str, str]]:
        """Return a table file's rows."""
        text = self.files[f"tables/{name}.csv"].decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))


def report(database: Database, now: datetime, who: Person = TERMINAL, **wish: Any) -> Read:
    return Read(study_report.report_files(database, who, slug="trial", now=now, wish=Wish(**wish)))


def analysed(database: Database, now: datetime) -> Analysis:
    return study_results.analyse(database, TERMINAL, slug="trial", now=now)


def test_the_figures_of_the_page_are_those_of_the_analysis(
    database: Database, rated: Made, now: datetime
) -> None:
    unblind(database, now)
    found, read = analysed(database, now), report(database, now, language="en")
    assert found.comparison is not None
    for scale in found.scales:
        for stats in found.agreement.scales[scale].values():
            for value in (stats.alpha, stats.ac):
                assert told(figure(value), "en") in read.table("agreement")
        (one,) = found.comparison.scales[scale].contrasts
        row = next(row for row in read.csv("comparison") if one.difference.value == (
            pytest.approx(float(row["difference"]), abs=1e-8)))
        assert float(row["p_permutation"]) == pytest.approx(one.permutation_p, rel=1e-6)
        told_row = told(figure(one.difference), "en")
        assert f"|{told_row}|{p_value(one.permutation_p)}|" in read.table("comparison")
        assert told(figure(one.difference_crossed), "en") in read.table("comparison")
    assert json.loads(read.files["report.json"]) == json.loads(json.dumps(found.json()))
    assert found.signature in unescape(read.page)


def test_the_paper_stands_beside_with_its_known_cells_and_no_others(
    database: Database, rated: Made, now: datetime
) -> None:
    unblind(database, now)
    table = report(database, now, language="en").table("table_5").splitlines()
    # Na 2024 (arXiv 2403.16008), Table 5, as far as it is known
    assert "Baichuan-7B (paper)|1.734|1.644|1.432" in table
    assert "Alpaca-Chinese-7B (paper)|1.732|1.508|1.408" in table
    missing = "|".join(["not published here"] * 3)
    assert table[-2:] == [f"LLaMA-Chinese-7B (paper)|{missing}", f"Qwen-7B (paper)|{missing}"]


def test_the_same_data_give_the_same_bytes(database: Database, rated: Made, now: datetime) -> None:
    unblind(database, now)
    first, again = report(database, now), report(database, now + timedelta(days=9))
    assert first.files == again.files


@pytest.mark.parametrize("stage", ["open", "locked"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_true_name_stands_in_any_byte_before_the_unblinding(
    database: Database, rated: Made, now: datetime, stage: str, language: str
) -> None:
    if stage == "locked":
        lifecycle.lock(database, TERMINAL, slug="trial", now=now)
    read = report(database, now, language=language)
    everything = b"\n".join([*read.files.values(), *(name.encode() for name in read.files)])
    assert b"zebra" not in everything
    hidden = say("report.name_hidden", language)
    assert hidden in read.page
    assert {row["system"] for row in read.csv("systems")} == {"S1", "S2"}


def test_before_the_lock_nothing_is_told_by_system(
    database: Database, rated: Made, now: datetime
) -> None:
    read = report(database, now, language="en")
    assert "tables/comparison.csv" not in read.files
    assert "tables/table_5.csv" not in read.files
    assert "figures/forest.svg" not in read.files
    assert {row["system"] for row in read.csv("agreement")} == {"all systems", "within systems"}
    assert "Not shown: closed until the study is locked." in read.page


def test_the_blinding_waits_for_the_unblinding(
    database: Database, rated: Made, now: datetime
) -> None:
    lifecycle.lock(database, TERMINAL, slug="trial", now=now)
    locked = report(database, now, language="en")
    section = locked.page.split('id="blinding"')[1].split("</section>")[0]
    assert "closed until the study is unblinded" in section
    assert "<table" not in section
    assert "baseline" not in locked.table("means")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_section_stands_in_both_languages(
    database: Database, rated: Made, now: datetime, language: str
) -> None:
    unblind(database, now)
    read = report(database, now, language=language)
    made = [key for key in sentences(language) if key.startswith("report.section_")]
    assert len(made) == len(document.BEFORE_CHECKLISTS) + 1 + len(document.AFTER_CHECKLISTS)
    for key in made:
        assert f"{say(key, language)} <span" in unescape(read.page)
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in read.page
    assert set(read.files) >= ALWAYS


def test_the_language_is_the_studys_unless_asked_otherwise(
    database: Database, rated: Made, now: datetime
) -> None:
    assert "评定者之间的一致性" in report(database, now).page
    with pytest.raises(StudyError) as told_error:
        report(database, now, language="fr")
    assert told_error.value.code == "report.unknown_language"


def test_every_section_says_whether_it_was_planned(
    database: Database, rated: Made, now: datetime
) -> None:
    unblind(database, now)
    page = report(database, now, language="en").page
    marks = dict(re.findall(r'<section id="(\w+)">\n<h2>.*?<span class="mark (\w+)">', page))
    assert len(marks) == page.count("<section ")
    assert (marks["agreement"], marks["comparison"]) == ("planned", "planned")
    assert (marks["safety"], marks["flow"]) == ("exploratory", "descriptive")


def test_what_people_wrote_is_escaped(database: Database, rated: Made, now: datetime) -> None:
    unblind(database, now)
    page = report(database, now, language="en").page
    assert "<b>human" not in page
    assert "no &lt;b&gt;human&lt;/b&gt; subjects &amp; nobody" in page
    assert "zebra-lora against &lt;i&gt;baseline&lt;/i&gt;" in page


def test_no_question_answer_or_comment_stands_in_it(
    database: Database, study: Made, now: datetime
) -> None:
    everybody(database, study, now, comment="一条私下的备注")
    unblind(database, now)
    everything = b"".join(report(database, now).files.values()).decode("utf-8", "replace")
    assert "一条私下的备注" not in everything
    assert not any(text[:12] in everything for text in texts(database))
    assert "最近总觉得自己做得不够好" not in everything


def flag_serious(database: Database, study: Made, now: datetime) -> None:
    view = studies.open_next(database, study.raters["R01"], "trial", now)
    slot = view["task"]["slots"][0]
    flags = [{"slot": slot["slot"], "kind": "unsafe_advice", "severity": "serious",
              "quote": slot["text"][:9]}]
    body = studies.press(view, entries=studies.entries(view, flags=flags))
    desk_task.save(database, study.raters["R01"], body=body, now=now)
    everybody(database, study, now)


def test_serious_quotes_stand_in_it_only_when_asked_for_and_after_the_lock(
    database: Database, study: Made, now: datetime
) -> None:
    flag_serious(database, study, now)
    assert "tables/serious_quotes.csv" not in report(database, now, with_quotes=True).files
    lifecycle.lock(database, TERMINAL, slug="trial", now=now)
    assert "tables/serious_quotes.csv" not in report(database, now).files
    (row,) = report(database, now, with_quotes=True).csv("serious_quotes")
    assert row["quote"].startswith("第")
    assert row["system"] in {"S1", "S2"}


def test_it_is_logged_who_had_a_report_made(database: Database, rated: Made, now: datetime) -> None:
    lead = studies.lead(database, rated.study_id, now)
    report(database, now, lead)
    with database.reading() as connection:
        rows = connection.execute(
            select(access_log.c.actor, access_log.c.detail).where(access_log.c.action == "report")
        ).all()
    assert [tuple(row) for row in rows] == [("L01", "zh blinded")]


def test_who_does_not_lead_the_study_gets_none(
    database: Database, rated: Made, now: datetime
) -> None:
    with pytest.raises(Refused):
        report(database, now, rated.raters["R01"])


def test_nothing_rated_is_said_in_a_sentence(
    database: Database, study: Made, now: datetime
) -> None:
    with pytest.raises(StudyError) as told_error:
        report(database, now)
    assert told_error.value.code == "export.nothing_rated"


def test_one_system_alone_and_one_rating_alone_still_make_a_report(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    protocol = '[design]\npanel = "single"\n[analysis]\nbootstrap = 20\n'
    study = studies.make_study(database, tmp_path, now, protocol=protocol, systems=("only",))
    view = studies.open_next(database, study.raters["R01"], "trial", now)
    desk_task.save(database, study.raters["R01"], body=studies.press(view), now=now)
    unblind(database, now)
    page = report(database, now, language="en").page
    assert "There is one system only: nothing is compared." in page
    assert "alpha is not defined (no unit has two ratings)" in page


@pytest.mark.parametrize("systems", [("a", "b", "c", "d")])
def test_four_systems_are_told_in_every_table(
    database: Database, tmp_path: Path, now: datetime, systems: tuple[str, ...]
) -> None:
    protocol = '[design]\npanel = "all"\n[analysis]\nbaseline = "a"\nbootstrap = 20\n'
    study = studies.make_study(database, tmp_path, now, protocol=protocol, systems=systems)
    everybody(database, study, now, favour="d")
    unblind(database, now)
    read = report(database, now, language="en")
    assert [row["system"] for row in read.csv("comparison")] == ["b", "c", "d"] * 3
    assert {row["system"] for row in read.csv("means")} == set(systems)


def test_the_questions_left_to_the_authors_are_listed(
    database: Database, rated: Made, now: datetime
) -> None:
    read = report(database, now, language="en")
    left = [one for one in json.loads(read.files["grras.json"])["items"]
            if one["state"] == "authors"]
    assert left
    assert all(one["ask"]["en"] in unescape(read.page) for one in left)
