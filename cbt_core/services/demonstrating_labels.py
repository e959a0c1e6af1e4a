"""The demonstration's label work: machine labels, and simulated annotators who go through it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from cbt_core.demo.simulated_labels import (
    SimulatedLabels,
    SimulatedMark,
    simulated_annotators,
    simulated_labels,
)
from cbt_core.demo.texts import demo_distortions, demo_file
from cbt_core.domain.people import TERMINAL, Person
from cbt_core.domain.study import Role
from cbt_core.files.reading import read_study
from cbt_core.services import joining, labelling
from cbt_core.services.proposing import Proposed, propose
from db import labels, people
from db.engine import Database

View = Mapping[str, Any]
"""What the span marker would be shown."""


@dataclass(frozen=True, slots=True)
class _Past:
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
        for one in marked.machine:
            quote = one.quote(language)
            start = texts[marked.item].index(quote)
            proposals.append(
                Proposed(marked.item, one.label, "description", start, start + len(quote))
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
        past = _Past(_person(database, code, study_id), slug, language, saved, keys)
        _work(database, past, now + timedelta(hours=number))


def _work(database: Database, past: _Past, moment: datetime) -> None:
    who, role = past.person, Role.ANNOTATOR
    joining.accept_consent(database, who, slug=past.slug, now=moment, role=role)
    joining.answer_profile(database, who, slug=past.slug, answers={}, now=moment, role=role)
    joining.finish_guide(database, who, slug=past.slug, now=moment, role=role)
    view = _open(database, past, moment)
    while view["state"] == "task":
        body = _press(past, view)
        moment += timedelta(seconds=body["meta"]["active_seconds"])
        labelling.save(database, who, body=body, now=moment)
        view = _open(database, past, moment)


def _open(database: Database, past: _Past, moment: datetime) -> View:
    return labelling.open_task(
        database, past.person, slug=past.slug, token=None, now=moment, rested=True
    )


def _press(past: _Past, view: View) -> dict[str, Any]:
    task = view["task"]
    mine = past.saved[past.keys[task["question"]]]
    is_blind = task["round"] == "blind"
    token = f"{task['task']}/{task['round']}"
    seconds = mine.seconds if is_blind else round(mine.seconds / 3, 1)
    return {
        "task": task["task"],
        "token": blake2b(token.encode(), digest_size=16).hexdigest(),
        "base_revision": task["revision"],
        "entries": _entries(past, mine, task),
        "meta": {"layout": "side-by-side", "input": "keyboard", "lang": past.language,
                 "active_seconds": seconds, "width": 1366},
    }


def _entries(past: _Past, mine: SimulatedLabels, task: Mapping[str, Any]) -> dict[str, Any]:
    answers = {
        proposal["id"]: {"answer": "confirmed" if adopted else "rejected"}
        for proposal, adopted in zip(task["proposals"], mine.adopted, strict=False)
    }
    has_labels = bool(mine.marks) or any(one["answer"] == "confirmed" for one in answers.values())
    verdict = "unsure" if mine.unsure else "none"
    return {
        "labels": [],
        "spans": [_span(one, task["description"], past.language) for one in mine.marks],
        "verdict": None if has_labels else verdict,
        "certainty": mine.certainty,
        "note": "", "reason": "", "answers": answers,
    }


def _span(one: SimulatedMark, text: str, language: str) -> dict[str, object]:
    quote = one.mark.quote(language)
    start = text.index(quote)
    begins = start + (_first_words(quote, language) if one.trimmed else 0)
    return {"field": "description", "start": begins, "end": start + len(quote),
            "label": one.mark.label}


def _first_words(quote: str, language: str) -> int:
    """Return how many characters a hasty reader leaves out at the beginning of a quote."""
    if language == "zh":
        return 2 if len(quote) > 6 else 0
    return quote.index(" ") + 1 if " " in quote else 0


def _person(database: Database, code: str, study_id: int) -> Person:
    with database.reading() as connection:
        account = people.by_code(connection, code)
    if account is None:
        raise LookupError(code)
    return Person(
        account.id, code, demonstration=True, roles={study_id: frozenset({Role.ANNOTATOR})}
    )
