"""Questions one at a time: judged as an import judges them, but never all in memory."""

import json
from pathlib import Path

import pytest

from cbt_core.files.problems import ImportProblems
from cbt_core.files.study import read_questions
from cbt_core.generation.tasks.questions import Questions


def lines(folder: Path, *records: dict[str, object]) -> Path:
    file = folder / "q.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in records), "utf-8")
    return file


def test_a_stream_gives_what_an_import_gives(tmp_path: Path) -> None:
    file = tmp_path / "q.csv"
    file.write_text("id,question,description,source\n1.0,为什么,述,own\nb,Why?,,\n", "utf-8")
    read = [(one.key, one.question, one.description, one.source) for one in Questions(file)]
    imported = read_questions(file).items
    assert read == [(one.key, one.question, one.description, one.source) for one in imported]
    assert Questions(file).check().sources == {"own": 1, "": 1}


def test_the_same_problems_are_found_as_in_an_import(tmp_path: Path) -> None:
    file = lines(tmp_path, {"id": "a", "question": "x"}, {"id": "a", "question": "y"},
                 {"id": "A", "question": "z"}, {"id": "c"}, {"id": "d", "question": "x", "risk": 9})
    with pytest.raises(ImportProblems) as expected:
        read_questions(file)
    with pytest.raises(ImportProblems) as found:
        Questions(file).check()
    assert found.value.lines() == expected.value.lines()


def test_a_repeated_record_is_asked_once_and_said(tmp_path: Path) -> None:
    record: dict[str, object] = {"id": "a", "question": "x"}
    checked = Questions(lines(tmp_path, record, record)).check()
    assert (checked.count, [one.code for one in checked.warnings]) == (1, ["record_twice"])
    assert len(list(Questions(lines(tmp_path, record, record)))) == 1


def test_the_digest_covers_ids_texts_order_and_limit(tmp_path: Path) -> None:
    one: dict[str, object] = {"id": "a", "question": "x"}
    two: dict[str, object] = {"id": "b", "question": "y"}
    digests = {
        Questions(lines(tmp_path, *records), limit=limit).check().digest
        for records, limit in (
            ((one, two), None), ((two, one), None), ((one, two), 1),
            (({**one, "description": "d"}, two), None), (({**one, "id": "c"}, two), None))
    }
    assert len(digests) == 5


def test_psyqa_is_the_source_of_records_in_its_form(tmp_path: Path) -> None:
    file = lines(tmp_path, {"questionID": 1, "question": "x"})
    assert [(one.key, one.source) for one in Questions(file)] == [("1", "PsyQA")]


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "q.json"
    file.write_text("[]", "utf-8")
    with pytest.raises(ImportProblems):
        Questions(file).check()
