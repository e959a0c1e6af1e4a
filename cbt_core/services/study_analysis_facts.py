"""Everything an analysis of a study is made of, read once, with names masked as the stage asks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from cbt_core.files.tables import Cell, Table
from cbt_core.services import export_rows
from cbt_core.services.export_rows import Material
from cbt_core.services.studies import StudySetup
from cbt_core.stats.ratings import Columns, Ratings, gather
from db import analysis_rows, results, studies
from db.analysis_rows import ItemLine, JudgeLine, MemberLine, MetricLine
from db.engine import Connection
from db.result_lines import FlagLine, GuessLine, SeatLine, SlotLine, TaskLine


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
    flags: Mapping[int, Sequence[FlagLine]]
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


def read(connection: Connection, setup: StudySetup) -> Facts:
    """Read a study's rows; names are true ones only when it is unblinded."""
    study_id, unblinded = setup.study.id, setup.study.stage == "unblinded"
    material = export_rows.material(connection, setup, unblinded=unblinded)
    flags: dict[int, list[FlagLine]] = {}
    for flag in results.flags(connection, study_id):
        flags.setdefault(flag.submission_id, []).append(flag)
    sizes = list(analysis_rows.answer_sizes(connection, study_id))
    rows = studies.systems(connection, study_id)
    primary = setup.protocol.analysis.primary_system
    return Facts(
        setup=setup,
        material=material,
        first=_first_scores(connection, material),
        systems=tuple(sorted(material.systems.values())),
        baseline=next((row.name for row in rows if row.baseline and unblinded), None),
        primary_system=primary if unblinded and primary else None,
        preferences={
            one.submission_id: one.choice for one in results.preferences(connection, study_id)
        },
        flags=flags,
        guesses=sorted(results.guesses(connection, study_id), key=lambda one: one.task_id),
        answers={(one.item, material.systems[one.system_id]): one.answer_id for one in sizes},
        characters={one.answer_id: one.characters for one in sizes},
        metrics=analysis_rows.metric_scores(connection, study_id),
        judges=analysis_rows.judge_scores(connection, study_id),
        items=analysis_rows.items(connection, study_id),
        members=analysis_rows.members(connection, study_id),
        seats=results.seats(connection, study_id),
    )


def _first_scores(connection: Connection, material: Material) -> Material:
    """Return the material as it was before anybody corrected anything."""
    study_id = material.setup.study.id
    lines = [
        line for line in results.tasks(connection, study_id, every_revision=True)
        if line.revision in (None, 1)
    ]
    scores = results.scores(connection, study_id, every_revision=True)
    return replace(material, lines=lines, scores=scores)


def rating_sets(facts: Facts) -> dict[str, Ratings]:
    """Return the analysis set and those sets beside it that differ, by name.

    `analysis`; `with_excluded`: excluded raters and items put back; `first_scores`: without
    corrections. The analysis set may be empty.
    """
    table = export_rows.ratings(facts.material)
    place = _place(table)
    found = {"analysis": _gathered(table, facts, lambda row: row[place["excluded"]] is None)}
    if any(row[place["excluded"]] is not None for row in table.rows):
        found["with_excluded"] = _gathered(table, facts, lambda _row: True)
    if any(line.revision and line.revision > 1 for line in facts.analysed()):
        first = export_rows.ratings(facts.first)
        found["first_scores"] = _gathered(first, facts, lambda row: row[place["excluded"]] is None)
    return found


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
