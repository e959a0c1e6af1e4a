"""The demonstration study, loaded once, in Chinese and English; and simulated people at work.

Every step of the load may be repeated: one that was cut off is finished by the next. Scores come
from people alone: simulated raters go through the tasks of a study marked as a demonstration, one
that says of itself that nothing in it was collected, and of no other.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from random import Random
from typing import Any, Final

from cbt_core.demo.drawn_scores import Shown, drawn_entries, drawn_seconds
from cbt_core.demo.simulated import (
    TITLE,
    SimulatedLabels,
    SimulatedMark,
    SimulatedSubmission,
    demo_distortions,
    demo_file,
    demo_protocol,
    simulated_annotators,
    simulated_labels,
    simulated_raters,
    simulated_scores,
)
from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.domain.study_setup import StudySetup
from cbt_core.domain.submission import PENDING, Work
from cbt_core.errors import StudyError
from cbt_core.files.protocol import parse_protocol, revised
from cbt_core.files.study import read_study
from cbt_core.services import guard
from cbt_core.services.assignment import task_draw
from cbt_core.services.desk import admission, desk_task, own_work
from cbt_core.services.labels.machine_proposals import Proposed, propose
from cbt_core.services.studies import creation, study_setup
from cbt_core.services.studies.creation import StudyFiles
from db import audit, labels, people, results, seats, studies, tasks
from db.engine import Connection, Database

View = Mapping[str, Any]
"""What the span marker would be shown."""


@dataclass(frozen=True, slots=True)
class _PastAnnotator:
    """One simulated annotator at work in one language."""

    person: Person
    slug: str
    language: str
    saved: Mapping[str, SimulatedLabels]
    keys: Mapping[str, str]


def propose_machine_labels(
    database: Database, study_id: int, *, language: str, slug: str, now: datetime
) -> None:
    """Store the simulated machine labels, once: about every second one is wrong on purpose."""
    texts = {one.key: one.description for one in read_study(study_file=demo_file(language)).items}
    with database.reading() as connection:
        if labels.study_has_proposals(connection, study_id):
            return
    proposals = []
    for marked in demo_distortions():
        for mark in marked.machine:
            quote = mark.quote(language)
            start = texts[marked.item].index(quote)
            proposals.append(
                Proposed(marked.item, mark.label, "description", start, start + len(quote))
            )
    silent = [marked.item for marked in demo_distortions() if not marked.machine]
    propose(
        database, TERMINAL, slug=slug, proposals=proposals, source="simulated", empty=silent,
        now=now,
    )


def label_all(
    database: Database, study_id: int, *, language: str, slug: str, now: datetime
) -> None:
    """Let the simulated annotators label every item: alone, then with the machine's labels."""
    keys = {
        one.question: one.key for one in read_study(study_file=demo_file(language)).items
    }
    for number, code in enumerate(simulated_annotators()):
        saved = {one.item: one for one in simulated_labels() if one.annotator == code}
        past = _PastAnnotator(_annotator(database, code, study_id), slug, language, saved, keys)
        _go_through_labels(database, past, now + timedelta(hours=number))


def _go_through_labels(database: Database, past: _PastAnnotator, moment: datetime) -> None:
    who, role = past.person, Role.ANNOTATOR
    admission.accept_consent(database, who, slug=past.slug, now=moment, role=role)
    admission.answer_profile(database, who, slug=past.slug, answers={}, now=moment, role=role)
    admission.finish_guide(database, who, slug=past.slug, now=moment, role=role)
    view = _open_text(database, past, moment)
    while view["state"] == "task":
        body = _label_press(past, view)
        moment += timedelta(seconds=body["meta"]["active_seconds"])
        desk_task.save(database, who, body=body, work=Work.LABEL, now=moment)
        view = _open_text(database, past, moment)


def _open_text(database: Database, past: _PastAnnotator, moment: datetime) -> View:
    return desk_task.open_task(
        database, past.person, slug=past.slug, token=None, work=Work.LABEL, now=moment, rested=True
    )


