"""How likely an item was to be drawn goes with it: from the draw to figures, report and export."""

import csv
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from cbt_core.domain.people import TERMINAL
from cbt_core.errors import StudyError
from cbt_core.files.problems import ImportProblems
from cbt_core.files.sample import sample
from cbt_core.report.checklists import checklists
from cbt_core.services.desk import desk_task
from cbt_core.services.export import study_export
from cbt_core.services.report.study_report import Wish, gather
from cbt_core.services.results import study_results
from cbt_core.services.results.study_results import label_results
from cbt_core.services.studies import creation, lifecycle
from cbt_core.services.studies.creation import StudyFiles
from db import items
from db.engine import Database
from db.tables.studies import item
from tests import making
from tests.label_figures import worked_study

NAME = "inclusion_probability"


def draw(database: Database, study_id: int, chances: Mapping[str, float | None]) -> None:
    """Say with which probability the items of a study were drawn."""
    with database.writing() as connection:
        for key, chance in chances.items():
            connection.execute(
                update(item).where(item.c.study_id == study_id, item.c.key == key)
                .values(inclusion_probability=chance)
            )


def create(database: Database, file: Path, now: datetime, slug: str = "drawn") -> int:
    return creation.create_study(
        database, TERMINAL, slug=slug, title="T", files=StudyFiles(study_file=file), now=now
    ).study_id


def with_chances(folder: Path, *chances: object) -> Path:
    """Write a study file whose items have these probabilities; None leaves the field out."""
    file = making.study_file(folder, items=len(chances))
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    for row, chance in zip(rows, chances, strict=True):
        if chance is not None:
            row[NAME] = chance
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return file


def exported(database: Database, slug: str, folder: Path, now: datetime) -> Any:
    study_export.export_study(database, TERMINAL, slug=slug, folder=folder, now=now)

    def rows(name: str) -> list[dict[str, str]]:
        with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as lines:
            return list(csv.DictReader(lines))

    return rows


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_what_was_drawn_is_stored_with_its_probability(
    database: Database, tmp_path: Path, now: datetime, suffix: str
) -> None:
    frame, out = making.study_file(tmp_path, items=20), tmp_path / f"drawn{suffix}"
    sample(frame, size=6, strata=[], seed=5, out=out)
    study_id = create(database, out, now)
    with database.reading() as connection:
        assert list(items.chances(connection, study_id).values()) == [0.3] * 6


def test_a_draw_from_a_draw_multiplies_the_probabilities(tmp_path: Path) -> None:
    first = with_chances(tmp_path, 0.5, 0.2, None, 0.5)
    out = tmp_path / "second.jsonl"
    sample(first, size=4, strata=[], seed=1, out=out)
    told = [json.loads(line)[NAME] for line in out.read_text("utf-8").splitlines()]
    assert told == [0.5, 0.2, "", 0.5]
    sample(first, size=2, strata=[], seed=1, out=tmp_path / "third.jsonl")
    told = [json.loads(one)[NAME] for one in
            (tmp_path / "third.jsonl").read_text("utf-8").splitlines()]
    assert set(told) <= {0.25, 0.1, ""}


@pytest.mark.parametrize(
    "given", [0, 1.5, -0.1, "1/3", "０.5", True, [0.5], "1e-999", "50%"]
)
def test_what_is_no_probability_is_refused_with_its_row(
    database: Database, tmp_path: Path, now: datetime, given: object
) -> None:
    file = with_chances(tmp_path, 0.5, given)
    with pytest.raises(ImportProblems) as refused:
        create(database, file, now)
    assert any(
        f"{file}:2: {NAME}:" in line for line in str(refused.value).splitlines()
    ), str(refused.value)


@pytest.mark.parametrize(
    ("given", "stored"),
    [(1, 1.0), ("0.25", 0.25), (" 0.25 ", 0.25), (1e-9, 1e-9), ("", None), (None, None)],
)
def test_a_probability_may_be_a_number_or_a_text(
    database: Database, tmp_path: Path, now: datetime, given: object, stored: float | None
) -> None:
    study_id = create(database, with_chances(tmp_path, given), now)
    with database.reading() as connection:
        assert items.chances(connection, study_id).get("Q001") == stored


def test_a_workbook_holds_probabilities_as_numbers(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["id", "question", NAME])
    sheet.append(["Q1", "我很担心", 0.125])
    file = tmp_path / "items.xlsx"
    book.save(file)
    study_id = create(database, file, now)
    with database.reading() as connection:
        assert items.chances(connection, study_id) == {"Q1": 0.125}


