"""Distortions as a model wrote them, brought to the labels of one scheme."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from cbt_core.domain.instrument import Crosswalk, Scheme
from cbt_core.instruments.shipped import load_crosswalk, load_scheme, shipped_schemes

NOTHING: Final = frozenset(
    {
        "", "无", "没有", "暂无", "不存在", "无明显认知歪曲", "没有明显的认知歪曲", "无认知歪曲",
        "none", "no distortion", "no distortions", "n/a", "na", "null",
    }
)
"""What a model writes where it sees no distortion."""

NUMBERING: Final = re.compile(r"^\s*(?:[0-9]{1,2}|[一二三四五六七八九十]{1,2})\s*[.、．)）:：]\s*")
BRACKETS: Final = re.compile(r"\s*[（(]([^（）()]*)[)）]\s*")
QUOTES: Final = " \t\n\"'“”‘’「」『』《》【】[]*_#。.，,；;：:"


@dataclass(frozen=True, slots=True)
class Parsed:
    """The labels found, in the scheme's order, and the names no label answers to."""

    labels: tuple[str, ...]
    unknown: tuple[str, ...] = ()


class LabelParser:
    """Finds the labels that names stand for: ids, names in both languages, aliases, crosswalk.

    A name of another shipped scheme is taken where the crosswalk calls it the same; one that
    only partly overlaps stays unknown.
    """

    def __init__(self, scheme: Scheme, crosswalk: Crosswalk | None = None) -> None:
        """Prepare for one scheme; without a crosswalk the shipped one is used."""
        self.scheme = scheme
        self._crosswalk = crosswalk or load_crosswalk()
        self._order = {label.id: place for place, label in enumerate(scheme.labels)}
        self._known: dict[str, str | None] = {}
        self._squeezed = {
            _squeezed(written): label.id
            for label in reversed(scheme.labels)
            for written in (label.id, label.name.zh, label.name.en, *label.aliases)
        }

    def parse(self, names: Iterable[str]) -> Parsed:
        """Return the labels of some names; "none" and its like are no name."""
        labels: set[str] = set()
        unknown: dict[str, None] = {}
        for name in names:
            bare = name.strip(QUOTES)
            if bare.casefold() in NOTHING:
                continue
            label = self.label(bare)
            if label is None:
                unknown[bare] = None
            else:
                labels.add(label)
        return Parsed(tuple(sorted(labels, key=self._order.__getitem__)), tuple(unknown))

    def label(self, name: str) -> str | None:
        """Return the id of the label a name stands for, None when there is none."""
        if name not in self._known:
            matches = (self._find(spelling) for spelling in _spellings(name))
            self._known[name] = next((one for one in matches if one), None)
        return self._known[name]

    def _find(self, spelling: str) -> str | None:
        own = self.scheme.find(spelling)
        if own is not None:
            return own.id
        if _squeezed(spelling) in self._squeezed:
            return self._squeezed[_squeezed(spelling)]
        for source in shipped_schemes():
            other = load_scheme(source).find(spelling)
            if other is None or source == self.scheme.id:
                continue
            matches = self._crosswalk.matches(other.id, source=source, target=self.scheme.id)
            exact = [match.label for match in matches if match.exact]
            if exact:
                return exact[0]
        return self._concept(spelling)

    def _concept(self, spelling: str) -> str | None:
        sought = spelling.casefold()
        for concept in self._crosswalk.concepts:
            if sought in {concept.id, concept.name.zh.casefold(), concept.name.en.casefold()}:
                return dict(concept.same).get(self.scheme.id)
        return None


def _squeezed(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _spellings(name: str) -> Iterator[str]:
    """Yield ways to read a name: as it is, unnumbered, without and inside of brackets."""
    yield name
    bare = NUMBERING.sub("", name).strip(QUOTES)
    yield bare
    yield BRACKETS.sub("", bare).strip(QUOTES)
    yield from (inner.strip(QUOTES) for inner in BRACKETS.findall(bare))
    for part in (part for part in re.split(r"\s*[/／|]\s*", bare) if part != bare):
        yield part.strip(QUOTES)