def _label_press(past: _PastAnnotator, view: View) -> dict[str, Any]:
    task = view["task"]
    entry = past.saved[past.keys[task["question"]]]
    is_blind = task["round"] == "blind"
    token = f"{task['task']}/{task['round']}"
    seconds = entry.seconds if is_blind else round(entry.seconds / 3, 1)
    return {
        "task": task["task"],
        "token": blake2b(token.encode(), digest_size=16).hexdigest(),
        "base_revision": task["revision"],
        "entries": _label_entries(past, entry, task),
        "meta": {"layout": "side-by-side", "input": "keyboard", "lang": past.language,
                 "active_seconds": seconds, "width": 1366},
    }


def _label_entries(
    past: _PastAnnotator, entry: SimulatedLabels, task: Mapping[str, Any]
) -> dict[str, Any]:
    answers = {
        proposal["id"]: {"answer": "confirmed" if adopted else "rejected"}
        for proposal, adopted in zip(task["proposals"], entry.adopted, strict=False)
    }
    has_labels = bool(entry.marks) or any(one["answer"] == "confirmed" for one in answers.values())
    verdict = "unsure" if entry.unsure else "none"
    return {
        "labels": [],
        "spans": [_span(one, task["description"], past.language) for one in entry.marks],
        "verdict": None if has_labels else verdict,
        "certainty": entry.certainty,
        "note": "", "reason": "", "answers": answers,
    }


def _span(marking: SimulatedMark, text: str, language: str) -> dict[str, object]:
    quote = marking.mark.quote(language)
    start = text.index(quote)
    begins = start + (_first_words(quote, language) if marking.trimmed else 0)
    return {"field": "description", "start": begins, "end": start + len(quote),
            "label": marking.mark.label}


def _first_words(quote: str, language: str) -> int:
    """Return how many characters a hasty reader leaves out at the beginning of a quote."""
    if language == "zh":
        return 2 if len(quote) > 6 else 0
    return quote.index(" ") + 1 if " " in quote else 0


def _annotator(database: Database, code: str, study_id: int) -> Person:
    with database.reading() as connection:
        account = people.by_code(connection, code)
    if account is None:
        raise LookupError(code)
    return Person(
        account.id, code, demonstration=True, roles={study_id: frozenset({Role.ANNOTATOR})}
    )


SLUGS: Final = {"zh": "demo", "en": "demo-en"}
RATER, ANNOTATOR, LEAD = "DEMO-RATER", "DEMO-ANNOTATOR", "DEMO-LEAD"
SEED: Final = 7
AGO: Final = timedelta(days=7)
OVERLAP_WITH_VISITOR: Final = 4


@dataclass(frozen=True, slots=True)
class _PastRater:
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
    made = creation.create_study(
        database, TERMINAL, slug=slug, title=TITLE(language),
        files=StudyFiles(study_file=demo_file(language)), now=began, protocol=protocol,
        demonstration=True,
    )
    propose_machine_labels(database, made.study_id, language=language, slug=slug, now=began)
    past = simulated_raters()
    task_draw.assign(
        database, TERMINAL, slug=slug, raters=past, annotators=simulated_annotators(), now=began
    )
    saved = simulated_scores(read_study(study_file=demo_file(language)).items, SEED)
    for number, code in enumerate(past):
        own_ratings = {one.item: one for one in saved if one.rater == code}
        worker = _PastRater(_rater(database, code, made.study_id), slug, language, own_ratings)
        _go_through_ratings(database, worker, began + timedelta(hours=number + 1))
    label_all(database, made.study_id, language=language, slug=slug, now=began)
    task_draw.assign(
        database, TERMINAL, slug=slug, raters=[RATER], annotators=[ANNOTATOR],
        overlap=OVERLAP_WITH_VISITOR, now=began,
    )
    with database.writing() as connection:  # last: from now on the demonstration counts as whole
        lead = people.by_code(connection, LEAD)
        if lead is not None:
            people.join(
                connection, study_id=made.study_id, person_id=lead.id, role=Role.LEAD, now=began
            )


