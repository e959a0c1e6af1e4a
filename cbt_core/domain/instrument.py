"""The wording that is measured with: scales, checklist, label schemes; what of it is hashed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Final

CANNOT_RATE: Final = "cannot_rate"
"""The fourth choice of a scale: a reason for a missing score, never a number."""


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in Chinese and English."""

    zh: str
    en: str

    def __call__(self, language: str) -> str:
        """Return the words in a language (`zh` or `en`)."""
        return self.zh if language == "zh" else self.en


EMPTY: Final = Text("", "")
"""No words; written to no file."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a list to pick from: the id that is stored and exported, and its words."""

    id: str
    name: Text


@dataclass(frozen=True, slots=True)
class ScaleValue:
    """One choice of a scale: the number stored, a short label and the full anchor."""

    value: int
    label: Text
    anchor: Text


@dataclass(frozen=True, slots=True)
class Scale:
    """One rating scale. `level` is `answer` (once per slot) or `task` (once per task).

    `measure` is `ordinal` or `nominal`; nominal values are names, their order means nothing.
    """

    id: str
    name: Text
    question: Text
    values: tuple[ScaleValue, ...]
    level: str = "answer"
    measure: str = "ordinal"
    required: bool = True
    cannot_rate: bool = True

    def allows(self, value: int) -> bool:
        """Tell whether a number is one of the scale's values."""
        return any(choice.value == value for choice in self.values)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a CBT answer that the checklist asks for."""

    id: str
    name: Text
    definition: Text


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: why this answer to this question gets this value on this scale."""

    scale: str
    value: int
    question: Text
    answer: Text
    reason: Text


@dataclass(frozen=True, slots=True)
class Instrument:
    """Scales with their worked examples; versioned and hashed into every export.

    `digest` is the SHA-256 of the canonical content (hexadecimal).
    """

    id: str
    version: int
    name: Text
    scales: tuple[Scale, ...]
    steps: tuple[Step, ...]
    step_values: tuple[ScaleValue, ...]
    examples: tuple[Example, ...]
    digest: str
    source: Text = EMPTY

    def scale(self, scale_id: str) -> Scale:
        """Return a scale by id.

        Raises:
            KeyError: the instrument has no such scale.
        """
        for scale in self.scales:
            if scale.id == scale_id:
                return scale
        raise KeyError(scale_id)

    @property
    def signature(self) -> str:
        """Return the short name printed with every figure, e.g. ``cbt-3@1#ab12cd34``."""
        return f"{self.id}@{self.version}#{self.digest[:8]}"


@dataclass(frozen=True, slots=True)
class Label:
    """One cognitive distortion of a scheme, with what it is and what it is not.

    `aliases` are other spellings met in files (a data set's own names).
    """

    id: str
    name: Text
    definition: Text
    examples: tuple[Text, ...]
    near_miss: Text
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scheme:
    """A set of distortion labels; several may apply to one text.

    `second_hand` marks a set that was not taken from its authors' own text.
    """

    id: str
    version: int
    name: Text
    source: Text
    labels: tuple[Label, ...]
    digest: str
    second_hand: bool = False

    def label(self, label_id: str) -> Label:
        """Return a label by id.

        Raises:
            KeyError: the scheme has no such label.
        """
        for label in self.labels:
            if label.id == label_id:
                return label
        raise KeyError(label_id)

    def find(self, words: str) -> Label | None:
        """Return the label written in a file as id, Chinese or English name, or alias.

        Case, spaces, hyphens and underscores do not matter; None if nothing fits.
        """
        sought = _folded(words)
        for label in self.labels:
            names = (label.id, label.name.zh, label.name.en, *label.aliases)
            if sought in {_folded(name) for name in names}:
                return label
        return None

    @property
    def signature(self) -> str:
        """Return the short name printed with every figure, e.g. ``burns-12@1#ab12cd34``."""
        return f"{self.id}@{self.version}#{self.digest[:8]}"


@dataclass(frozen=True, slots=True)
class Match:
    """A label of another scheme; `exact` is false where the two only overlap."""

    label: str
    exact: bool


@dataclass(frozen=True, slots=True)
class Concept:
    """One idea that several schemes name: (scheme, label) pairs, the same or partly so."""

    id: str
    name: Text
    same: tuple[tuple[str, str], ...]
    partly: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """Which labels of different schemes mean the same; `digest` as in `Instrument`."""

    version: int
    concepts: tuple[Concept, ...]
    digest: str

    def matches(self, label: str, *, source: str, target: str) -> tuple[Match, ...]:
        """Return the labels of scheme `target` that a label of scheme `source` corresponds to.

        Exact matches come first; empty where `target` has nothing alike.
        """
        exactness: dict[str, bool] = {}
        for concept in self.concepts:
            all_pairs = concept.same + concept.partly
            if (source, label) not in all_pairs:
                continue
            for scheme, other in all_pairs:
                if scheme == target:
                    exact = {(source, label), (scheme, other)} <= set(concept.same)
                    exactness[other] = exactness.get(other, False) or exact
        ordered = sorted(exactness, key=lambda other: not exactness[other])
        return tuple(Match(other, exactness[other]) for other in ordered)


def _folded(words: str) -> str:
    return re.sub(r"[\s_-]+", "-", words.strip().casefold())


UNHASHED = frozenset({"digest"})


def content(thing: object) -> dict[str, object]:
    """Return a dataclass as plain tables, lists and values, keyed by field name.

    What is None, without words or an empty list of aliases is left out, so that a field added in
    a later version does not change the digest of a file that does not use it.
    """
    if not is_dataclass(thing):
        raise TypeError(f"not a dataclass: {type(thing).__name__}")
    table: dict[str, object] = {}
    for field in fields(thing):
        value = getattr(thing, field.name)
        if field.name not in UNHASHED and value not in (None, EMPTY, ()):
            table[field.name] = _plain(value)
    return table


def _plain(value: object) -> object:
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return content(value) if is_dataclass(value) else value
