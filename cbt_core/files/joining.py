"""Answers and references joined to the items they belong to, and the set checked as a whole."""

from collections.abc import Iterable
from dataclasses import replace

from cbt_core.domain.study import ImportedItem
from cbt_core.files.answers import AnswerRow
from cbt_core.files.items import ItemReader
from cbt_core.files.keys import Naming, judge_systems
from cbt_core.files.limits import SYSTEMS
from cbt_core.files.problems import Place, shown

FIRST_ITEMS: int = 10
"""How many items without all systems are named."""


class Join:
    """The items of a study while answers and references are added to them."""

    def __init__(self, reader: ItemReader) -> None:
        """Start with the items, and the answers their own file has."""
        self.places: dict[str, dict[str, tuple[str, int]]] = {}
        self._reader = reader
        self._items = reader.items
        self._place = reader.place
        self._met = {name: (reader.place, row) for name, row in reader.system_rows.items()}
        self._references: dict[str, list[str]] = {}

    def items(self) -> tuple[ImportedItem, ...]:
        """Return the items in file order."""
        return tuple(
            replace(item, references=item.references + tuple(self._references[item.key]))
            if item.key in self._references
            else item
            for item in self._items.values()
        )

    def systems(self) -> tuple[str, ...]:
        """Return the systems in order of first sight."""
        return tuple(self._met)

    def add_answers(self, rows: Iterable[AnswerRow], place: Place) -> None:
        """Give each answer to its item; an unknown item or a second answer is noted."""
        for found in rows:
            item = self._item(found, place)
            if found.system not in self._met:
                self._meet(found.system, found.row, place)
            if item is None:
                continue
            if found.system in item.answers:
                self._refuse_second(found, item, place)
                continue
            item.answers[found.system] = found.answer
            self.places.setdefault(item.key, {})[found.system] = (place.name, found.row)

    def add_references(self, rows: Iterable[AnswerRow], place: Place) -> None:
        """Give each reference to its item."""
        for found in rows:
            item = self._item(found, place)
            if item is not None:
                self._references.setdefault(item.key, []).append(found.answer.text)

    def check(self) -> None:
        """Refuse names that differ in spelling only, ids that tell a system, unequal sets."""
        judge_systems(self._met)
        if not self._place.findings.failed():
            self._judge_sets()
        self._judge_keys()

    def _refuse_second(self, found: AnswerRow, item: ImportedItem, place: Place) -> None:
        """Say where the first answer stands: an item's own file may have brought it."""
        file, row = self.places.get(item.key, {}).get(found.system, (self._place.name, item.row))
        if file == place.name:
            place.refuse(found.row, "system", "answer_twice", where=row)
        else:
            place.refuse(found.row, "system", "answer_elsewhere", file=file, where=row)

    def _meet(self, system: str, row: int, place: Place) -> None:
        self._met[system] = (place, row)
        if len(self._met) > SYSTEMS:
            raise place.stop(row, "system", "too_many_systems", limit=SYSTEMS)

    def _item(self, found: AnswerRow, place: Place) -> ImportedItem | None:
        item = self._items.get(found.key)
        if item is None:
            like = self._reader.keys.like(found.key)
            value = shown(found.key)
            if like is None:
                place.refuse(found.row, "id", "item_unknown", value=value)
            else:
                place.refuse(found.row, "id", "item_like", value=value, other=shown(like))
        return item

    def _judge_keys(self) -> None:
        """Refuse ids that hold a system's name: the rater may see ids, never systems."""
        naming = Naming(self._met)
        for key, row in self._reader.keys.rows.items():
            if naming.named_in(key):
                self._place.refuse(row, "id", "key_names_system", value=shown(key))

    def _judge_sets(self) -> None:
        """Refuse when some items lack an answer: counts per system, first items by name."""
        lacking = [item for item in self._items.values() if len(item.answers) < len(self._met)]
        if not lacking:
            return
        total = len(self._items)
        counts = dict.fromkeys(self._met, 0)
        for item in self._items.values():
            for system in item.answers:
                counts[system] += 1
        told = ", ".join(f"{shown(name)} {count}/{total}" for name, count in counts.items())
        first = ", ".join(shown(item.key) for item in lacking[:FIRST_ITEMS])
        self._place.refuse(
            lacking[0].row, "answers", "systems_unequal", counts=told, items=first, n=len(lacking)
        )
