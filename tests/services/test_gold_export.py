"""Gold in the export: which rule made it, and every decision with its reason."""

import csv
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cbt_core.analysis.gold import majority_spans
from cbt_core.domain.labels import SpanMark
from cbt_core.domain.people import TERMINAL
from cbt_core.domain.submission import Work
from cbt_core.files.gold import MachineFile, read_gold
from cbt_core.files.problems import ImportProblems
from cbt_core.services.desk import desk_task
from cbt_core.services.export import study_export
from cbt_core.services.labels import adjudication, machine_proposals
from cbt_core.services.labels.machine_proposals import Proposed
from cbt_core.services.studies import creation, lifecycle
from cbt_core.services.studies.creation import StudyFiles
from db.engine import Database
from tests.label_study import (
    DESCRIPTION,
    QUESTION,
    LabelStudy,
    make_label_study,
    open_next,
    press,
    span,
)
from tests.making import lead

READING, TELLING, BLAME = "mind-reading", "fortune-telling", "self-blame"
DULL, NEVER = "他们一定觉得我很无趣", "以后也不会再叫我了"
PLACE = {"field": "description", "start": DESCRIPTION.index(NEVER),
         "end": DESCRIPTION.index(NEVER) + len(NEVER), "label": TELLING}


@pytest.fixture
def study(database: Database, tmp_path: Path, now: datetime) -> LabelStudy:
    """Two annotators who agree on every item in half of what they mark."""
    made = make_label_study(database, tmp_path, now, mode="blind", items=2,
                            annotators=("N01", "N02"))
    for code, words in (("N01", DULL), ("N02", DULL[2:])):
        for _ in range(2):
            view = open_next(database, made.annotators[code], made.slug, now)
            entries = {"spans": [span(view, words, READING)],
                       "labels": [BLAME] if code == "N01" else []}
            desk_task.save(
                database, made.annotators[code], body=press(view, **entries),
                work=Work.LABEL, now=now)
    return made


def decide(database: Database, study: LabelStudy, now: datetime, **entries: Any) -> None:
    judge = lead(database, study.study_id, now)
    case = adjudication.open_case(database, judge, slug=study.slug, item="Q001", now=now)
    adjudication.decide(database, judge, slug=study.slug, now=now, body={
        "item": "Q001", "token": f"t{len(case.decisions)}", "seen": case.seen,
        "base_revision": len(case.decisions), "entries": {"reason": "=1+1 证据充分", **entries},
    })


def export(database: Database, folder: Path, now: datetime) -> dict[str, list[dict[str, str]]]:
    study_export.export_study(database, TERMINAL, slug="labels", folder=folder, now=now)
    found = {}
    for file in folder.glob("*.csv"):
        with file.open(encoding="utf-8-sig", newline="") as lines:
            found[file.stem] = list(csv.DictReader(lines))
    return found


def test_gold_names_its_rule_and_what_was_tied(
    database: Database, study: LabelStudy, tmp_path: Path, now: datetime
) -> None:
    decide(database, study, now, spans=[PLACE])
    rows = export(database, tmp_path / "out", now)["gold"]
    told = [(r["item_id"], r["gold"], r["rule"][:11], r["annotators"], r["tied"], r["revision"])
            for r in rows]
    assert told == [("Q001", TELLING, "adjudicated", "2", "", "1"),
                    ("Q002", READING, "majority", "2", BLAME, "")]


