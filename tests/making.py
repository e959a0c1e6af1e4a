"""Small real studies for tests: made through the services, as a lead would."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.services.assignment import task_draw
from cbt_core.services.desk import admission, desk_task
from cbt_core.services.studies import creation
from cbt_core.services.studies.creation import StudyFiles
from db import people
from db import people as stored_people
from db.engine import Database

SYSTEMS = ("baseline", "zebra-lora")


@dataclass(frozen=True)
class Made:
    """A study with its people."""

    slug: str
    study_id: int
    raters: dict[str, Person]


def study_file(
    folder: Path, *, items: int = 8, systems: Sequence[str] = SYSTEMS, risk: Mapping[int, str] = {}
) -> Path:
    """Write a wide study file with distinct texts."""
    file = folder / "study.jsonl"
    rows = [
        {
            "id": f"Q{number:03d}",
            "question": f"第{number}题：最近总觉得自己做得不够好",
            "description": f"这是第{number}题的描述，说了一些工作上的事情。" * 3,
            "risk": risk.get(number, "none"),
            "answers": {
                system: f"第{number}题的第{place}种回答，内容各不相同。" * 8
                for place, system in enumerate(systems)
            },
        }
        for number in range(1, items + 1)
    ]
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return file


def make_study(
    database: Database,
    folder: Path,
    now: datetime,
    *,
    raters: Sequence[str] = ("R01", "R02", "R03"),
    protocol: str = "",
    slug: str = "trial",
    **file: Any,
) -> Made:
    """Create a study, add raters, assign tasks and let everybody past the consent."""
    path = None
    if protocol:
        path = folder / "protocol.toml"
        path.write_text(protocol, "utf-8")
    created = creation.create_study(
        database, TERMINAL, slug=slug, title="研究一",
        files=StudyFiles(study_file=study_file(folder, **file)), now=now, protocol=path,
    )
    for code in raters:
        enrol(database, code, created.study_id, Role.RATER, now)
    task_draw.assign(database, TERMINAL, slug=slug, raters=raters, now=now)
    made = {code: person(database, code, created.study_id, Role.RATER) for code in raters}
    for one in made.values():
        prepare(database, one, slug, now)
    return Made(slug, created.study_id, made)


def enrol(database: Database, code: str, study_id: int, role: Role, now: datetime) -> None:
    """Add a person without a secret (no slow hash): tests act through the services."""
    with database.writing() as connection:
        account = stored_people.by_code(connection, code)
        who = account.id if account else stored_people.add(
            connection, code=code, secret_hash=None, now=now
        )
        people.join(connection, study_id=study_id, person_id=who, role=role, now=now)


def person(database: Database, code: str, study_id: int, *roles: Role) -> Person:
    """Return a stored person with these roles in a study."""
    with database.reading() as connection:
        account = stored_people.by_code(connection, code)
    assert account is not None
    return Person(account.id, code, "zh", roles={study_id: frozenset(roles)})


def lead(database: Database, study_id: int, now: datetime, code: str = "L01") -> Person:
    """Add a lead to a study."""
    enrol(database, code, study_id, Role.LEAD, now)
    return person(database, code, study_id, Role.LEAD)


def prepare(database: Database, rater: Person, slug: str, now: datetime) -> None:
    """Take a rater through consent, profile and guide."""
    admission.accept_consent(database, rater, slug=slug, now=now)
    admission.answer_profile(database, rater, slug=slug, answers={}, now=now)
    admission.finish_guide(database, rater, slug=slug, now=now)


def open_next(database: Database, rater: Person, slug: str, now: datetime) -> dict[str, Any]:
    """Return the next view of a rater."""
    return dict(desk_task.open_task(database, rater, slug=slug, token=None, now=now))


def entries(view: Mapping[str, Any], value: int = 1, **more: Any) -> dict[str, Any]:
    """Return complete entries for a view: one value everywhere."""
    scales = view["instrument"]["scales"]
    return {
        "scores": {
            slot["slot"]: {s["id"]: value for s in scales if s["level"] == "answer"}
            for slot in view["task"]["slots"]
        },
        "task_scores": {s["id"]: value for s in scales if s["level"] == "task"},
        **more,
    }


def press(view: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return what the sheet posts at a save of this view."""
    body = {
        "task": view["task"]["task"],
        "token": uuid4().hex,
        "base_revision": view["task"]["revision"],
        "entries": entries(view),
        "meta": {"layout": "side-by-side", "input": "keyboard", "active_seconds": 61.5,
                 "lang": "zh", "width": 1366},
    }
    return {**body, **more}


def rate_all(
    database: Database, rater: Person, slug: str, now: datetime, value: int = 1
) -> list[dict[str, Any]]:
    """Rate everything that waits for a rater; return the posted bodies."""
    posted = []
    view = open_next(database, rater, slug, now)
    while view["state"] in {"task", "break"}:
        if view["state"] == "break":
            view = dict(
                desk_task.open_task(database, rater, slug=slug, token=None, now=now, rested=True)
            )
            continue
        body = press(view, entries=entries(view, value))
        posted.append(body)
        view = dict(desk_task.save(database, rater, body=body, now=now))["view"]  # type: ignore[assignment]
    return posted


def give_role(database: Database, who: Person, study_id: int, role: Role, now: datetime) -> Person:
    """Give a person another role in a study."""
    with database.writing() as connection:
        people.join(
            connection, study_id=study_id, person_id=who.id, role=role, now=now
        )
    held = frozenset({role}) | who.roles.get(study_id, frozenset())
    return replace(who, roles={**who.roles, study_id: held})
