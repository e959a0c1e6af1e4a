"""What reading gives back: items in file order, answers with their place, references."""

from pathlib import Path

import pytest

from cbt_core.domain.study import Risk
from cbt_core.errors import StudyError
from cbt_core.files.problems import ImportProblems
from cbt_core.files.study import read_answers, read_questions, read_study
from tests.unit.files.samples import answers, lines, questions, record, table


def put(folder: Path, name: str, content: bytes) -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(content)
    return path


def test_answers_join_their_questions_and_keep_their_place(tmp_path: Path) -> None:
    asked = put(tmp_path, "q.jsonl", questions("n2", "n1"))
    first = put(tmp_path, "a.jsonl", answers(("n1", "red"), ("n2", "red")))
    second = put(tmp_path, "b.jsonl", answers(("n2", "blue"), ("n1", "blue")))
    study = read_study(questions=asked, answers=[first, second], names={second: "b"})
    assert [item.key for item in study.items] == ["n2", "n1"]
    assert study.systems == ("red", "blue")
    assert study.places["n1"] == {"red": (str(first), 1), "blue": ("b", 2)}


def test_several_rows_of_a_references_file_are_several_references(tmp_path: Path) -> None:
    asked = put(tmp_path, "q.jsonl", questions("n1"))
    rows = ({"id": "n1", "answer": text} for text in ("甲", "乙"))
    given = put(tmp_path, "r.jsonl", lines(*rows))
    assert read_study(questions=asked, references=[given]).items[0].references == ("甲", "乙")


def test_an_answer_keeps_what_made_it(tmp_path: Path) -> None:
    row = "n1,red,慢慢来,mind-reading|labeling,base-7b,lora-1,cbt,3"
    header = "id,system,answer,distortions,model,adapter,prompt,run"
    given = put(tmp_path, "a.csv", table(row, header=header)["s.csv"])
    (found,) = read_answers(given).rows
    assert found.answer.distortions == ("mind-reading", "labeling")
    assert (found.answer.model, found.answer.adapter) == ("base-7b", "lora-1")
    assert (found.answer.prompt, found.answer.run, found.row) == ("cbt", "3", 2)


def test_a_risk_is_taken_as_given_and_else_left_open(tmp_path: Path) -> None:
    content = lines(record(1, risk="high"), record(2, risk=""), record(3))
    found = read_study(study_file=put(tmp_path, "s.jsonl", content))
    assert [item.risk for item in found.items] == [Risk.HIGH, None, None]


def test_an_unknown_risk_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "s.jsonl", lines(record(1, risk="High")))
    with pytest.raises(ImportProblems, match="1: risk: High is not a risk"):
        read_study(study_file=path)


def test_problems_of_all_files_are_told_together(tmp_path: Path) -> None:
    asked = put(tmp_path, "q.csv", b"id,question\nn1,a\nn2,\n")
    given = put(tmp_path, "a.csv", b"id,system\nn1,red\n")
    with pytest.raises(ImportProblems) as refusal:
        read_study(questions=asked, answers=[given], names={asked: "q.csv", given: "a.csv"})
    assert refusal.value.lines() == [
        "q.csv:3: question: empty, or nothing in it can be seen; fill it in",
        "a.csv:1: answer: there is no column answer (found: id, system); "
        "name the columns as the manual does",
    ]


def test_a_system_that_answers_twice_in_one_file_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", answers(("n1", "red"), ("n1", "red")))
    with pytest.raises(ImportProblems, match="answered this item in row 1"):
        read_answers(path)


def test_questions_may_come_alone(tmp_path: Path) -> None:
    study = read_questions(put(tmp_path, "q.jsonl", questions("n1", "n2")))
    assert (len(study.items), study.systems) == (2, ())


def test_one_file_of_items_is_needed_and_no_more(tmp_path: Path) -> None:
    path = put(tmp_path, "q.jsonl", questions("n1"))
    for files in ({}, {"study_file": path, "questions": path}):
        with pytest.raises(StudyError, match="either a study file or a questions file"):
            read_study(**files)


def test_strict_refuses_what_is_only_doubtful(tmp_path: Path) -> None:
    path = put(tmp_path, "s.jsonl", lines(record(1, colour="red")))
    assert read_study(study_file=path).warnings
    with pytest.raises(ImportProblems, match="colour"):
        read_study(study_file=path, strict=True)


@pytest.mark.parametrize("name", ["nowhere.csv", "."])
def test_a_file_that_is_not_there_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with pytest.raises(ImportProblems) as refusal:
        read_study(study_file=path, names={path: name})
    assert refusal.value.lines() == [f"{name}:1: file: there is no such file; check the path"]


def test_a_named_encoding_is_used(tmp_path: Path) -> None:
    content = "id,question\nn1,最近總是睡不著怎麼辦\n".encode("big5")
    path = put(tmp_path, "s.csv", content)
    assert read_study(study_file=path, encoding="big5").items[0].question == "最近總是睡不著怎麼辦"
