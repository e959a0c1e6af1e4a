"""A study read from its files, its questions, its answers: all of it or a refusal.

An answers or references file has one row per answer; answers and references are joined to the items
they belong to, and the set is checked as a whole.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cbt_core.domain.study import ImportedAnswer, ImportedItem, ImportedStudy, Problem
from cbt_core.errors import StudyError
from cbt_core.files.fields import BARS, Keys, Naming, Values, judge_systems
from cbt_core.files.items import ItemReader, read_items
from cbt_core.files.problems import (
    SYSTEM_CHARACTERS,
    SYSTEMS,
    Findings,
    Place,
    refuse_warnings,
    shown,
)
from cbt_core.files.tables import ANSWERS, ITEMS, REFERENCES, Choice, Schema, Table, open_table


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer of a file: to which item, by which system ('' in a references file), where."""

    key: str
    system: str
    answer: ImportedAnswer
    row: int


def answer_rows(
    table: Table,
    place: Place,
    *,
    system_required: bool = True,
    labels: Collection[str] | None = None,
) -> Iterator[AnswerRow]:
    """Yield the answers of an opened file; problems are noted and their rows left out.

    `labels` are the ids of the distortion scheme, when the labels are to be checked.
    """
    values = Values(place, sheet=table.sheet)
    keys = Keys()
    for row, record in table.records:
        values.at(row, record)
        if not table.sheet:
            keys.same_kind(record.get("id"), row, place)
        key = values.key()
        system = _system(values, required=system_required)
        answer = ImportedAnswer(
            text=values.text("answer", required=True),
            distortions=_distortions(values, labels),
            model=values.name("model"),
            adapter=values.name("adapter"),
            prompt=values.text("prompt"),
            run=values.name("run"),
        )
        if values.sound:
            yield AnswerRow(key, system, answer, row)


def _system(values: Values, *, required: bool) -> str:
    name = values.name("system")
    if not name.strip() or len(name) > SYSTEM_CHARACTERS:
        if required:
            values.refuse("system", "system_name", limit=SYSTEM_CHARACTERS)
        return ""
    if not name.isprintable():
        values.refuse("system", "system_control", value=shown(name))
    return name


def _distortions(values: Values, labels: Collection[str] | None) -> tuple[str, ...]:
    distortions = values.names("distortions", BARS)
    if len(set(distortions)) < len(distortions):
        values.refuse("distortions", "label_twice")
    for label in distortions:
        if labels is not None and label not in labels:
            values.refuse("distortions", "label_unknown", value=shown(label))
    return distortions


FIRST_ITEMS: int = 10
"""How many items without all systems are named."""


class Join:
    """The items of a study while answers and references are added to them."""

    def __init__(self, reader: ItemReader) -> None:
        """Start with the items, and the answers their own file has."""
        self.places: dict[str, dict[str, tuple[str, int]]] = {}
        self._reader = reader
        self._items = reader.items
        self._place = reader.place
        self._met = {name: (reader.place, row) for name, row in reader.system_rows.items()}
        self._references: dict[str, list[str]] = {}

    def items(self) -> tuple[ImportedItem, ...]:
        """Return the items in file order."""
        return tuple(
            replace(item, references=item.references + tuple(self._references[item.key]))
            if item.key in self._references
            else item
            for item in self._items.values()
        )

    def systems(self) -> tuple[str, ...]:
        """Return the systems in order of first sight."""
        return tuple(self._met)

    def add_answers(self, rows: Iterable[AnswerRow], place: Place) -> None:
        """Give each answer to its item; an unknown item or a second answer is noted."""
        for answer_row in rows:
            item = self._item(answer_row, place)
            if answer_row.system not in self._met:
                self._meet(answer_row.system, answer_row.row, place)
            if item is None:
                continue
            if answer_row.system in item.answers:
                self._refuse_second(answer_row, item, place)
                continue
            item.answers[answer_row.system] = answer_row.answer
            self.places.setdefault(item.key, {})[answer_row.system] = (place.name, answer_row.row)

    def add_references(self, rows: Iterable[AnswerRow], place: Place) -> None:
        """Give each reference to its item."""
        for answer_row in rows:
            item = self._item(answer_row, place)
            if item is not None:
                self._references.setdefault(item.key, []).append(answer_row.answer.text)

    def check(self) -> None:
        """Refuse names that differ in spelling only, ids that tell a system, unequal sets."""
        judge_systems(self._met)
        if not self._place.findings.failed():
            self._judge_sets()
        self._judge_keys()

    def _refuse_second(self, second: AnswerRow, item: ImportedItem, place: Place) -> None:
        """Say where the first answer stands: an item's own file may have brought it."""
        file, row = self.places.get(item.key, {}).get(second.system, (self._place.name, item.row))
        if file == place.name:
            place.refuse(second.row, "system", "answer_twice", where=row)
        else:
            place.refuse(second.row, "system", "answer_elsewhere", file=file, where=row)

    def _meet(self, system: str, row: int, place: Place) -> None:
        self._met[system] = (place, row)
        if len(self._met) > SYSTEMS:
            raise place.stop(row, "system", "too_many_systems", limit=SYSTEMS)

    def _item(self, answer_row: AnswerRow, place: Place) -> ImportedItem | None:
        item = self._items.get(answer_row.key)
        if item is None:
            like = self._reader.keys.like(answer_row.key)
            value = shown(answer_row.key)
            if like is None:
                place.refuse(answer_row.row, "id", "item_unknown", value=value)
            else:
                place.refuse(answer_row.row, "id", "item_like", value=value, other=shown(like))
        return item

    def _judge_keys(self) -> None:
        """Refuse ids that hold a system's name: the rater may see ids, never systems."""
        naming = Naming(self._met)
        for key, row in self._reader.keys.rows.items():
            if naming.named_in(key):
                self._place.refuse(row, "id", "key_names_system", value=shown(key))

    def _judge_sets(self) -> None:
        """Refuse when some items lack an answer: counts per system, first items by name."""
        lacking = [item for item in self._items.values() if len(item.answers) < len(self._met)]
        if not lacking:
            return
        total = len(self._items)
        counts = dict.fromkeys(self._met, 0)
        for item in self._items.values():
            for system in item.answers:
                counts[system] += 1
        shares = ", ".join(f"{shown(name)} {count}/{total}" for name, count in counts.items())
        first = ", ".join(shown(item.key) for item in lacking[:FIRST_ITEMS])
        self._place.refuse(
            lacking[0].row, "answers", "systems_unequal", counts=shares, items=first, n=len(lacking)
        )


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
        raise StudyError("files.which_files")
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
    for answer_row in answer_rows(table, place, system_required=not references):
        row = seen.setdefault((answer_row.key, answer_row.system), answer_row.row)
        if row != answer_row.row and not references:
            place.refuse(answer_row.row, "id", "answer_twice", where=row)
        rows.append(answer_row)
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