def test_other_probabilities_are_other_data(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    create(database, with_chances(tmp_path, 0.5), now)
    create(database, with_chances(tmp_path, 0.5), now)  # the same again changes nothing
    with pytest.raises(StudyError, match="drawn"):
        create(database, with_chances(tmp_path, 0.25), now)


@pytest.mark.parametrize("chance", [0.0, 1.0001, -1.0])
def test_the_database_itself_refuses_what_is_no_probability(
    database: Database, tmp_path: Path, now: datetime, chance: float
) -> None:
    study_id = create(database, with_chances(tmp_path, 0.5), now)
    with pytest.raises(IntegrityError):
        draw(database, study_id, {"Q001": chance})
    with database.reading() as connection:
        assert connection.execute(select(item.c.inclusion_probability)).scalars().all() == [0.5]


def test_items_and_gold_are_exported_with_it_and_the_codebook_says_what_it_is(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = worked_study(database, tmp_path, now)
    draw(database, study.study_id, {"Q001": 0.25})
    rows = exported(database, study.slug, tmp_path / "out", now)
    for table in ("items", "gold"):
        told = {row["item_id"]: row[NAME] for row in rows(table)}
        assert (told["Q001"], told["Q002"]) == ("0.25", "")
        (line,) = [row for row in rows("codebook")
                   if (row["table"], row["column"]) == (table, NAME)]
        assert "probability" in line["en"]
        assert "概率" in line["zh"]


def test_a_rater_is_never_told_how_an_item_was_drawn(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = making.make_study(database, tmp_path, now)
    draw(database, study.study_id, {f"Q{number:03d}": 0.0625 for number in range(1, 9)})
    view = desk_task.open_task(
        database, study.raters["R01"], slug=study.slug, token=None, now=now
    )
    told = json.dumps(view, ensure_ascii=False)
    assert NAME not in told
    assert "0.0625" not in told


def test_a_machine_is_judged_with_weights_where_the_chances_were_unequal(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    study = worked_study(database, tmp_path, now)
    lifecycle.lock(database, TERMINAL, slug=study.slug, now=now)

    def judged() -> Any:
        found = label_results(database, TERMINAL, slug=study.slug, now=now, bootstrap=0)
        return found.detected[0].found.json()

    assert "binary_weighted" not in judged()
    draw(
        database,
        study.study_id,
        {"Q001": 1.0, "Q002": 0.25, "Q003": 0.5, "Q004": 1.0, "Q005": 0.5, "Q006": 0.25},
    )
    found = judged()
    # any distortion: Q1 tp, Q2 fn, Q3 fp, Q4 tp, Q5 fp, Q6 fn, each counted 1 / its chance
    assert found["binary"]["precision"] == pytest.approx(2 / 4)
    assert found["binary_weighted"]["precision"] == pytest.approx((1 + 1) / (1 + 1 + 2 + 2))
    assert found["binary_weighted"]["recall"] == pytest.approx((1 + 1) / (1 + 1 + 4 + 4))
    assert "unequal chances" in found["note"]


@pytest.mark.parametrize(
    ("chances", "told"),
    [
        ([], "not stored: if `study sample` drew them"),
        ([0.25] * 4, "drawn with equal known inclusion probabilities (0.25)"),
        ([0.1, 0.1, 0.5, 0.5], "unequal known inclusion probabilities (0.1 to 0.5)"),
        ([0.1, 0.5], "known for 2 of them only"),
    ],
)
def test_the_checklists_tell_how_items_were_drawn_as_far_as_it_is_known(
    database: Database, tmp_path: Path, now: datetime, chances: list[float], told: str
) -> None:
    study = making.make_study(database, tmp_path, now, items=4)
    making.rate_all(database, study.raters["R01"], study.slug, now)
    draw(
        database,
        study.study_id,
        {f"Q{number:03d}": chance for number, chance in enumerate(chances, start=1)},
    )
    analysis = study_results.analyse(database, TERMINAL, slug="trial", now=now, bootstrap=0)
    context = gather(
        database, TERMINAL, slug="trial", plan=analysis.registered, wish=Wish(), now=now
    )
    found: Any = checklists(analysis, context)
    for name, place in (("heds", "3.1.2"), ("grras", "7")):
        (one,) = [entry for entry in found[name]["items"] if entry["id"] == place]
        assert one["state"] == "authors"  # from how many they were drawn is not known
        assert told in one["reason"]["en"]
