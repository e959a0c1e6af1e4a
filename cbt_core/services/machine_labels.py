"""The `distortions` of an answers file: what a system named in the items, as proposals.

Names are looked up in the study's scheme (id, name in either language, alias). What is not in it
is kept with the answer as it was written, told as a warning and proposed to nobody.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.study import ImportedItem, Problem
from cbt_core.files.problems import Findings, shown
from cbt_core.files.reading import ReadStudy
from cbt_core.services.entries import digest
from db import audit, items
from db import proposals as stored
from db.engine import Connection
from db.proposals import NewProposal


def unknown_labels(read: ReadStudy, scheme: Scheme) -> tuple[Problem, ...]:
    """Return a warning for every name that the scheme does not hold (20 told, the rest counted)."""
    findings = Findings()
    known = {name: scheme.find(name) is not None for name in _names(read.items)}
    for one in read.items:
        for system, answer in one.answers.items():
            file, row = read.places.get(one.key, {}).get(system, (read.file, one.row))
            for name in answer.distortions:
                if not known[name]:
                    values: dict[str, object] = {"value": shown(name), "scheme": scheme.id}
                    findings.warn(Problem(
                        file, row, "distortions", "labelling.import_unknown_label", values
                    ))
    return findings.warnings()


def store(
    connection: Connection, study_id: int, imported: Iterable[ImportedItem], scheme: Scheme,
    *, actor: str, now: datetime,
) -> int:
    """Store the machine labels of imported answers; return how many proposals came of them.

    A system that names a distortion anywhere was run on every item it answered: where it names
    none, it found none.
    """
    rows = list(imported)
    ids = items.keys(connection, study_id)
    found = {name: scheme.find(name) for name in _names(rows)}
    count = 0
    for system in sorted({
        name for one in rows for name, answer in one.answers.items() if answer.distortions
    }):
        answered = [(ids[one.key], one.answers[system]) for one in rows if system in one.answers]
        proposals = [
            NewProposal(item_id=item_id, label=label.id)
            for item_id, answer in answered
            for label in dict.fromkeys(found[name] for name in answer.distortions)
            if label is not None
        ]
        passed = {item_id: 0 for item_id, _ in answered}
        passed.update(Counter(one.item_id for one in proposals))
        run = _run(answer.run for _, answer in answered)
        stored.add(
            connection, study_id=study_id, proposals=proposals, source=system, run=run, now=now
        )
        stored.add_passes(
            connection, study_id=study_id, found=passed, source=system, run=run, now=now
        )
        payload: audit.Payload = {
            "source": "answers", "count": len(proposals), "items": len(passed),
            "digest": digest([(one.item_id, one.label) for one in proposals]),
        }
        audit.append(
            connection, study_id=study_id, actor=actor, action="proposals", payload=payload,
            now=now,
        )
        count += len(proposals)
    return count


def _names(rows: Iterable[ImportedItem]) -> set[str]:
    return {
        name for one in rows for answer in one.answers.values() for name in answer.distortions
    }


def _run(runs: Iterable[str]) -> str:
    """Return the run all answers come from; empty when they do not name one and the same."""
    named = set(runs)
    return named.pop() if len(named) == 1 else ""