def test_an_undecided_item_is_no_item_without_a_distortion(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    made = make_label_study(database, tmp_path, now, mode="blind", items=2,
                            annotators=("N01", "N02"))
    given = {"N01": ([BLAME], [BLAME]), "N02": ([READING], [])}
    for code, sets in given.items():
        for _ in sets:
            view = open_next(database, made.annotators[code], made.slug, now)
            question = view["task"]["question"]
            labels = sets[int("".join(one for one in question if one.isdigit())) - 1]
            entry: dict[str, Any] = {"labels": labels} if labels else {"verdict": "none"}
            desk_task.save(
                database, made.annotators[code], body=press(view, **entry),
                work=Work.LABEL, now=now)
    rows = export(database, tmp_path / "out", now)["gold"]
    assert [(r["item_id"], r["gold"], r["rule"], r["any"]) for r in rows] == [
        ("Q001", "<unsure>", "undecided", "1"), ("Q002", "<unsure>", "undecided", "")]


def test_exported_gold_is_judged_against_the_exported_proposals(
    database: Database, study: LabelStudy, tmp_path: Path, now: datetime
) -> None:
    machine_proposals.propose(database, TERMINAL, slug="labels", source="b", empty=["Q002"],
    now=now,
                      proposals=[Proposed("Q001", READING)])
    machine_proposals.propose(database, TERMINAL, slug="labels", source="a", empty=["Q001"],
    now=now,
                      proposals=[])
    out = tmp_path / "out"
    export(database, out, now)
    machine = MachineFile(out / "proposals.csv", "M2")
    (first, second) = read_gold(out / "gold.csv", machine=machine).rows
    assert (first.gold, first.model, second.model) == ({READING}, {READING}, frozenset())
    again = read_gold(out / "gold.csv", machine=MachineFile(out / "machine_runs.csv", "M1"))
    assert [row.model for row in again.rows] == [frozenset()]
    assert again.flow["gold_without_model"] == 1
    with pytest.raises(ImportProblems) as refused:
        read_gold(out / "gold.csv", machine=MachineFile(out / "proposals.csv"))
    assert "the file holds 2 machines: M1, M2; name one with --machine" in str(refused.value)


def test_the_signature_of_a_label_study_names_its_labels(
    database: Database, study: LabelStudy, tmp_path: Path, now: datetime
) -> None:
    def signed(name: str) -> str:
        done = study_export.export_study(
            database, TERMINAL, slug="labels", folder=tmp_path / name, now=now)
        return done.signature

    first = signed("one")
    assert "|set:first,last|items:2|annotators:2|scheme:burns-12@" in first
    lifecycle.withdraw_item(
        database, TERMINAL, slug="labels", key="Q001", reason="a name", now=now)
    assert signed("two").split("|")[1] != first.split("|")[1]


def test_gold_spans_cut_exactly_the_words(
    database: Database, study: LabelStudy, tmp_path: Path, now: datetime
) -> None:
    decide(database, study, now, spans=[PLACE])
    tables = export(database, tmp_path / "out", now)
    texts = {row["item_id"]: row["text"] for row in tables["documents"]}
    cut = [(row["label"], texts[row["item_id"]][int(row["start"]):int(row["end"])])
           for row in tables["gold_spans"]]
    assert cut == [(TELLING, NEVER), (READING, DULL[2:])]
    assert [row["quote"] for row in tables["gold_spans"]] == [NEVER, DULL[2:]]


def test_every_revision_of_a_decision_is_there_with_its_reason(
    database: Database, study: LabelStudy, tmp_path: Path, now: datetime
) -> None:
    decide(database, study, now, labels=[READING])
    decide(database, study, now, verdict="none", reason="再读一遍")
    rows = export(database, tmp_path / "out", now)["adjudications"]
    assert [(r["revision"], r["outcome"], r["labels"], r["last"]) for r in rows] == [
        ("1", "labelled", READING, "0"), ("2", "none", "", "1")]
    assert [row["reason"] for row in rows] == ["'=1+1 证据充分", "再读一遍"]


def test_raw_tables_stay_as_they_were_and_exports_are_alike_byte_by_byte(
    database: Database, study: LabelStudy, tmp_path: Path, now: datetime
) -> None:
    export(database, tmp_path / "before", now)
    decide(database, study, now, spans=[PLACE])
    export(database, tmp_path / "one", now)
    export(database, tmp_path / "two", now)
    for name in ("labels", "spans", "label_revisions", "documents"):
        before, after = (tmp_path / f / f"{name}.csv" for f in ("before", "one"))
        assert before.read_bytes() == after.read_bytes()
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_codebook_and_signature_name_the_rule(
    database: Database, study: LabelStudy, tmp_path: Path, now: datetime
) -> None:
    rows = export(database, tmp_path / "out", now)["codebook"]
    told = next(r for r in rows if (r["table"], r["column"]) == ("gold", "rule"))
    assert "more than half of the annotators" in "".join(told.values())
    assert "\ngold:adjudicated,last|blind-majority>1/2" in (
        tmp_path / "out" / "signature.txt").read_text("utf-8")


def test_majority_spans_are_the_characters_more_than_half_marked() -> None:
    def one(start: int, end: int, label: str = READING) -> SpanMark:
        return SpanMark("question", start, end, label, "", "own")

    votes = [[one(0, 6)], [one(4, 9)], [one(5, 8), one(0, 2, BLAME)]]
    assert majority_spans(votes) == [("question", 4, 8, READING)]


def test_where_a_machine_found_nothing_is_told_from_where_it_was_not_run(
    database: Database, study: LabelStudy, tmp_path: Path, now: datetime
) -> None:
    machine_proposals.propose(database, TERMINAL, slug="labels", source="m", empty=["Q002"],
    now=now,
                      proposals=[])
    rows = export(database, tmp_path / "out", now)["machine_runs"]
    assert [(row["item_id"], row["found"]) for row in rows] == [("Q002", "0")]
    assert "source" not in rows[0]


ANSWERS = """id,system,answer,distortions
a,tuned,好的,读心术|mind-reading
b,tuned,好的,
c,tuned,好的,读心术|宿命论
"""


def test_distortions_of_an_answers_file_become_proposals(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    (tmp_path / "q.csv").write_text(
        f"id,question\na,{QUESTION}\nb,今天天气不错呀\nc,大家都看不起我吧\n", "utf-8")
    (tmp_path / "a.csv").write_text(ANSWERS, "utf-8")
    (tmp_path / "p.toml").write_text('[design]\npanel = "single"\n', "utf-8")
    made = creation.create_study(
        database, TERMINAL, slug="labels", title="T", now=now, protocol=tmp_path / "p.toml",
        files=StudyFiles(questions=tmp_path / "q.csv", answers=[tmp_path / "a.csv"]))
    unknown = [one for one in made.warnings if one.code == "annotation.import_unknown_label"]
    assert [(Path(one.file).name, one.row, one.values["value"]) for one in unknown] == [
        ("a.csv", 4, "宿命论")]
    tables = export(database, tmp_path / "out", now)
    assert [(r["item_id"], r["label"]) for r in tables["proposals"]] == [
        ("a", READING), ("c", READING)]
    assert [(r["item_id"], r["found"]) for r in tables["machine_runs"]] == [
        ("a", "1"), ("b", "0"), ("c", "1")]
    assert not any("tuned" in file.read_text("utf-8") for file in (tmp_path / "out").iterdir())
