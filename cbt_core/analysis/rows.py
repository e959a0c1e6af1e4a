"""Everything an analysis of a study is made of, read once, with names masked as the stage asks.

Of it the ratings table, one row per answer scored,
which exports write and `agreement` and `compare`
read; and the sets of ratings that stand beside each other.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cbt_core.domain.instrument import Instrument
from cbt_core.domain.study_setup import StudySetup
from cbt_core.domain.submission import (
    Flag,
    GuessLine,
    ItemLine,
    JudgeLine,
    MemberLine,
    MetricLine,
    Score,
    SeatLine,
    SlotLine,
    TaskLine,
)
from cbt_core.files.writer import Cell, Column, Table
from cbt_core.stats.ratings import Columns, Ratings, gather

TEXT, INTEGER, NUMBER = "text", "integer", "number"


def described(name: str, kind: str, meaning: str = "") -> Column:
    """Return a column with its meaning: a key of words section `columns`, or that of its name."""
    return Column(name, kind, f"columns.{meaning or name}")


ITEM: Final = described("item_id", TEXT)
SYSTEM: Final = described("system", TEXT)
RATER: Final = described("rater", TEXT)
PANEL: Final = described("panel", TEXT)
KIND: Final = described("kind", TEXT)
ORDER: Final = described("order", INTEGER)
SECONDS: Final = described("seconds", NUMBER)
EXCLUDED: Final = described("excluded", TEXT)
REVISION: Final = described("revision", INTEGER)


LANG: Final = described("lang", TEXT)


def rating_columns(instrument: Instrument) -> tuple[Column, ...]:
    """Return the columns of `ratings`: one per scale between the fixed ones."""
    return (
        ITEM, SYSTEM, RATER, PANEL, KIND, ORDER, *scale_columns(instrument, level=None), SECONDS,
        EXCLUDED,
        described("occasion", INTEGER),
        REVISION,
        described("slot", TEXT),
        described("layout", TEXT),
        LANG,
        described("instrument", TEXT),
        described("missing_reason", TEXT),
    )


def scale_columns(instrument: Instrument, *, level: str | None) -> Iterable[Column]:
    """Yield one column for each scale of a level; None means every level."""
    for scale in instrument.scales:
        if level is None or scale.level == level:
            yield Column(scale.id, INTEGER, scale.name)


Rows = list[tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class Material:
    """Everything read once for all tables of one export."""

    setup: StudySetup
    unblinded: bool
    systems: dict[int, str]
    lines: list[TaskLine]
    slots: dict[int, list[SlotLine]]
    scores: dict[int, list[Score]]
    excluded_raters: dict[str, str]
    excluded_items: dict[str, str]

    def name(self, slot: SlotLine) -> str:
        """Return the name an answer's system bears in this export."""
        if slot.system_id is None:
            return f"check:{slot.part}" if slot.part else f"calibration:{slot.slot}"
        return self.systems[slot.system_id]

    def excluded(self, line: TaskLine) -> str:
        """Return why a task is left out of the analysis; empty when it is not."""
        return self.excluded_items.get(line.item) or self.excluded_raters.get(line.rater, "")

    def by_submission(self) -> dict[int, TaskLine]:
        """Return the tasks by the id of their newest submission."""
        return {
            line.submission_id: line for line in self.lines if line.submission_id is not None
        }


def rating_table(material: Material) -> Table:
    """Return one row per answer scored: what `agreement` and `compare` read."""
    instrument = material.setup.instrument
    scales = [scale.id for scale in instrument.scales if scale.level == "answer"]
    whole = [scale.id for scale in instrument.scales if scale.level == "task"]
    rows: Rows = []
    for line in material.lines:
        if line.outcome != "scored" or line.submission_id is None:
            continue
        scores = material.scores.get(line.submission_id, [])
        slots = material.slots[line.task_id]
        alone = whole if len(slots) == 1 else []  # else a score of the task belongs to no system
        for slot in slots:
            rows.append(_rating_row(material, line, slot, scores, [*scales, *alone], whole))
    rows.sort(key=_by_unit)
    return Table("ratings", rating_columns(instrument), rows)


