"""Bringing a study in: files read, checked, screened; the study made, whole or not at all.

The `distortions` of an answers file become proposals. Their names are looked up in the study's
scheme (id, name in either language, alias). What is not in it is kept with the answer as it was
written, told as a warning and proposed to nobody.
"""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from cbt_core.canonical import digest_of
from cbt_core.domain.instrument import Scheme
from cbt_core.domain.people import Person
from cbt_core.domain.study import ImportedItem, ImportedStudy, Problem, Risk, Role, Stage
from cbt_core.errors import StudyError
from cbt_core.files.problems import Findings, ImportProblems, refuse_warnings, shown
from cbt_core.files.protocol import LoadedProtocol, default_protocol, load_protocol
from cbt_core.files.screen_words import Screening, screen
from cbt_core.files.study import ReadStudy, read_study
from cbt_core.generation.gates.recognition import Report
from cbt_core.services import guard
from cbt_core.services.studies.answer_gates import gates_of
from cbt_core.services.studies.protocols import (
    check_systems,
    extras_of,
    lacks_baseline,
    store_protocol,
    store_systems,
)
from db import audit, items, people, studies
from db import proposals as stored
from db.columns import stamp
from db.engine import Connection, Database
from db.items import EXTRA_KEYS, Counts
from db.proposals import NewProposal


