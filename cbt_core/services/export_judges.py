"""Scores of judge models as a table of an export: never among people's ratings.

They are scores by system: the table has no rows before the lock.
"""

from typing import Final

from cbt_core.files.tables import Cell, Column, Table
from cbt_core.services.export_columns import INTEGER, ITEM, TEXT
from cbt_core.services.export_rows import Material
from cbt_core.services.study_analysis_work import AFTER_LOCK
from db import judge_scores
from db.engine import Connection

JUDGES: Final = (
    ITEM,
    Column("system", TEXT, "系统（揭盲前为代号）", "system (its masked name until unblinded)"),
    Column("judge", TEXT, "评判模型的名称；不是人", "name of the judge model; not a person"),
    Column("scale", TEXT, "评分维度", "scale"),
    Column("value", INTEGER, "模型给出的分值；空=模型认为无法判断",
           "score given by the model; empty: it could not rate it"),
    Column("reason", TEXT, "模型陈述的理由", "the reason the model gave"),
    Column("prompt_digest", TEXT, "提示词的 SHA-256", "SHA-256 of the prompt"),
    Column("instrument_digest", TEXT, "评定工具的 SHA-256", "SHA-256 of the instrument"),
    Column("run", TEXT, "运行", "run"),
)


def judges(connection: Connection, found: Material) -> Table:
    """Return `judges`: one row per answer, judge and scale, sorted by item and system."""
    rows: list[tuple[Cell, ...]] = []
    if found.setup.study.stage in AFTER_LOCK:
        rows = [
            (one.item, found.systems[one.system_id], one.judge, one.scale, one.value,
             one.reason or None, one.prompt, one.instrument, one.run or None)
            for one in judge_scores.lines(connection, found.setup.study.id)
        ]
        rows.sort(key=lambda row: tuple(str(cell) for cell in row[:4]))
    return Table("judges", JUDGES, rows)
