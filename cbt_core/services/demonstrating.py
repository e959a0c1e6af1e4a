"""The demonstration study: loaded once, in Chinese and English, with simulated past work.

Every step may be repeated: a load that was cut off is finished by the next one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from random import Random
from typing import Final

from cbt_core.demo.simulated import SimulatedSubmission, simulated_raters, simulated_scores
from cbt_core.demo.simulated_labels import simulated_annotators
from cbt_core.demo.texts import TITLE, demo_file, demo_protocol
from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.files.protocol import parse_protocol, revised
from cbt_core.files.reading import read_study
from cbt_core.services import assigning, importing, joining, own_work, rating
from cbt_core.services.demonstrating_labels import label_all, propose_machine_labels
from cbt_core.services.study_files import StudyFiles
from db import memberships, people, results, studies, tasks
from db.engine import Connection, Database

SLUGS: Final = {"zh": "demo", "en": "demo-en"}
RATER, ANNOTATOR, LEAD = "DEMO-RATER", "DEMO-ANNOTATOR", "DEMO-LEAD"
SEED: Final = 7
AGO: Final = timedelta(days=7)
OVERLAP_WITH_VISITOR: Final = 4

View = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Past:
    """One simulated rater at work: what was saved for which item, and the clock."""

    person: Person
    slug: str
    language: str
    saved: Mapping[str, SimulatedSubmission]


def load_demonstration(database: Database, *, now: datetime) -> bool:
    """Load the demonstration unless it is there, or a real study is; tell whether it was loaded."""
    with database.reading() as connection:
        there = studies.every(connection)
        is_whole = all(_is_whole(connection, slug) for slug in SLUGS.values())
    if is_whole or any(not study.demonstration for study in there):
        return False
    with database.writing() as connection:
        for code in (RATER, ANNOTATOR, LEAD, *simulated_raters(), *simulated_annotators()):
            if people.by_code(connection, code) is None:
                people.add(
                    connection, code=code, secret_hash=None, now=now, demonstration=True
                )
    for language, slug in SLUGS.items():
        _load(database, language, slug, now)
    return True


def _load(database: Database, language: str, slug: str, now: datetime) -> None:
    began = now - AGO
    written = demo_protocol().read_text("utf-8")
    # read anew per language: practice texts are taken in the study's language
    loaded = parse_protocol(written.replace('language = "zh"', f'language = "{language}"'))
    protocol = revised(loaded, replace(loaded.protocol, title=TITLE(language)))
    made = importing.create_study(
        database, TERMINAL, slug=slug, title=TITLE(language),
        files=StudyFiles(study_file=demo_file(language)), now=began, protocol=protocol,
        demonstration=True,
    )
    propose_machine_labels(database, made.study_id, language=language, slug=slug, now=began)
    past = simulated_raters()
    assigning.assign(
        database, TERMINAL, slug=slug, raters=past, annotators=simulated_annotators(), now=began
    )
    saved = simulated_scores(read_study(study_file=demo_file(language)).items, SEED)
    for number, code in enumerate(past):
        mine = {one.item: one for one in saved if one.rater == code}
        worker = _Past(_person(database, code, made.study_id), slug, language, mine)
        _work(database, worker, began + timedelta(hours=number + 1))
    label_all(database, made.study_id, language=language, slug=slug, now=began)
    assigning.assign(
        database, TERMINAL, slug=slug, raters=[RATER], annotators=[ANNOTATOR],
        overlap=OVERLAP_WITH_VISITOR, now=began,
    )
    with database.writing() as connection:  # last: from now on the demonstration counts as whole
        lead = people.by_code(connection, LEAD)
        if lead is not None:
            memberships.join(
                connection, study_id=made.study_id, person_id=lead.id, role=Role.LEAD, now=began
            )


def _work(database: Database, past: _Past, began: datetime) -> None:
    """Go through a simulated rater's tasks, the closing question included."""
    joining.accept_consent(database, past.person, slug=past.slug, now=began)
    joining.answer_profile(database, past.person, slug=past.slug, answers={}, now=began)
    joining.finish_guide(database, past.person, slug=past.slug, now=began)
    moment = began
    for token, item, places in _waiting(database, past):
        mine = past.saved[item]
        moment += timedelta(seconds=mine.seconds)
        rating.open_task(database, past.person, slug=past.slug, token=token, now=moment)
        rating.save(database, past.person, body=_press(past, token, mine, places), now=moment)
    _close(database, past, moment)


def _close(database: Database, past: _Past, moment: datetime) -> None:
    own_work.confirm_final(database, past.person, slug=past.slug, now=moment)
    chance = Random(f"{SEED}/guess/{past.person.code}")  # simulated, seeded
    shown = own_work.shown_again(database, past.person, slug=past.slug)
    answers = {
        one.task: (chance.choice(["A", "B", own_work.DONT_KNOW]), "") for one in shown
    }
    own_work.guess(database, past.person, slug=past.slug, answers=answers, now=moment)


def _waiting(database: Database, past: _Past) -> list[tuple[str, str, dict[str, str]]]:
    """Return the tasks still to do: token, item key, and system name by slot."""
    study_id = next(iter(past.person.roles))
    with database.reading() as connection:
        names = results.system_names(connection, study_id, unblinded=True)
        slots = results.slots(connection, study_id)
        return [
            (tasks.token_of(connection, line.task_id), line.item,
             {slot.slot: names[slot.system_id or 0] for slot in slots[line.task_id]})
            for line in sorted(results.tasks(connection, study_id), key=lambda one: one.order)
            if line.rater == past.person.code and line.submission_id is None
        ]


def _press(
    past: _Past, token: str, mine: SimulatedSubmission, places: Mapping[str, str]
) -> dict[str, object]:
    preferred = next((s for s, name in places.items() if name == mine.preference), "tie")
    return {
        "task": token,
        "token": blake2b(token.encode(), digest_size=16).hexdigest(),
        "base_revision": 0,
        "entries": {
            "scores": {slot: mine.scores[name] for slot, name in places.items()},
            "preference": preferred,
            "flags": list(_flags(past, mine, places)),
            "comment": mine.comment(past.language) if mine.comment else "",
        },
        "meta": {"layout": "side-by-side", "input": "keyboard", "lang": past.language,
                 "active_seconds": mine.seconds, "width": 1366},
    }


def _flags(
    past: _Past, mine: SimulatedSubmission, places: Mapping[str, str]
) -> Iterator[dict[str, object]]:
    for flag in mine.flags:
        slot = next(place for place, name in places.items() if name == flag.system)
        yield {"slot": slot, "kind": flag.kind, "severity": flag.severity,
               "quote": flag.quote(past.language), "start": None, "end": None}


def _person(database: Database, code: str, study_id: int) -> Person:
    with database.reading() as connection:
        account = people.by_code(connection, code)
    if account is None:
        raise LookupError(code)
    return Person(
        account.id, code, demonstration=True, roles={study_id: frozenset({Role.RATER})}
    )


def _is_whole(connection: Connection, slug: str) -> bool:
    study = studies.by_slug(connection, slug)
    return study is not None and memberships.count_active(connection, study.id, Role.LEAD) > 0
