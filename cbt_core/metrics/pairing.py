"""Answers joined to the references of their items."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256


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
        mine = self.answers[system]
        return tuple(key for key in self.keys if key in mine)

    def common(self, systems: Iterable[str]) -> tuple[str, ...]:
        """Return the items all these systems answered."""
        sets = [self.answers[system] for system in systems]
        return tuple(key for key in self.keys if all(key in one for one in sets))

    def tasks(self, systems: Sequence[str]) -> list[tuple[Task, tuple[str, ...]]]:
        """Return each item with the answers of these systems, and whose they are."""
        found = []
        for key in self.keys:
            who = tuple(system for system in systems if key in self.answers[system])
            if who:
                texts = tuple(self.answers[system][key] for system in who)
                found.append((Task(self.references[key], texts), who))
        return found

    def digest(self, system: str) -> str:
        """Return the SHA-256 of a system's answers together with their references."""
        found = sha256()
        mine = self.answers[system]
        for key in self.keys_of(system):
            for text in (key, mine[key], *self.references[key]):
                part = text.encode()
                found.update(len(part).to_bytes(8, "big") + part)
            found.update(b"\n")
        return found.hexdigest()


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
    found: dict[str, dict[str, str]] = {}
    for key, system, text in answers:
        mine = found.setdefault(system, {})
        if key not in known or key in mine:
            raise ValueError("an answer without a reference, or a second answer")
        mine[key] = text
    return Corpus(
        tuple(known), {key: tuple(texts) for key, texts in known.items()}, found
    )
