"""A label study worked through by three annotators, for tests of its measures."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.submission import Work
from cbt_core.services.desk import desk_task
from cbt_core.services.labels import machine_proposals
from cbt_core.services.labels.machine_proposals import Proposed
from db.engine import Database
from tests.label_study import LabelStudy, make_label_study, press, span

ALL, OVER, MIND, TAG = "all-or-nothing", "overgeneralization", "mind-reading", "labeling"

BLIND: Final[Mapping[str, Sequence[Sequence[str] | None]]] = {
    "N01": ([ALL], [ALL, MIND], [], [TAG], [MIND], None),
    "N02": ([ALL], [MIND], [], [TAG, OVER], [], [TAG]),
    "N03": ([OVER], [MIND], [TAG], [TAG], [], [TAG]),
}
"""Labels of the items Q001 … Q006 in the blind round; None: unsure."""

MACHINE: Final = ([ALL, OVER], [], [TAG], [TAG], [MIND, ALL], [])
"""What the machine proposes; on Q002 and Q006 it ran and found nothing."""

CONFIRMS: Final = {"N01": {ALL, TAG}, "N02": {TAG}, "N03": set[str]()}
"""Labels that each annotator confirms; the others are rejected."""

MARKED: Final = "他们一定觉得我很无趣"


def worked_study(
    database: Database, folder: Path, now: datetime, *, mode: str = "blind-then-model",
    source: str = "qwen-7b",
) -> LabelStudy:
    """Return a study whose annotators have done everything."""
    study = make_label_study(
        database, folder, now, mode=mode, items=len(MACHINE), annotators=tuple(BLIND)
    )
    keys = [f"Q{number:03d}" for number in range(1, len(MACHINE) + 1)]
    machine_proposals.propose(
        database, TERMINAL, slug=study.slug, source=source, now=now,
        proposals=[Proposed(key, label) for key, found in zip(keys, MACHINE, strict=True)
                   for label in found],
        empty=[key for key, found in zip(keys, MACHINE, strict=True) if not found],
    )  # fmt: skip
    for code, who in study.annotators.items():
        work(database, who, code, study.slug, now)
    return study


def work(database: Database, who: Person, code: str, slug: str, now: datetime) -> None:
    """Label everything that waits: the blind labels, then an answer to each proposal."""
    view = dict(desk_task.open_task(database, who, slug=slug, token=None, work=Work.LABEL, now=now))
    while view["state"] in {"task", "break"}:
        if view["state"] == "break":
            view = dict(desk_task.open_task(
                database, who, slug=slug, token=None, work=Work.LABEL, now=now, rested=True
            ))
            continue
        body = press(view, **_entries(view, code))
        view = dict(desk_task.save(database, who, body=body, work=Work.LABEL, now=now))["view"]  # type: ignore[assignment]


def _entries(view: Mapping[str, Any], code: str) -> dict[str, Any]:
    months = int("".join(letter for letter in view["task"]["question"] if letter.isdigit()))
    given = BLIND[code][months - 1]
    found: dict[str, Any] = {"verdict": "unsure"} if given is None else {"labels": list(given)}
    if given is not None and not given:
        found = {"verdict": "none"}
    elif given and MIND in given:
        mine = [label for label in given if label != MIND]
        found = {"labels": mine, "spans": [span(view, MARKED, MIND)]}
    proposals = view["task"].get("proposals") or []
    answers = {
        one["id"]: {"answer": "confirmed" if one["label"] in CONFIRMS[code] else "rejected"}
        for one in proposals
    }
    if any(one["answer"] == "confirmed" for one in answers.values()):
        found.pop("verdict", None)
    return {**found, "answers": answers}