def _go_through_ratings(database: Database, past: _PastRater, began: datetime) -> None:
    """Go through a simulated rater's tasks, the closing question included."""
    admission.accept_consent(database, past.person, slug=past.slug, now=began)
    admission.answer_profile(database, past.person, slug=past.slug, answers={}, now=began)
    admission.finish_guide(database, past.person, slug=past.slug, now=began)
    moment = began
    for token, item, places in _waiting_past(database, past):
        rating = past.saved[item]
        moment += timedelta(seconds=rating.seconds)
        desk_task.open_task(database, past.person, slug=past.slug, token=token, now=moment)
        desk_task.save(
            database, past.person, body=_past_press(past, token, rating, places), now=moment
        )
    _close_past(database, past, moment)


def _close_past(database: Database, past: _PastRater, moment: datetime) -> None:
    own_work.confirm_final(database, past.person, slug=past.slug, now=moment)
    chance = Random(f"{SEED}/guess/{past.person.code}")  # simulated, seeded
    shown = own_work.shown_again(database, past.person, slug=past.slug, now=moment)
    answers = {
        one.task: (chance.choice(["A", "B", own_work.DONT_KNOW]), "") for one in shown
    }
    own_work.guess(database, past.person, slug=past.slug, answers=answers, now=moment)


def _waiting_past(database: Database, past: _PastRater) -> list[tuple[str, str, dict[str, str]]]:
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


def _past_press(
    past: _PastRater, token: str, rating: SimulatedSubmission, places: Mapping[str, str]
) -> dict[str, object]:
    preferred = next((s for s, name in places.items() if name == rating.preference), "tie")
    return {
        "task": token,
        "token": blake2b(token.encode(), digest_size=16).hexdigest(),
        "base_revision": 0,
        "entries": {
            "scores": {slot: rating.scores[name] for slot, name in places.items()},
            "preference": preferred,
            "flags": list(_flags(past, rating, places)),
            "comment": rating.comment(past.language) if rating.comment else "",
        },
        "meta": {"layout": "side-by-side", "input": "keyboard", "lang": past.language,
                 "active_seconds": rating.seconds, "width": 1366},
    }


def _flags(
    past: _PastRater, rating: SimulatedSubmission, places: Mapping[str, str]
) -> Iterator[dict[str, object]]:
    for flag in rating.flags:
        slot = next(place for place, name in places.items() if name == flag.system)
        yield {"slot": slot, "kind": flag.kind, "severity": flag.severity,
               "quote": flag.quote(past.language), "start": None, "end": None}


def _rater(database: Database, code: str, study_id: int) -> Person:
    with database.reading() as connection:
        account = people.by_code(connection, code)
    if account is None:
        raise LookupError(code)
    return Person(
        account.id, code, demonstration=True, roles={study_id: frozenset({Role.RATER})}
    )


def _is_whole(connection: Connection, slug: str) -> bool:
    study = studies.by_slug(connection, slug)
    return study is not None and people.count_active(connection, study.id, Role.LEAD) > 0


ACT: Final = "demonstration.simulate"


@dataclass(frozen=True, slots=True)
class Simulated:
    """How many tasks were gone through, by rater's code."""

    tasks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Worker:
    """One simulated rater in one study."""

    person: Person
    setup: StudySetup
    seed: int

    @property
    def slug(self) -> str:
        """Return the study's short name."""
        return self.setup.study.slug


def simulate_ratings(
    database: Database, person: Person, *, slug: str, raters: Sequence[str], seed: int,
    now: datetime,
) -> Simulated:
    """Let raters of a demonstration go through every task they still have to do.

    The draw is noted in the audit chain. Calling it again does what is left, and nothing twice.

    Raises:
        Refused: the person does not lead the study.
        StudyError: the study is no demonstration, or a code has no tasks in it.
    """
    lead = guard.as_lead(database, person, study=slug, act="simulate_ratings", now=now)
    with lead.steps():
        with lead.writing() as (connection, study):
            if not study.demonstration:
                raise StudyError("simulation.not_a_demonstration", slug=slug)
            setup = study_setup.current(connection, study.id)
            workers = [_worker(connection, setup, code, seed) for code in raters]
            audit.append(
                connection, study_id=study.id, actor=person.code, action=ACT,
                payload={"raters": sorted(raters), "seed": seed}, now=now,
            )
        return Simulated({
            one.person.code: _go_through_drawn(database, one, now) for one in workers
        })


