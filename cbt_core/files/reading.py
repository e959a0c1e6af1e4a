"""What other rooms call: read a study, its questions, its answers; all of it or a refusal."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cbt_core.domain.study import ImportedStudy, Problem
from cbt_core.errors import StudyError
from cbt_core.files.answers import AnswerRow, answer_rows
from cbt_core.files.columns import ANSWERS, ITEMS, REFERENCES, Schema
from cbt_core.files.items import read_items
from cbt_core.files.joining import Join
from cbt_core.files.opening import Choice, Table, open_table
from cbt_core.files.problems import Findings, Place, refuse_warnings

Names = Mapping[Path, str]


@dataclass(frozen=True, slots=True)
class ReadStudy(ImportedStudy):
    """A study with where its texts stand: the items' file, and file and row of each answer.

    `places` holds item id -> system -> (file, row) for answers that have a file of their own.
    """

    file: str = ""
    places: dict[str, dict[str, tuple[str, int]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadAnswers:
    """The answers of one file, in its order."""

    rows: tuple[AnswerRow, ...]
    warnings: tuple[Problem, ...] = ()


def read_study(
    *,
    study_file: Path | None = None,
    questions: Path | None = None,
    answers: Sequence[Path] = (),
    references: Sequence[Path] = (),
    encoding: str | None = None,
    sheet: str | None = None,
    names: Names | None = None,
    labels: Collection[str] | None = None,
    strict: bool = False,
) -> ReadStudy:
    """Return the study that a set of files holds.

    `labels` are the ids of the distortion scheme, when labels are to be checked; `strict`
    turns warnings into refusals.

    Raises:
        ImportProblems: anything is wrong in any file; up to 100 problems are kept.
        StudyError: neither or both of a study file and a questions file.
    """
    items_file = study_file or questions
    if items_file is None or (study_file and questions):
        raise StudyError("importing.which_files")
    shelf = _Shelf(Choice(encoding, sheet), names or {})
    table, place = shelf.open(items_file, ITEMS)
    reader = read_items(table, place)
    join = Join(reader)
    for path in answers:
        table, place = shelf.open(path, ANSWERS)
        join.add_answers(answer_rows(table, place, labels=labels), place)
    for path in references:
        table, place = shelf.open(path, REFERENCES)
        join.add_references(answer_rows(table, place, system_required=False), place)
    join.check()
    shelf.findings.check()
    warnings = shelf.findings.warnings()
    if strict:
        refuse_warnings(warnings)
    return ReadStudy(
        items=join.items(),
        systems=join.systems(),
        warnings=warnings,
        file=reader.place.name,
        places=join.places,
    )


def read_questions(
    path: Path, *, encoding: str | None = None, sheet: str | None = None, name: str | None = None
) -> ReadStudy:
    """Return the items of a questions file (answers in it are read too).

    Raises:
        ImportProblems: anything is wrong in it.
    """
    names = {path: name} if name else {}
    return read_study(questions=path, encoding=encoding, sheet=sheet, names=names)


def read_answers(
    path: Path,
    *,
    encoding: str | None = None,
    sheet: str | None = None,
    name: str | None = None,
    references: bool = False,
) -> ReadAnswers:
    """Return the answers of one file; a references file need not name systems.

    Raises:
        ImportProblems: anything is wrong in it, or a system answers an item twice.
    """
    shelf = _Shelf(Choice(encoding, sheet), {path: name} if name else {})
    table, place = shelf.open(path, REFERENCES if references else ANSWERS)
    rows: list[AnswerRow] = []
    seen: dict[tuple[str, str], int] = {}
    for found in answer_rows(table, place, system_required=not references):
        row = seen.setdefault((found.key, found.system), found.row)
        if row != found.row and not references:
            place.refuse(found.row, "id", "answer_twice", where=row)
        rows.append(found)
    shelf.findings.check()
    return ReadAnswers(tuple(rows), shelf.findings.warnings())


class _Shelf:
    """Opens the files of one import under their shown names, with one list of findings."""

    def __init__(self, choice: Choice, names: Names) -> None:
        self.findings = Findings()
        self._choice = choice
        self._names = names

    def open(self, path: Path, schema: Schema) -> tuple[Table, Place]:
        place = Place(self._names.get(path, str(path)), self.findings)
        return open_table(path, place, schema, self._choice), place
