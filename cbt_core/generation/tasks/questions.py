"""Questions of a file, one at a time: checked as a whole first, then read again as needed."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from cbt_core.domain.study import ImportedItem, Problem
from cbt_core.files.fields import Values
from cbt_core.files.items import PSYQA, ItemReader
from cbt_core.files.problems import WHOLE_FILE, Findings, Place, shown
from cbt_core.files.tables import ITEMS, Choice, open_table

PSYQA_MARK: Final = b'"questionID"'
"""The id of a PsyQA record: a file that has it holds PsyQA's questions, with answers or without."""

HEAD_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Question:
    """One question as a model is asked it; `source` '' when the file does not say."""

    key: str
    question: str
    description: str
    source: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that can be read: how many questions, from which sources, with which digest.

    `digest` is the SHA-256 of ids and texts in order; `sources` counts questions by source.
    """

    count: int
    sources: Mapping[str, int]
    digest: str
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Questions:
    """The first `limit` questions of a file (None: all). `name` is the file as typed."""

    path: Path
    name: str = ""
    encoding: str | None = None
    sheet: str | None = None
    limit: int | None = None

    def check(self) -> Checked:
        """Read the whole file and keep only counts.

        Raises:
            ImportProblems: anything is wrong in it, beyond the limit too.
        """
        findings = Findings()
        sources: Counter[str] = Counter()
        digest = hashlib.sha256()
        count = 0
        for item in self._stream(findings):
            if self.limit is None or count < self.limit:
                count += 1
                sources[item.source] += 1
                line = json.dumps([item.key, item.question, item.description], ensure_ascii=False)
                digest.update(line.encode("utf-8", "replace") + b"\n")
        findings.check()
        return Checked(count, dict(sources), digest.hexdigest(), findings.warnings())

    def __iter__(self) -> Iterator[Question]:
        """Yield the questions of a file that `check` has passed."""
        return islice(self._stream(Findings(), again=True), self.limit)

    def _stream(self, findings: Findings, *, again: bool = False) -> Iterator[Question]:
        place = Place(self.name or str(self.path), findings)
        table = open_table(self.path, place, ITEMS, Choice(self.encoding, self.sheet))
        reader = _Reader(table, place)
        fallback = PSYQA if _is_psyqa(self.path) else ""
        met = 0
        for item in reader.once_more() if again else reader.judged():
            met += 1
            yield Question(item.key, item.question, item.description, item.source or fallback)
        if not met and not findings.failed():
            place.refuse(1, WHOLE_FILE, "no_records")


class _Reader(ItemReader):
    """Judges every record as an import does, but keeps digests where an import keeps texts."""

    def judged(self) -> Iterator[ImportedItem]:
        """Yield the items, each id once, and note what is wrong."""
        digests: dict[str, bytes] = {}
        for item in self._each():
            if self.keys.add(item.key, item.row, self.place):
                digests[item.key] = _digest(item)
                yield item
            else:
                self._again(item, same=digests[item.key] == _digest(item))

    def once_more(self) -> Iterator[ImportedItem]:
        """Yield the items of a file that was judged before; of each id only a hash is kept."""
        seen: set[int] = set()
        for item in self._each():
            if hash(item.key) not in seen:
                seen.add(hash(item.key))
                yield item

    def _each(self) -> Iterator[ImportedItem]:
        values = Values(self.place, sheet=self._table.sheet)
        for row, record in self._table.records:
            values.at(row, record)
            item = self._item(values, record)
            if item.key:
                yield item

    def _again(self, item: ImportedItem, *, same: bool) -> None:
        details: dict[str, object] = {"value": shown(item.key), "where": self.keys.rows[item.key]}
        if same:
            self.place.warn(item.row, "id", "record_twice", **details)
        else:
            self.place.refuse(item.row, "id", "key_twice", **details)


def _digest(item: ImportedItem) -> bytes:
    text = "\0".join((item.question, item.description, *item.references))
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).digest()


def _is_psyqa(path: Path) -> bool:
    with path.open("rb") as file:
        return PSYQA_MARK in file.read(HEAD_BYTES)
