"""The 94 bad inputs of the catalogue: the class, row and field of each is as agreed.

Left to the tests of other rooms: 61 (the exporter refuses a cell it would cut), 81 and 82 (the
same file imported again), 91 (scores), 94 (an import cut off half-way).
"""

import re
import time
from pathlib import Path

import pytest

from cbt_core.domain.study import Problem
from cbt_core.files import problems, tables
from cbt_core.files.problems import ImportProblems, describe
from cbt_core.files.screen_words import screen
from cbt_core.files.study import ReadStudy, read_study
from cbt_core.words import LANGUAGES
from tests.unit.files import cases_sets, cases_sheet, cases_text
from tests.unit.files.samples import Case, lines, record

CASES = [*cases_text.CASES, *cases_sheet.CASES, *cases_sets.CASES]
ELSEWHERE = {61, 81, 82, 91, 94}


def _name(case: Case) -> str:
    return f"{case.number}: {case.name}"


def of_class(expected: str) -> list[Case]:
    """Return the cases of a class."""
    return [case for case in CASES if case.expected == expected]


def test_every_case_of_the_catalogue_has_a_test() -> None:
    assert {case.number for case in CASES} | ELSEWHERE == set(range(1, 95))


def where(problems: tuple[Problem, ...], code: str) -> list[tuple[int, str]]:
    """Return row and field of the problems of a kind."""
    return [(problem.row, problem.field) for problem in problems if problem.code == code]


def warnings(study: ReadStudy) -> tuple[Problem, ...]:
    """Return what reading and screening warn of."""
    return study.warnings + screen(study).warnings


@pytest.mark.parametrize("case", of_class("E"), ids=_name)
def test_a_hopeless_file_is_refused_with_row_and_field(case: Case, tmp_path: Path) -> None:
    began = time.process_time()
    with pytest.raises(ImportProblems) as refusal:
        case.read(tmp_path)
    assert time.process_time() - began < 2
    assert (case.row, case.field) in where(refusal.value.problems, case.code)


@pytest.mark.parametrize("case", of_class("E"), ids=_name)
def test_each_line_of_a_refusal_has_the_agreed_form(case: Case, tmp_path: Path) -> None:
    with pytest.raises(ImportProblems) as refusal:
        case.read(tmp_path)
    for language in LANGUAGES:
        for line in refusal.value.lines(language)[: len(refusal.value.problems)][:20]:
            assert re.fullmatch(r"\w\.\w+:\d+: [^:\n]+(:[^: \n]+)?: [^\n]+", line)


@pytest.mark.parametrize("case", of_class("W"), ids=_name)
def test_a_doubtful_file_is_taken_with_a_warning(case: Case, tmp_path: Path) -> None:
    study = case.read(tmp_path)
    found = warnings(study)
    assert (case.row, case.field) in where(found, case.code)
    assert all(describe(problem, language) for problem in found for language in LANGUAGES)
    assert study.items


@pytest.mark.parametrize("case", of_class("OK"), ids=_name)
def test_a_sound_file_is_taken_in_silence(case: Case, tmp_path: Path) -> None:
    study = case.read(tmp_path)
    assert warnings(study) == ()
    assert study.items
    assert case.holds is None or case.holds(study)


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    with path.open("wb") as file:
        file.truncate(problems.FILE_BYTES + 1)
    with pytest.raises(ImportProblems) as refusal:
        read_study(study_file=path)
    assert where(refusal.value.problems, "file_too_large") == [(1, "file")]


def test_reading_stops_at_one_record_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "RECORDS", 3)
    path = tmp_path / "s.jsonl"
    path.write_bytes(lines(*(record(number) for number in range(9))))
    with pytest.raises(ImportProblems) as refusal:
        read_study(study_file=path)
    assert where(refusal.value.problems, "too_many_records") == [(4, "file")]
