"""Exports: masked until unblinded, safe in a spreadsheet, byte-identical, exact in JSONL."""

import csv
import io
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cbt_core.domain.people import TERMINAL
from cbt_core.errors import Refused, StudyError
from cbt_core.files.writer import Column, Table, csv_bytes, guarded, xlsx_bytes
from cbt_core.services.desk import desk_task
from cbt_core.services.export import study_export
from cbt_core.services.results import file_analysis
from cbt_core.services.studies import lifecycle
from db.engine import Database
from tests.making import Made, entries, lead, make_study, open_next, press, rate_all

HOSTILE = "=HYPERLINK(\"http://example.org\")"
TABLES = (
    "ratings", "labels", "spans", "items", "answers", "tasks", "raters", "preferences", "steps",
    "flags", "missing", "guesses", "comments", "exclusions", "audit",
)


@pytest.fixture
def study(database: Database, tmp_path: Path, now: datetime) -> Made:
    made = make_study(database, tmp_path, now, items=4)
    rater = made.raters["R01"]
    view = open_next(database, rater, "trial", now)
    desk_task.save(
        database, rater, body=press(view, entries=entries(view, 2, comment=HOSTILE)), now=now
    )
    for name in made.raters:
        rate_all(database, made.raters[name], "trial", now)
    return made


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def export(database: Database, folder: Path, now: datetime, **more: object) -> Path:
    study_export.export_study(
        database, TERMINAL, slug="trial", folder=folder, now=now, **more,  # type: ignore[arg-type]
    )
    return folder


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl", "parquet"])
def test_the_same_data_give_the_same_bytes(
    database: Database, study: Made, tmp_path: Path, now: datetime, form: str
) -> None:
    first = export(database, tmp_path / "first", now, form=form)
    second = export(database, tmp_path / "second", now + timedelta(days=3), form=form)
    names = sorted(file.name for file in first.iterdir())
    assert names == sorted(file.name for file in second.iterdir())
    assert {"codebook.csv", "protocol.toml", "signature.txt"} <= set(names)
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_every_table_of_the_contract_is_there(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    out = export(database, tmp_path / "out", now)
    for name in TABLES:
        assert (out / f"{name}.csv").exists()


def test_a_blinded_export_names_no_system_anywhere(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    out = export(database, tmp_path / "out", now)
    for file in out.iterdir():
        content = file.read_text("utf-8-sig")
        assert "zebra" not in content, file.name
    assert {row["system"] for row in rows(out, "ratings")} == {"S1", "S2"}
    assert "model" not in rows(out, "answers")[0]


def test_names_come_only_after_the_unblinding(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    with pytest.raises(Refused):
        export(database, tmp_path / "early", now, unblinded=True)
    assert not (tmp_path / "early").exists()
    lifecycle.lock(database, TERMINAL, slug="trial", now=now)
    with pytest.raises(Refused):
        export(database, tmp_path / "early", now, unblinded=True)
    lifecycle.unblind(database, TERMINAL, slug="trial", reason="all in", now=now)
    out = export(database, tmp_path / "out", now, unblinded=True)
    assert {row["system"] for row in rows(out, "ratings")} == {"baseline", "zebra-lora"}


def test_a_formula_is_guarded_in_a_sheet_and_exact_in_jsonl(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    sheet = export(database, tmp_path / "csv", now)
    assert rows(sheet, "comments")[0]["text"] == f"'{HOSTILE}"
    lines = export(database, tmp_path / "jsonl", now, form="jsonl") / "comments.jsonl"
    assert json.loads(lines.read_text("utf-8").splitlines()[0])["text"] == HOSTILE


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@x", "\tx", "\rx"])
def test_whatever_a_spreadsheet_would_run_is_guarded(text: str) -> None:
    assert guarded(text) == f"'{text}"
    assert guarded(-1) == -1


def test_no_cell_of_a_workbook_is_a_formula() -> None:
    book = xlsx_bytes([Table("t", (Column("a", "text"),), [("=1+1",), ("@x",)])])
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_a_cell_too_long_for_a_workbook_is_refused_not_cut() -> None:
    table = Table("t", (Column("a", "text"),), [("字" * 40_000,)])
    with pytest.raises(StudyError) as refused:
        xlsx_bytes([table])
    assert refused.value.code == "export.cell_too_long"
    assert len(csv_bytes(table)) > 40_000


def test_the_newest_revision_is_exported_and_every_one_is_kept(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    rater = study.raters["R01"]
    first = rows(export(database, tmp_path / "a", now), "tasks")
    assert first
    view = open_next(database, rater, "trial", now)
    assert view["task"] is None
    done = rate_all(database, rater, "trial", now)
    assert done == []
    from cbt_core.services.desk import own_work

    task = own_work.done_tasks(database, rater, slug="trial", now=now)[0][0].task
    view = dict(desk_task.open_task(database, rater, slug="trial", token=task, now=now))
    sent = entries(view, 0, reason="重读")
    desk_task.save(database, rater, body=press(view, entries=sent), now=now)
    out = export(database, tmp_path / "b", now)
    mine = [row for row in rows(out, "ratings") if row["revision"] == "2"]
    assert [row["relevance"] for row in mine] == ["0", "0"]
    kept = [row for row in rows(out, "revisions") if row["item_id"] == mine[0]["item_id"]
            and row["rater"] == "R01"]
    assert {row["revision"] for row in kept} == {"1", "2"}
    assert len(rows(out, "ratings")) == 4 * 2 * 3


def test_the_exported_ratings_go_into_agreement_as_they_are(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    out = export(database, tmp_path / "out", now)
    file_analysis.agreement_file(out / "ratings.csv", out=tmp_path / "a.json", bootstrap=20)
    found = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert found["scales"]["relevance"]["ALL"]["n_ratings"] == 4 * 2 * 3


def test_skips_and_what_could_not_be_rated_stand_in_missing(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = make_study(database, tmp_path, now, items=3)
    rater = made.raters["R01"]
    view = open_next(database, rater, "trial", now)
    sent = entries(view)
    sent["scores"]["A"]["structure"] = "cannot_rate"
    view = desk_task.save(database, rater, body=press(view, entries=sent), now=now)["view"]  # type: ignore[assignment]
    body = {**press(view), "skip": {"reason": "not_competent", "note": "不是我的领域"}}
    desk_task.skip(database, rater, body=body, now=now)
    out = export(database, tmp_path / "out", now)
    assert sorted(row["reason"] for row in rows(out, "missing")) == [
        "cannot_rate", "skipped:not_competent",
    ]
    assert [row["text"] for row in rows(out, "comments")] == ["不是我的领域"]


def test_a_lead_exports_the_own_study_and_no_other(
    database: Database, study: Made, tmp_path: Path, now: datetime
) -> None:
    own = lead(database, study.study_id, now)
    assert study_export.export_zip(
        database, own, slug="trial", form="csv", unblinded=False, now=now
    ).startswith(b"PK")
    with pytest.raises(Refused):
        study_export.export_study(
            database, study.raters["R01"], slug="trial", folder=tmp_path / "no", now=now
        )
    assert not (tmp_path / "no").exists()
