"""Answers joined to the references of their items; from files, or what is wrong with FILE:ROW."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cbt_core.domain.study import Problem
from cbt_core.files.fields import is_blank, judge_systems
from cbt_core.files.problems import WHOLE_FILE, Findings, Place, shown
from cbt_core.files.study import AnswerRow, answer_rows
from cbt_core.files.tables import ANSWERS, REFERENCES, Choice, Table, open_table


@dataclass(frozen=True, slots=True)
class Task:
    """One item: its references, and the answers to be scored against them."""

    references: tuple[str, ...]
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Answers by system, in one order of items.

    `keys` are the items that have a reference, in file order; `answers` holds, per system, the
    text of each item it answered.
    """

    keys: tuple[str, ...]
    references: Mapping[str, tuple[str, ...]]
    answers: Mapping[str, Mapping[str, str]]

    @property
    def systems(self) -> tuple[str, ...]:
        """Return the systems in order of first sight."""
        return tuple(self.answers)

    def keys_of(self, system: str) -> tuple[str, ...]:
        """Return the items a system answered, in the corpus' order."""
        own_answers = self.answers[system]
        return tuple(key for key in self.keys if key in own_answers)

    def common(self, systems: Iterable[str]) -> tuple[str, ...]:
        """Return the items all these systems answered."""
        sets = [self.answers[system] for system in systems]
        return tuple(key for key in self.keys if all(key in one for one in sets))

    def tasks(self, systems: Sequence[str]) -> list[tuple[Task, tuple[str, ...]]]:
        """Return each item with the answers of these systems, and whose they are."""
        tasks = []
        for key in self.keys:
            who = tuple(system for system in systems if key in self.answers[system])
            if who:
                texts = tuple(self.answers[system][key] for system in who)
                tasks.append((Task(self.references[key], texts), who))
        return tasks

    def digest(self, system: str) -> str:
        """Return the SHA-256 of a system's answers together with their references."""
        checksum = sha256()
        own_answers = self.answers[system]
        for key in self.keys_of(system):
            for text in (key, own_answers[key], *self.references[key]):
                part = text.encode()
                checksum.update(len(part).to_bytes(8, "big") + part)
            checksum.update(b"\n")
        return checksum.hexdigest()


def join(
    answers: Iterable[tuple[str, str, str]], references: Iterable[tuple[str, str]]
) -> Corpus:
    """Return the corpus of (item, system, answer) and (item, reference) rows.

    Raises:
        ValueError: an answer's item has no reference, or a system answers an item twice.
    """
    known: dict[str, list[str]] = {}
    for key, text in references:
        known.setdefault(key, []).append(text)
    by_system: dict[str, dict[str, str]] = {}
    for key, system, text in answers:
        own_answers = by_system.setdefault(system, {})
        if key not in known or key in own_answers:
            raise ValueError("an answer without a reference, or a second answer")
        own_answers[key] = text
    return Corpus(
        tuple(known), {key: tuple(texts) for key, texts in known.items()}, by_system
    )


STAND_IN = "-"
"""Stands for an empty answer while the row is read: the reader of answers refuses empty ones."""


@dataclass(frozen=True, slots=True)
class ReadCorpus:
    """What the files hold, and doubts about them."""

    corpus: Corpus
    warnings: tuple[Problem, ...]


def read_corpus(candidates: Sequence[Path], references: Path) -> ReadCorpus:
    """Return the answers of one or several files with their references.

    An empty answer is taken: a system that said nothing is scored for saying nothing. A reference
    must not be empty.

    Raises:
        ImportProblems: a file cannot be read, an answer's id has no reference, a system answers
            an item twice, or names of systems differ in spelling only.
    """
    findings = Findings()
    place = Place(str(references), findings)
    table = open_table(references, place, REFERENCES, Choice())
    known = [(row.key, row.answer.text) for row in answer_rows(table, place, system_required=False)]
    reader = _Candidates({key for key, _ in known})
    for path in candidates:
        reader.add(path, Place(str(path), findings))
    judge_systems(reader.met)
    if not reader.answers and not findings.failed():
        raise Place(str(candidates[0]), findings).stop(1, WHOLE_FILE, "metrics.no_candidates")
    findings.check()
    return ReadCorpus(join(reader.answers, known), findings.warnings())


class _Candidates:
    """The answers read so far."""

    def __init__(self, references: set[str]) -> None:
        self.answers: list[tuple[str, str, str]] = []
        self.met: dict[str, tuple[Place, int]] = {}
        self._references = references
        self._rows: dict[tuple[str, str], tuple[str, int]] = {}

    def add(self, path: Path, place: Place) -> None:
        empty: set[int] = set()
        table = open_table(path, place, ANSWERS, Choice())
        filled = Table(table.sheet, table.fields, _filled(table, empty))
        for row in answer_rows(filled, place):
            self._take(row, place, row.row in empty)

    def _take(self, row: AnswerRow, place: Place, empty: bool) -> None:
        if row.key not in self._references:
            place.refuse(row.row, "id", "metrics.no_reference", value=shown(row.key))
            return
        first = self._rows.get((row.key, row.system))
        if first is not None:
            place.refuse(row.row, "id", "metrics.answer_twice", file=first[0], where=first[1])
            return
        self._rows[row.key, row.system] = (place.name, row.row)
        if empty:
            place.warn(row.row, "answer", "metrics.answer_empty")
        self.met.setdefault(row.system, (place, row.row))
        self.answers.append((row.key, row.system, "" if empty else row.answer.text))


def _filled(table: Table, empty: set[int]) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the records, a stand-in where the answer is empty; their rows go into `empty`."""
    for row, record in table.records:
        text = record.get("answer")
        if isinstance(text, str) and is_blank(text):
            empty.add(row)
            yield row, {**record, "answer": STAND_IN}
        else:
            yield row, record
