"""What a study's files hold: read, checked against the protocol, screened; nothing is stored."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from cbt_core.domain.study import ImportedItem, Problem
from cbt_core.errors import StudyError
from cbt_core.files.problems import ImportProblems
from cbt_core.files.protocol import LoadedProtocol
from cbt_core.files.reading import ReadStudy, read_study
from cbt_core.files.screening import Screening, screen
from cbt_core.services.machine_labels import unknown_labels
from cbt_core.services.storing_studies import check_systems, lacks_baseline
from db.new_items import EXTRA_KEYS


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
    for one in read.items:
        if one.key.startswith(EXTRA_KEYS):
            values: dict[str, object] = {"key": one.key.partition(":")[0] + ":"}
            raise ImportProblems((Problem(read.file, one.row, "id", "studies.check_key", values),))


def _baseline_warning(read: ReadStudy, protocol: LoadedProtocol) -> tuple[Problem, ...]:
    if not lacks_baseline(read.systems, protocol.protocol):
        return ()
    values: dict[str, object] = {"name": read.systems[0]}
    return (Problem(read.file, 1, "system", "studies.no_baseline", values),)


def _with_risks(read: ReadStudy, screening: Screening) -> ReadStudy:
    """Set the risk of items whose file gives none to what screening found."""
    marked = tuple(replace(one, risk=screening.risks[one.key]) for one in read.items)
    return replace(read, items=marked)


def digest_of(rows: Iterable[ImportedItem], detected: frozenset[str]) -> str:
    """Return the SHA-256 of the canonical rows: one JSON line per item, in file order.

    A detected risk is left out: the same file has the same digest when detection is improved.
    """
    found = sha256()
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for one in rows:
        answers = [
            [name, given.text, given.distortions, given.model, given.adapter, given.prompt,
             given.run]
            for name, given in sorted(one.answers.items())
        ]
        risk = one.risk.value if one.risk and one.key not in detected else ""
        row: list[object] = [
            one.key, one.question, one.description, one.keywords, one.source, one.licence, risk,
            answers, one.references,
        ]
        if one.inclusion_probability is not None:  # else the digest is that of earlier versions
            row.append(one.inclusion_probability)
        found.update(encode(row).encode())
        found.update(b"\n")
    return found.hexdigest()
