"""A report of a study in which everything happened: each thing is told where it belongs."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from cbt_core.analysis.study import Analysis
from cbt_core.domain.people import TERMINAL
from cbt_core.report.blocks import figure, told
from cbt_core.services.results import study_results
from cbt_core.services.studies import lifecycle, protocols
from db.engine import Database
from db.tables.runs import judge_score, metric_score
from db.tables.studies import answer
from db.tables.studies import study as study_table
from tests import making as studies
from tests.making import Made
from tests.services.test_report_sections import Read, report
from tests.services.test_study_analysis import everybody, exclude, guess_all, store, unblind

PROTOCOL = """
[design]
repeats = 0.5
repeat_gap_tasks = 2
[analysis]
baseline = "baseline"
bootstrap = 40
"""


@pytest.fixture
def study(database: Database, tmp_path: Path, now: datetime) -> Made:
    made = studies.make_study(database, tmp_path, now, items=12, protocol=PROTOCOL)
    everybody(database, made, now)
    exclude(database, made, now, code="R03")
    exclude(database, made, now, key="Q002")
    lifecycle.withdraw_item(
        database, TERMINAL, slug="trial", key="Q003", reason="names <a> person", now=now
    )
    file = tmp_path / "later.toml"
    file.write_text(PROTOCOL + 'planned = ["safety flags"]\n', "utf-8")
    protocols.amend(
        database, TERMINAL, slug="trial", protocol=file, reason="ethics asked for it",
        now=now + timedelta(days=1),
    )
    store(database, metric_score, made, now, metric="chrf", signature="chrf|v1")
    store(database, judge_score, made, now, judge="m1", scale="structure", prompt="p",
          instrument="i")
    for code in ("R01", "R02"):
        guess_all(database, made, code, now, dict.fromkeys(("R01", "R02"), "zebra-lora"))
    unblind(database, now + timedelta(days=2))
    return made


@pytest.fixture
def read(database: Database, study: Made, now: datetime) -> Read:
    return report(database, now, language="en")


@pytest.fixture
def found(database: Database, study: Made, now: datetime) -> Analysis:
    return study_results.analyse(database, TERMINAL, slug="trial", now=now)


def test_what_was_left_out_stands_with_its_reason(read: Read) -> None:
    table = read.table("left_out").splitlines()
    assert "item|Q002|as planned" in table
    assert "item|Q003|withdrawn: names <a> person" in table
    assert "rater|R03|as planned" in table


def test_an_amendment_after_the_first_rating_is_a_deviation(read: Read) -> None:
    row = read.table("amendments").splitlines()[1]
    assert "ethics asked for it|analysis.planned|after the first rating: a deviation" in row
    assert "The protocol was changed after the first rating (amendments since then: 1)" in read.page
    assert re.search(r'id="safety">\n<h2>.*<span class="mark exploratory">', read.page)


def test_the_repeats_stand_apart(read: Read, found: Analysis) -> None:
    pooled = found.retest["relevance"].pooled
    assert told(figure(pooled.exact, "share"), "en") in read.table("retest")
    assert f"all repeats|{pooled.n}|" in read.table("retest")


def test_stored_metrics_take_the_form_of_the_papers_table_4(read: Read) -> None:
    table = read.table("table_4").splitlines()
    # Na 2024 (arXiv 2403.16008), Table 4, as far as it is known
    assert table[3] == (
        "LLaMA-Chinese-7B (paper)|0.2412|0.3758|not published here|not published here|0.7793"
    )
    assert table[6].startswith("Baichuan-7B (= CBT-LLM) (paper)|0.2648|0.4031|highest of the four")
    ours = table[2].split("|")
    # 2 for every answer, and a hundredth of the item's number: its mean over 12 items, on 0 to 1
    assert ours[0] == "zebra-lora"
    assert ours[3].startswith("0.020")


def test_metrics_and_judges_are_told_apart_from_people(read: Read, found: Analysis) -> None:
    assert found.metrics is not None
    within = found.metrics.metrics[0].scales["structure"].within
    assert told(figure(within.kendall), "en") in read.table("metric_correlation")
    assert "m1|CBT structure|" in read.table("judges")
    assert "it was not declared in the plan" in read.page
    assert "m1" not in read.table("raters")


def test_the_blinding_tells_guesses_and_indices(read: Read, found: Analysis) -> None:
    assert found.blinding is not None
    assert told(figure(found.blinding.pair_accuracy, "share"), "en") in read.table("blinding")
    assert told(figure(found.blinding.james), "en") in read.table("blinding")


def test_what_changes_without_exclusions_stands_beside(read: Read, found: Analysis) -> None:
    names = {one.name for one in found.sensitivity.variants}
    assert names >= {"analysis", "with_excluded"}
    table = read.table("sensitivity")
    for one in found.sensitivity.variants:
        assert told(figure(one.differences["zebra-lora"]), "en") in table


def test_missing_scores_stand_with_worst_and_best_case(read: Read, found: Analysis) -> None:
    assert found.missing_bounds is not None
    rows = read.csv("missing_bounds")
    assert [float(row["worst"]) for row in rows] == pytest.approx(
        [float(one.worst or 0) for one in found.missing_bounds])


@pytest.fixture
def measured(database: Database, study: Made, now: datetime) -> Made:
    """Add counts within structure; `structure` is the same for every answer."""
    for name in ("structure_length", "structure_bold"):
        store(database, metric_score, study, now, metric=name, signature="structure|v1")
    store(database, metric_score, study, now, metric="structure", signature="structure|v1",
          value=1.0)
    return study


def test_counts_within_structure_stand_in_the_csv_only(
    database: Database, measured: Made, now: datetime
) -> None:
    read = report(database, now, language="en")
    assert "structure_length" not in read.page
    assert "structure_length" not in read.files["tables/metric_correlation.tex"].decode()
    assert {"structure_length", "structure_bold"} <= {
        row["metric"] for row in read.csv("metric_correlation")}
    assert "2 counts within structure" in read.page


def test_metrics_that_never_change_are_one_sentence(
    database: Database, measured: Made, now: datetime
) -> None:
    read = report(database, now, language="en")
    section = read.page.split('id="metrics"')[1].split("</section>")[0]
    assert "constant on every scale: structure (figures in the CSV)" in section
    assert "\nstructure|" not in read.table("metric_correlation")
    assert section.count("<td") < 100


def test_below_table_4_stands_one_signature_per_metric(
    database: Database, measured: Made, now: datetime
) -> None:
    page = report(database, now, language="en").page
    table = page.split('id="table-table_4"')[1].split("</div>")[0]
    assert table.count("chrf: chrf|") == 1
    assert "structure" not in table


def record(database: Database, **origin: str) -> None:
    with database.writing() as connection:
        connection.execute(update(answer).where(answer.c.system_id.is_not(None)).values(**origin))


@pytest.mark.parametrize(("origin", "told_as"), [
    ({"model": "owner/base", "adapter": "/home/someone/runs/lora-7"}, "owner/base|lora-7"),
    ({"model": "owner/base", "adapter": "C:\\runs\\lora-7\\"}, "owner/base|lora-7"),
    ({"model": "/srv/models/base", "adapter": ""}, "base|none"),
    ({"model": "", "adapter": ""}, "not recorded|not recorded"),
])
def test_an_adapter_is_told_by_its_folders_name_and_none_only_where_that_is_known(
    database: Database, study: Made, now: datetime, origin: dict[str, str], told_as: str
) -> None:
    record(database, **origin)
    read = report(database, now, language="en")
    assert f"|{told_as}|" in read.table("systems")
    everything = b"".join(read.files.values())
    assert b"/home/someone" not in everything
    assert b"/srv/models" not in everything
    assert (b"lora-7" in read.files["tripod_llm.json"]) == ("lora-7" in told_as)


@pytest.mark.parametrize(("language", "words"), [("zh", "模拟评分"), ("en", "simulated scores")])
def test_table_5_of_a_demonstration_says_that_its_scores_are_simulated(
    database: Database, study: Made, now: datetime, language: str, words: str
) -> None:
    def caption() -> str:
        page = report(database, now, language=language).page
        return page.split('id="table-table_5"')[1].split("</caption>")[0]

    assert words not in caption()
    with database.writing() as connection:
        connection.execute(update(study_table).values(demonstration=1))
    assert words in caption()
