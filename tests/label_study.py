"""Small label studies for tests, made through the services: texts without answers, annotators."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.domain.submission import Work
from cbt_core.services.assignment import task_draw
from cbt_core.services.desk import admission, desk_task
from cbt_core.services.studies import creation
from cbt_core.services.studies.creation import StudyFiles
from db.engine import Database
from tests.making import enrol, person

QUESTION = "搬到新城市半年😔，还是一个朋友也没有，是不是我这个人有问题？"
DESCRIPTION = (
    "换工作以后搬到这里，除了同事打招呼👍🏽，几乎没有人和我说话。上周聚餐时大家聊得很热闹，"
    "我坐在角落里插不上嘴，回家路上一直想：他们一定觉得我很无趣，以后也不会再叫我了。"
    "妈妈说我在cafe\u0301待久了就会好👩‍👩‍👧，可是我做什么都会出错。周末我干脆不出门，越来越怕见人。"
)
"""Emoji beyond the basic plane, a skin tone, a joined family and a combining accent."""


@dataclass(frozen=True)
class LabelStudy:
    """A label study with its annotators."""

    slug: str
    study_id: int
    annotators: dict[str, Person]


def make_label_study(
    database: Database,
    folder: Path,
    now: datetime,
    *,
    mode: str = "blind-then-model",
    items: int = 3,
    annotators: Sequence[str] = ("N01",),
    risk: Mapping[int, str] = {},
    question: str = QUESTION,
    description: str = DESCRIPTION,
    descriptions: Sequence[str] = (),
    language: str = "zh",
    slug: str = "labels",
    guided: bool = True,
    scheme: str = "burns-12",
) -> LabelStudy:
    """Create a label study, assign it, and let every annotator past the consent.

    Without `descriptions` (one per item) every item has the same.
    """
    rows = [
        {"id": f"Q{number:03d}", "question": question.replace("半年", f"{number} 个月"),
         "description": text, "risk": risk.get(number, "none")}
        for number, text in enumerate(descriptions or [description] * items, start=1)
    ]
    file, protocol = folder / "study.jsonl", folder / "protocol.toml"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    protocol.write_text(
        f'[study]\nlanguage = "{language}"\n[labels]\nmode = "{mode}"\n'
        f'[instrument]\nlabels = "{scheme}"\n', "utf-8"
    )
    made = creation.create_study(
        database, TERMINAL, slug=slug, title="认知歪曲标注" if language == "zh" else "Distortions",
        files=StudyFiles(study_file=file), now=now, protocol=protocol,
    )
    for code in annotators:
        enrol(database, code, made.study_id, Role.ANNOTATOR, now)
    task_draw.assign(database, TERMINAL, slug=slug, annotators=annotators, now=now)
    people = {code: person(database, code, made.study_id, Role.ANNOTATOR) for code in annotators}
    for one in people.values():
        prepare(database, one, slug, now, guided=guided)
    return LabelStudy(slug, made.study_id, people)


def prepare(
    database: Database, annotator: Person, slug: str, now: datetime, *, guided: bool = True
) -> None:
    """Take an annotator through consent, profile and (when `guided`) the guide."""
    role = Role.ANNOTATOR
    admission.accept_consent(database, annotator, slug=slug, now=now, role=role)
    admission.answer_profile(database, annotator, slug=slug, answers={}, now=now, role=role)
    if guided:
        admission.finish_guide(database, annotator, slug=slug, now=now, role=role)


def open_next(database: Database, annotator: Person, slug: str, now: datetime) -> dict[str, Any]:
    """Return the next view of an annotator."""
    return dict(desk_task.open_task(
        database, annotator, slug=slug, token=None, work=Work.LABEL, now=now))


def span(view: Mapping[str, Any], words: str, label: str) -> dict[str, Any]:
    """Return a span on words of the shown text, as the marker sends it."""
    field = next(f for f in ("question", "description") if words in view["task"][f])
    start = view["task"][field].index(words)
    return {"field": field, "start": start, "end": start + len(words), "label": label}


def press(view: Mapping[str, Any], **entries: Any) -> dict[str, Any]:
    """Return what the marker posts at a save of this view."""
    return {
        "task": view["task"]["task"],
        "token": uuid4().hex,
        "base_revision": view["task"]["revision"],
        "entries": {"labels": [], "spans": [], "verdict": None, "certainty": None, "note": "",
                    "reason": "", "answers": {}, **entries},
        "meta": {"layout": "side-by-side", "input": "keyboard", "active_seconds": 18.5,
                 "lang": "zh", "width": 1366},
    }
