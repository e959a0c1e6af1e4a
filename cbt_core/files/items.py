"""Items of a questions file, a study file or a PsyQA file.

The answers inside a PsyQA record are kept as references, their strategy spans checked.
"""

from dataclasses import replace
from typing import Final

from cbt_core.domain.study import ImportedAnswer, ImportedItem
from cbt_core.files.fields import Keys, Values, chance
from cbt_core.files.json_records import kind_of
from cbt_core.files.problems import SYSTEM_CHARACTERS, SYSTEMS, WHOLE_FILE, Place, shown
from cbt_core.files.tables import SYSTEM_PREFIX, Table
from cbt_core.files.xlsx import Number


def references(values: Values, answers: list[object]) -> tuple[str, ...]:
    """Return the texts of the answers of a PsyQA record; what is wrong is noted."""
    texts: list[str] = []
    for number, answer in enumerate(answers, start=1):
        field = f"answers[{number}]"
        if not isinstance(answer, dict):
            values.refuse(field, "json_not_an_object", kind=kind_of(answer))
            continue
        text = values.text_of(answer.get("answer_text"), f"{field}.answer_text", required=True)
        texts.append(text)
        if not isinstance(answer.get("has_label", False), bool):
            values.refuse(f"{field}.has_label", "not_true_or_false")
        _judge_spans(values, f"{field}.labels_sequence", answer.get("labels_sequence"), len(text))
    return tuple(texts)


def _judge_spans(values: Values, field: str, spans: object, length: int) -> None:
    if spans is None:
        return
    if not isinstance(spans, list):
        values.refuse(field, "spans_not_a_list", kind=kind_of(spans))
        return
    end = 0
    for number, span in enumerate(spans, start=1):
        place = _ends(span)
        if place is None or not 0 <= place[0] <= place[1] <= length:
            values.refuse(f"{field}[{number}]", "span_outside", length=length)
            return
        if place[0] < end:
            values.refuse(f"{field}[{number}]", "span_overlap")
            return
        end = place[1]


def _ends(span: object) -> tuple[int, int] | None:
    """Return (start, end) in characters, end exclusive; None when they are not two numbers."""
    if not isinstance(span, dict):
        return None
    start, end = span.get("start"), span.get("end")
    if type(start) is int and type(end) is int:
        return start, end
    return None


PSYQA: str = "PsyQA"
PSYQA_ID: Final = "questionID"
"""The id of a PsyQA record: a file that has it holds PsyQA's questions, with answers or without."""

CHANCE: str = "inclusion_probability"


class ItemReader:
    """Reads the items of one file; `systems` and `system_rows` tell which were met, and where."""

    def __init__(self, table: Table, place: Place) -> None:
        """Start at the first record."""
        self.place = place
        self.items: dict[str, ImportedItem] = {}
        self.keys = Keys()
        self.system_rows: dict[str, int] = {}
        self._table = table
        self._columns = [name for name in table.fields if name.startswith(SYSTEM_PREFIX)]
        self._questions: dict[str, int] = {}

    def read(self) -> None:
        """Read every record; problems are noted."""
        values = Values(self.place, sheet=self._table.sheet)
        for column in self._columns:
            self._meet(column[len(SYSTEM_PREFIX) :], 1)
        for row, record in self._table.records:
            values.at(row, record)
            item = self._item(values, record)
            if item.key:
                self._add(item, values)

    def _item(self, values: Values, record: dict[str, object]) -> ImportedItem:
        key = values.key()
        if not self._table.sheet:
            self.keys.same_kind(record.get("id"), values.row, self.place)
        answers, texts = self._answers(values, record)
        return ImportedItem(
            key=key,
            question=values.text("question", required=True),
            description=values.text("description"),
            keywords=values.names("keywords"),
            source=values.name("source") or (PSYQA if self._is_psyqa(texts) else ""),
            licence=values.name("licence"),
            risk=values.risk(),
            answers=answers,
            references=texts or (),
            row=values.row,
            inclusion_probability=_chance(values),
        )

    def _is_psyqa(self, references: tuple[str, ...] | None) -> bool:
        """Tell whether a record is in PsyQA's form, whatever kind of file holds it."""
        return references is not None or PSYQA_ID in self._table.aliased

    def _answers(
        self, values: Values, record: dict[str, object]
    ) -> tuple[dict[str, ImportedAnswer], tuple[str, ...] | None]:
        """Return answers by system, and references (None unless the record is PsyQA's)."""
        if self._table.sheet:
            return {
                name[len(SYSTEM_PREFIX) :]: self._answer(values, record[name], name)
                for name in self._columns
            }, None
        given = record.get("answers")
        if given is None:
            return {}, None
        if isinstance(given, list):
            return {}, references(values, given)
        if isinstance(given, dict):
            return self._by_system(values, given), None
        values.refuse("answers", "answers_kind", kind=kind_of(given))
        return {}, None

    def _by_system(self, values: Values, given: dict[str, object]) -> dict[str, ImportedAnswer]:
        for system in given:
            self._meet(system, values.row)
        return {
            system: self._answer(values, text, SYSTEM_PREFIX + shown(system))
            for system, text in given.items()
        }

    def _answer(self, values: Values, value: object, field: str) -> ImportedAnswer:
        return ImportedAnswer(values.text_of(value, field, required=True))

    def _meet(self, system: str, row: int) -> None:
        if system in self.system_rows:
            return
        self.system_rows[system] = row
        if not system.strip() or len(system) > SYSTEM_CHARACTERS:
            self.place.refuse(row, "system", "system_name", limit=SYSTEM_CHARACTERS)
        elif not system.isprintable():
            self.place.refuse(row, "system", "system_control", value=shown(system))
        if len(self.system_rows) > SYSTEMS:
            raise self.place.stop(row, "system", "too_many_systems", limit=SYSTEMS)

    def _add(self, item: ImportedItem, values: Values) -> None:
        if self.keys.add(item.key, item.row, self.place):
            self.items[item.key] = item
            self._meet_question(item)
            return
        first = self.items[item.key]
        details: dict[str, object] = {"value": shown(item.key), "where": first.row}
        if not values.sound or replace(item, row=first.row) != first:
            self.place.refuse(item.row, "id", "key_twice", **details)
        else:
            self.place.warn(item.row, "id", "record_twice", **details)

    def _meet_question(self, item: ImportedItem) -> None:
        """Warn when two items ask the same (hash only: the texts are in memory already)."""
        asked = f"{hash(item.question)}/{hash(item.description)}"
        row = self._questions.setdefault(asked, item.row)
        if row != item.row:
            self.place.warn(item.row, "question", "question_twice", where=row)


def _chance(values: Values) -> float | None:
    """Return the probability with which the record was drawn; None when it tells none."""
    value = values.get(CHANCE)
    if isinstance(value, Number):
        written = value.digits
    elif isinstance(value, int | float) and not isinstance(value, bool):
        written = str(value)
    else:
        written = values.text(CHANCE).strip()
    probability = chance(written)
    if written and probability is None:
        values.refuse(CHANCE, "labels.not_a_chance", value=shown(written))
    return probability


def read_items(table: Table, place: Place) -> ItemReader:
    """Read the items of an opened file."""
    reader = ItemReader(table, place)
    reader.read()
    if not reader.items and not place.findings.failed():
        place.refuse(1, WHOLE_FILE, "no_records")
    return reader
