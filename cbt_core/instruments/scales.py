"""Reading an instrument: scales with anchored values, checklist, worked examples."""

from dataclasses import replace
from typing import Final

from cbt_core.canonical import digest
from cbt_core.domain.instrument import (
    EMPTY,
    Example,
    Instrument,
    Scale,
    ScaleValue,
    Step,
    Text,
    content,
)
from cbt_core.instruments.toml_reader import Table, parse_toml, refuse_repeats

MOST_VALUES: Final = 9
"""A value is one key, 1 to 9; zero takes the place of one of them."""

LARGEST_VALUE: Final = 9999
STEP_NUMBERS: Final = (0, 1, 2)
LEVELS: Final = ("answer", "task")
MEASURES: Final = ("ordinal", "nominal")

TAKEN: Final = frozenset(
    {
        "item_id", "system", "rater", "panel", "kind", "order", "seconds", "excluded", "occasion",
        "revision", "slot", "layout", "lang", "instrument", "missing_reason", "ALL",
    }
)  # fmt: skip
"""Columns of the ratings file and the pooled stratum: a scale of that name would overwrite them."""

STEP_VALUES: Final = tuple(
    ScaleValue(number, Text(zh, en), Text(zh, en))
    for number, zh, en in ((0, "没有", "Absent"), (1, "部分", "Partial"), (2, "具备", "Present"))
)
"""Used when an own checklist does not name its three values."""


def parse_instrument(text: str, name: str) -> Instrument:
    """Return the instrument written in a TOML text; `name` stands for the file in messages.

    Raises:
        StudyError: the first thing wrong, with file and key.
    """
    return read_instrument(parse_toml(text, name))


def read_instrument(table: Table, fallback_id: str | None = None) -> Instrument:
    """Return the instrument in a table; `fallback_id` serves where no id is written.

    Raises:
        StudyError: the first thing wrong, with file and key.
    """
    table.only("id", "version", "name", "source", "scales", "steps", "step_values", "examples")
    scales = _scales(table)
    instrument_id = table.identifier("id", fallback_id)
    instrument = Instrument(
        id=instrument_id,
        version=table.whole("version", 1, low=1, high=LARGEST_VALUE),
        name=table.words("name", Text(instrument_id, instrument_id)),
        scales=scales,
        steps=_steps(table),
        step_values=_step_values(table),
        examples=tuple(_example(one, scales) for one in table.children("examples")),
        digest="",
        source=table.words("source", EMPTY),
    )
    return replace(instrument, digest=digest(content(instrument)))


def _scales(table: Table) -> tuple[Scale, ...]:
    scales = tuple(_scale(one) for one in table.children("scales"))
    if not scales:
        raise table.refusal("scales", "instruments.no_scales")
    refuse_repeats(table, "scales", [scale.id for scale in scales])
    return scales


def _scale(table: Table) -> Scale:
    table.only("id", "level", "measure", "required", "cannot_rate", "name", "question", "values")
    scale_id = table.identifier("id")
    if scale_id in TAKEN:
        raise table.refusal("id", "instruments.taken_id", value=scale_id)
    name = table.words("name", Text(scale_id, scale_id))
    return Scale(
        id=scale_id,
        name=name,
        question=table.words("question", name),
        values=_values(table),
        level=table.choice("level", LEVELS, "answer"),
        measure=table.choice("measure", MEASURES, "ordinal"),
        required=table.yes_no("required", True),
        cannot_rate=table.yes_no("cannot_rate", True),
    )


def _values(table: Table) -> tuple[ScaleValue, ...]:
    """Return a scale's choices, written as ``[[scales.values]]`` or as a list of numbers."""
    choices = _bare_values(table) or tuple(_value(one) for one in table.children("values"))
    if len(choices) < 2:
        raise table.refusal("values", "instruments.no_values")
    if len(choices) > MOST_VALUES:
        raise table.refusal("values", "instruments.too_many_values", most=MOST_VALUES)
    refuse_repeats(table, "values", [choice.value for choice in choices])
    return choices


def _bare_values(table: Table) -> tuple[ScaleValue, ...]:
    raw = table.content.get("values")
    if not isinstance(raw, list) or not all(type(one) is int for one in raw):
        return ()
    numbered = [Table(table.file, table.place("values"), {"value": one}) for one in raw]
    return tuple(_value(one) for one in numbered)


def _value(table: Table) -> ScaleValue:
    table.only("value", "label", "anchor")
    value = table.whole("value", low=-LARGEST_VALUE, high=LARGEST_VALUE)
    label = table.words("label", Text(str(value), str(value)))
    return ScaleValue(value, label, table.words("anchor", label))


def _steps(table: Table) -> tuple[Step, ...]:
    steps = tuple(_step(one) for one in table.children("steps"))
    refuse_repeats(table, "steps", [step.id for step in steps])
    return steps


def _step(table: Table) -> Step:
    table.only("id", "name", "definition")
    name = table.words("name")
    return Step(table.identifier("id"), name, table.words("definition", name))


def _step_values(table: Table) -> tuple[ScaleValue, ...]:
    """Return the three values of the checklist; the sheet knows only 0, 1 and 2."""
    if not table.has("step_values"):
        return STEP_VALUES if table.has("steps") else ()
    choices = tuple(_value(one) for one in table.children("step_values"))
    if tuple(choice.value for choice in choices) != STEP_NUMBERS:
        raise table.refusal("step_values", "instruments.step_values")
    return choices


def _example(table: Table, scales: tuple[Scale, ...]) -> Example:
    table.only("scale", "value", "question", "answer", "reason")
    known = {scale.id: scale for scale in scales}
    scale_id = table.choice("scale", tuple(known), "")
    value = table.whole("value", low=-LARGEST_VALUE, high=LARGEST_VALUE)
    if not known[scale_id].allows(value):
        raise table.refusal("value", "instruments.value_not_on_scale", scale=scale_id)
    words = {key: table.words(key) for key in ("question", "answer", "reason")}
    return Example(scale_id, value, words["question"], words["answer"], words["reason"])
