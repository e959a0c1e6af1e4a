"""Answers of an answers or references file: one row per answer."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from cbt_core.domain.study import ImportedAnswer
from cbt_core.files.fields import BARS, Values
from cbt_core.files.keys import Keys
from cbt_core.files.limits import SYSTEM_CHARACTERS
from cbt_core.files.opening import Table
from cbt_core.files.problems import Place, shown


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
    found = values.names("distortions", BARS)
    if len(set(found)) < len(found):
        values.refuse("distortions", "label_twice")
    for label in found:
        if labels is not None and label not in labels:
            values.refuse("distortions", "label_unknown", value=shown(label))
    return found