def unknown_labels(read: ReadStudy, scheme: Scheme) -> tuple[Problem, ...]:
    """Return a warning for every name that the scheme does not hold (20 told, the rest counted)."""
    findings = Findings()
    known = {name: scheme.find(name) is not None for name in _names(read.items)}
    for item in read.items:
        for system, answer in item.answers.items():
            file, row = read.places.get(item.key, {}).get(system, (read.file, item.row))
            for name in answer.distortions:
                if not known[name]:
                    values: dict[str, object] = {"value": shown(name), "scheme": scheme.id}
                    findings.warn(Problem(
                        file, row, "distortions", "annotation.import_unknown_label", values
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
    labels = {name: scheme.find(name) for name in _names(rows)}
    count = 0
    for system in sorted({
        name for one in rows for name, answer in one.answers.items() if answer.distortions
    }):
        answered = [(ids[one.key], one.answers[system]) for one in rows if system in one.answers]
        proposals = [
            NewProposal(item_id=item_id, label=label.id)
            for item_id, answer in answered
            for label in dict.fromkeys(labels[name] for name in answer.distortions)
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
            "digest": digest_of([(one.item_id, one.label) for one in proposals]),
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


@dataclass(frozen=True, slots=True)
class StudyFiles:
    """The files of a study: either a study file, or questions with any number of answers.

    `names` says how a file is called in messages (as typed, as uploaded; default its path);
    `encoding` and `sheet` say what cannot be seen with certainty.
    """

    study_file: Path | None = None
    questions: Path | None = None
    answers: Sequence[Path] = ()
    references: Sequence[Path] = ()
    names: Mapping[Path, str] = field(default_factory=dict)
    encoding: str | None = None
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A study fit to be stored: every item has a risk; `detected` names those it was found for."""

    study: ReadStudy
    detected: frozenset[str]
    warnings: tuple[Problem, ...]


def read_checked(files: StudyFiles, protocol: LoadedProtocol) -> Checked:
    """Return what the files hold, checked against the protocol and screened.

    Raises:
        ImportProblems: anything is wrong in a file, or its systems do not fit the protocol.
        StudyError: no files are named, or too many kinds of them.
    """
    if files.study_file and (files.questions or files.answers):
        raise StudyError("studies.both_files")
    if not files.study_file and not files.questions:
        raise StudyError("studies.no_files")
    read = read_study(
        study_file=files.study_file, questions=files.questions, answers=files.answers,
        references=files.references, names=files.names, encoding=files.encoding,
        sheet=files.sheet,
    )
    _check_fit(read, protocol)
    screening = screen(read)
    warnings = (
        *read.warnings, *_baseline_warning(read, protocol), *screening.warnings,
        *unknown_labels(read, protocol.scheme),
    )
    return Checked(_with_risks(read, screening), screening.detected, warnings)


def _check_fit(read: ReadStudy, protocol: LoadedProtocol) -> None:
    """Refuse systems the protocol cannot do with, as a problem of the file that holds them."""
    try:
        check_systems(read.systems, protocol.protocol)
    except StudyError as error:
        problem = Problem(read.file, 1, "system", error.code, error.values)
        raise ImportProblems((problem,)) from error
    for item in read.items:
        if item.key.startswith(EXTRA_KEYS):
            values: dict[str, object] = {"key": item.key.partition(":")[0] + ":"}
            raise ImportProblems((Problem(read.file, item.row, "id", "studies.check_key", values),))


def _baseline_warning(read: ReadStudy, protocol: LoadedProtocol) -> tuple[Problem, ...]:
    if not lacks_baseline(read.systems, protocol.protocol):
        return ()
    values: dict[str, object] = {"name": read.systems[0]}
    return (Problem(read.file, 1, "system", "studies.no_baseline", values),)


def _with_risks(read: ReadStudy, screening: Screening) -> ReadStudy:
    """Set the risk of items whose file gives none to what screening found."""
    marked = tuple(replace(one, risk=screening.risks[one.key]) for one in read.items)
    return replace(read, items=marked)


def files_digest(rows: Iterable[ImportedItem], detected: frozenset[str]) -> str:
    """Return the SHA-256 of the canonical rows: one JSON line per item, in file order.

    A detected risk is left out: the same file has the same digest when detection is improved.
    """
    digest = sha256()
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for item in rows:
        answers = [
            [name, given.text, given.distortions, given.model, given.adapter, given.prompt,
             given.run]
            for name, given in sorted(item.answers.items())
        ]
        risk = item.risk.value if item.risk and item.key not in detected else ""
        row: list[object] = [
            item.key, item.question, item.description, item.keywords, item.source, item.licence,
            risk, answers, item.references,
        ]
        if item.inclusion_probability is not None:  # else the digest is that of earlier versions
            row.append(item.inclusion_probability)
        digest.update(encode(row).encode())
        digest.update(b"\n")
    return digest.hexdigest()


SLUG: Final = re.compile(r"[a-z0-9-]{1,60}")
TITLE_CHARACTERS: Final = 200
FIRST_ROWS: Final = 5
LEAST_FREE_BYTES: Final = 50_000_000
"""Below this much free disk an import is refused (it would end half-way at best)."""

CREATED: Final = "study.create"

Step = Callable[[int, int], None]


def _silent(_done: int, _of: int) -> None:
    return


@dataclass(frozen=True, slots=True)
class Preview:
    """What the files hold, before anything is stored.

    With `problems` nothing can be imported and the counts are zero; `problem_count` counts those
    left out too. `rows` are the first items; `gates` is what the answers show (None without any).
    """

    items: int = 0
    answers: int = 0
    references: int = 0
    systems: tuple[str, ...] = ()
    rows: tuple[ImportedItem, ...] = ()
    risks: dict[str, int] | None = None
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0
    warnings: tuple[Problem, ...] = ()
    gates: Report | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """What an import did. `new` is false when the same data were there already.

    `read` is what the files hold (for the gates: the study itself tells no true names).
    """

    study_id: int
    slug: str
    new: bool
    counts: Counts
    systems: int
    digest: str
    warnings: tuple[Problem, ...] = ()
    read: ImportedStudy | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class _Ready:
    """Everything checked and at hand before the transaction begins."""

    slug: str
    title: str
    checked: Checked
    protocol: LoadedProtocol
    own_protocol: bool
    digest: str
    demonstration: bool


def preview(files: StudyFiles, *, protocol: LoadedProtocol | None = None) -> Preview:
    """Return what a set of files holds, or what is wrong in it; nothing is stored."""
    try:
        checked = read_checked(files, protocol or default_protocol())
    except ImportProblems as found:
        return Preview(problems=found.problems, problem_count=found.count)
    read = checked.study
    return Preview(
        items=len(read.items),
        answers=sum(len(one.answers) for one in read.items),
        references=sum(len(one.references) for one in read.items),
        systems=read.systems,
        rows=read.items[:FIRST_ROWS],
        risks={risk.value: sum(one.risk is risk for one in read.items) for risk in Risk},
        warnings=checked.warnings,
        gates=gates_of(read) if read.systems else None,
    )


def create_study(
    database: Database,
    person: Person,
    *,
    slug: str,
    title: str,
    files: StudyFiles,
    now: datetime,
    protocol: LoadedProtocol | Path | None = None,
    strict: bool = False,
    demonstration: bool = False,
    step: Step = _silent,
) -> Created:
    """Import a study: everything, or nothing and the reasons.

    The same data under the same short name again change nothing (`new` is false). The person who
    imports becomes its lead. `step` is told how many items are stored, of how many.

    Raises:
        ImportProblems: anything is wrong in the files (with `strict`, a warning too).
        StudyError: the name is taken or no name, or the protocol does not fit the files.
        Refused: the person may not create studies.
    """
    maker = guard.as_maker(database, person, act="create_study", now=now)
    maker.check()
    _check_names(slug, title)
    _check_space(database)
    loaded = load_protocol(protocol) if isinstance(protocol, Path) else protocol
    plan = loaded or default_protocol(title)
    checked = read_checked(files, plan)
    if strict:
        refuse_warnings(checked.warnings)
    digest = files_digest(checked.study.items, checked.detected)
    ready = _Ready(slug, title.strip(), checked, plan, loaded is not None, digest, demonstration)
    with maker.writing() as connection:
        standing = studies.by_slug(connection, slug)
        if standing is not None:
            return _same_again(connection, standing.id, ready)
        return _store(connection, person, ready, now, step)


def _store(
    connection: Connection, person: Person, ready: _Ready, now: datetime, step: Step
) -> Created:
    plan = ready.protocol.protocol
    study_id = studies.add(
        connection, slug=ready.slug, title=ready.title, stage=Stage.DRAFT.value,
        language=plan.language, source_kind=plan.source_kind,
        demonstration=int(ready.demonstration), created_at=stamp(now),
        created_by=person.id or None,
    )
    store_protocol(
        connection, study_id, ready.protocol, reason="", actor=person.code, now=now
    )
    read = ready.checked.study
    systems = store_systems(connection, study_id, read.systems, plan)
    items.add(
        connection, study_id, read.items, systems, detected=ready.checked.detected,
        step=lambda done: step(done, len(read.items)),
    )
    items.add_extras(connection, study_id, extras_of(plan).values())
    if not person.is_terminal:
        people.join(
            connection, study_id=study_id, person_id=person.id, role=Role.LEAD, now=now
        )
    counts = items.counts(connection, study_id)
    payload: audit.Payload = {
        "digest": ready.digest, "items": counts.items, "answers": counts.answers,
        "references": counts.references, "systems": len(systems),
        "protocol": ready.protocol.digest, "scales": ready.protocol.instrument.digest,
        "labels": ready.protocol.scheme.digest,
    }
    audit.append(
        connection, study_id=study_id, actor=person.code, action=CREATED, payload=payload, now=now
    )
    store(
        connection, study_id, read.items, ready.protocol.scheme, actor=person.code, now=now
    )
    return Created(
        study_id, ready.slug, True, counts, len(systems), ready.digest, ready.checked.warnings,
        read,
    )


def _same_again(connection: Connection, study_id: int, ready: _Ready) -> Created:
    """Return what stands when the same data come again.

    Raises:
        StudyError: the name holds other data, or another protocol was brought.
    """
    first = json.loads(audit.entries(connection, study_id)[0].payload)
    brought = ready.protocol.digest if ready.own_protocol else first["protocol"]
    if first["digest"] != ready.digest or first["protocol"] != brought:
        raise StudyError("studies.taken", slug=ready.slug)
    return Created(
        study_id, ready.slug, False, items.counts(connection, study_id), first["systems"],
        ready.digest, ready.checked.warnings,
    )


def _check_names(slug: str, title: str) -> None:
    if not SLUG.fullmatch(slug):
        raise StudyError("studies.slug", slug=slug[:60])
    if not title.strip() or len(title) > TITLE_CHARACTERS:
        raise StudyError("studies.bad_title")


def _check_space(database: Database) -> None:
    if not database.is_sqlite:
        return
    if shutil.disk_usage(database.path.parent).free < LEAST_FREE_BYTES:
        raise StudyError("studies.space", megabytes=LEAST_FREE_BYTES // 1_000_000)