def _worker(connection: Connection, setup: StudySetup, code: str, seed: int) -> _Worker:
    """Return a rater who has tasks in the study.

    Raises:
        StudyError: nobody has this code, or the person was assigned nothing.
    """
    missing = StudyError("simulation.no_tasks", rater=code, slug=setup.study.slug)
    account = people.by_code(connection, code)
    if account is None:
        raise missing
    seat = seats.find(connection, study_id=setup.study.id, person_id=account.id)
    if seat is None or seat.total == 0:
        raise missing
    roles = {setup.study.id: frozenset({Role.RATER})}
    return _Worker(
        Person(account.id, account.code, demonstration=account.demonstration, roles=roles),
        setup, seed,
    )


def _go_through_drawn(database: Database, worker: _Worker, now: datetime) -> int:
    """Go through a rater's tasks, the closing questions included; return how many there were."""
    waiting = _waiting_drawn(database, worker)
    if not waiting:
        return 0
    _enter(database, worker, now)
    for token, shown in waiting:
        desk_task.open_task(database, worker.person, slug=worker.slug, token=token, now=now)
        desk_task.save(database, worker.person, body=_drawn_press(worker, token, shown), now=now)
    _close_drawn(database, worker, now)
    return len(waiting)


def _enter(database: Database, worker: _Worker, now: datetime) -> None:
    admission.accept_consent(database, worker.person, slug=worker.slug, now=now)
    admission.answer_profile(database, worker.person, slug=worker.slug, answers={}, now=now)
    admission.finish_guide(database, worker.person, slug=worker.slug, now=now)


def _waiting_drawn(database: Database, worker: _Worker) -> list[tuple[str, Shown]]:
    """Return the tasks still to do, in the rater's order: token, and what is shown."""
    study_id, code = worker.setup.study.id, worker.person.code
    with database.reading() as connection:
        slots = results.slots(connection, study_id)
        own_lines = [line for line in results.tasks(connection, study_id)
                if line.rater == code and line.state in PENDING]
        return [
            (tasks.token_of(connection, line.task_id),
             Shown(str(line.repeat_of is not None), line.item, code,
                   {slot.slot: str(slot.answer_id) for slot in slots[line.task_id]}))
            for line in sorted(own_lines, key=lambda one: one.order)
        ]


def _drawn_press(worker: _Worker, token: str, shown: Shown) -> dict[str, object]:
    return {
        "task": token,
        "token": blake2b(token.encode(), digest_size=16).hexdigest(),
        "base_revision": 0,
        "entries": drawn_entries(shown, worker.setup.instrument, worker.seed),
        "meta": {"layout": "side-by-side", "input": "keyboard",
                 "lang": worker.setup.protocol.language,
                 "active_seconds": drawn_seconds(shown, worker.seed)},
    }


def _close_drawn(database: Database, worker: _Worker, now: datetime) -> None:
    """Make the scores final and guess, at random, which answer came from what."""
    own_work.confirm_final(database, worker.person, slug=worker.slug, now=now)
    chance = Random(f"{worker.seed}/guess/{worker.person.code}")
    again = own_work.shown_again(database, worker.person, slug=worker.slug, now=now)
    own_work.guess(
        database, worker.person, slug=worker.slug, now=now,
        answers={one.task: (_guessed(one, chance.choice), "") for one in again},
    )


def _guessed(shown_task: own_work.ShownAgain, choose: Callable[[Sequence[str]], str]) -> str:
    return choose([*(slot for slot, _ in shown_task.slots), own_work.DONT_KNOW])