def _rating_row(
    material: Material,
    line: TaskLine,
    slot: SlotLine,
    scores: Sequence[Score],
    used: Sequence[str],
    whole: Sequence[str],
) -> tuple[Cell, ...]:
    by_scale = {s.scale: s for s in scores if s.slot == slot.slot or s.slot == ""}
    names = [scale.id for scale in material.setup.instrument.scales]
    values = [by_scale[n].value if n in by_scale and n in used else None for n in names]
    missing = [
        f"{n}={by_scale[n].missing_reason}"
        for n in names
        if n in by_scale and n in used and by_scale[n].missing_reason
    ]
    return (
        line.item, material.name(slot), line.rater, line.panel, line.kind, line.order,
        *values, line.seconds, material.excluded(line) or None, 2 if line.kind == "repeat" else 1,
        line.revision, slot.slot, line.layout, line.lang, material.setup.instrument.signature,
        ";".join(missing) or None,
    )


def _by_unit(row: tuple[Cell, ...]) -> tuple[str, ...]:
    return (str(row[0]), str(row[1]), str(row[2]), str(row[3]), str(row[4]), f"{row[5]:>9}")


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """The rows of a study. `systems` are names as they may be shown, sorted.

    `baseline` and `primary_system` are shown names, None while the study is not unblinded: a
    marked baseline would unblind. `characters` maps answer id to length; `answers` maps
    (item, system) to answer id.
    """

    setup: StudySetup
    material: Material
    first: Material
    systems: tuple[str, ...]
    baseline: str | None
    primary_system: str | None
    preferences: Mapping[int, str]
    flags: Mapping[int, Sequence[Flag]]
    guesses: Sequence[GuessLine]
    answers: Mapping[tuple[str, str], int]
    characters: Mapping[int, int]
    metrics: Sequence[MetricLine]
    judges: Sequence[JudgeLine]
    items: Sequence[ItemLine]
    members: Sequence[MemberLine]
    seats: Sequence[SeatLine]

    @property
    def item_index(self) -> dict[str, int]:
        """Return every item's index, by key."""
        return {line.key: place for place, line in enumerate(self.items)}

    @property
    def rater_index(self) -> dict[str, int]:
        """Return every rater's index, by code."""
        codes = sorted({line.rater for line in self.material.lines})
        return {code: place for place, code in enumerate(codes)}

    @property
    def system_index(self) -> dict[str, int]:
        """Return every system's index, by shown name."""
        return {name: place for place, name in enumerate(self.systems)}

    def shown(self, line: TaskLine) -> list[SlotLine]:
        """Return the answers of systems a task shows, left to right."""
        slots = self.material.slots.get(line.task_id, [])
        return [slot for slot in slots if slot.system_id is not None]

    def analysed(self) -> list[TaskLine]:
        """Return the scored main tasks that are not excluded."""
        return [
            line for line in self.material.lines
            if line.kind == "main" and line.outcome == "scored" and not self.material.excluded(line)
        ]


def rating_sets(facts: Facts) -> dict[str, Ratings]:
    """Return the analysis set and those sets beside it that differ, by name.

    `analysis`; `with_excluded`: excluded raters and items put back; `first_scores`: without
    corrections. The analysis set may be empty.
    """
    table = rating_table(facts.material)
    place = _place(table)
    sets = {"analysis": _gathered(table, facts, lambda row: row[place["excluded"]] is None)}
    if any(row[place["excluded"]] is not None for row in table.rows):
        sets["with_excluded"] = _gathered(table, facts, lambda _row: True)
    if any(line.revision and line.revision > 1 for line in facts.analysed()):
        first = rating_table(facts.first)
        sets["first_scores"] = _gathered(first, facts, lambda row: row[place["excluded"]] is None)
    return sets


def _gathered(
    table: Table, facts: Facts, keep: Callable[[Sequence[Cell]], bool]
) -> Ratings:
    place = _place(table)
    kept = [row for row in table.rows if row[place["kind"]] == "main" and keep(row)]

    def column(name: str) -> list[Cell]:
        return [row[place[name]] for row in kept]

    names = [scale.id for scale in facts.setup.instrument.scales]
    return gather(
        Columns(
            item=_texts(column("item_id")),
            system=_texts(column("system")),
            rater=_texts(column("rater")),
            panel=_texts(column("panel")),
            order=_numbers(column("order")),
            seconds=_numbers(column("seconds")),
            values={
                name: _numbers(column(name)) for name in names
                if any(cell is not None for cell in column(name))
            },
        ),
        study=facts.setup.study.slug,
        instrument=facts.setup.instrument.signature,
    )


def _place(table: Table) -> dict[str, int]:
    return {column.name: index for index, column in enumerate(table.columns)}


def _texts(cells: list[Cell]) -> list[str]:
    return ["" if cell is None else str(cell) for cell in cells]


def _numbers(cells: list[Cell]) -> list[float | None]:
    return [None if cell is None else float(cell) for cell in cells]
