"""What every section is written from: analysis, context, language, and the words for them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cbt_core.services.reporting.blocks import Block, Figure, Form, Head, Mark, Section, Words
from cbt_core.services.reporting.context import ReportContext
from cbt_core.services.reporting.numbers import decimals, in_words, told
from cbt_core.services.study_analysis import Analysis
from cbt_core.stats.ratings import POOLED
from cbt_core.wording import say

Json = Mapping[str, object]
LEVEL: Final = 0.05


@dataclass(frozen=True, slots=True)
class Sheet:
    """An analysis with its context, told in a language."""

    analysis: Analysis
    context: ReportContext
    language: str

    def w(self, key: str, /, **values: object) -> str:
        """Return a sentence of section `report`."""
        return say(f"report.{key}", self.language, **values)

    def words(self, key: str, /, **values: object) -> Words:
        """Return a sentence as a paragraph."""
        return Words(self.w(key, **values))

    def note(self, key: str, /, **values: object) -> Words:
        """Return a sentence as a note."""
        return Words(self.w(key, **values), "note")

    def heads(self, *keys: str) -> tuple[Head, ...]:
        """Return columns by key; a key that ends with a colon is one of text."""
        return tuple(
            Head(key.rstrip(":"), self.w(f"col_{key.rstrip(':')}"), not key.endswith(":"))
            for key in keys
        )

    def scale(self, scale: str) -> str:
        """Return the name of a scale; its id where the instrument has no such scale any more."""
        found = next((one for one in self.context.instrument.scales if one.id == scale), None)
        return found.name(self.language) if found else scale

    def system(self, system: str) -> str:
        """Return the name of a system, or the words for all of them together."""
        return self.w("all_systems") if system == POOLED else system

    def reason(self, reason: object) -> str:
        """Return a reason of the JSON in words."""
        return in_words(str(reason), self.language)

    def told(self, figure: Figure) -> str:
        """Return a figure with limits as in a table, with the reason where it has none."""
        words = told(figure, self.language)
        if figure.value is None:
            return self.w("undefined", reason=words)
        if not figure.reason:
            return words
        return self.w("no_interval", value=words, reason=self.reason(figure.reason))

    def mark(self, section: str) -> Mark:
        """Return whether the plan names a section of the analysis."""
        return "planned" if self.analysis.planned.get(section) else "exploratory"

    def section(
        self, name: str, blocks: Sequence[Block], *, of: str = "", closed: bool = False
    ) -> Section:
        """Return a section; `of` names the part of the analysis it tells.

        `closed`: that part may not be told yet, and its reason stands there instead.
        """
        if closed:
            reason = self.reason(self.analysis.withheld.get(of, "closed"))
            blocks = [Words(self.w("closed", reason=reason))]
        mark: Mark = self.mark(of) if of else "descriptive"
        return Section(name, self.w(f"section_{name}"), mark, tuple(blocks))

    def list(self, words: Sequence[str]) -> str:
        """Return words joined as the language does."""
        return self.w("comma").join(words)

    def closed(self, part: str) -> bool:
        """Tell whether a part of the analysis may not be told yet."""
        return part in self.analysis.withheld

    @property
    def full_stop(self) -> str:
        """Return what stands between two sentences."""
        return "" if self.language == "zh" else " "


def at(json: object, *keys: str) -> object:
    """Return what stands at a path of a JSON, None where there is nothing."""
    for key in keys:
        if not isinstance(json, Mapping):
            return None
        json = json.get(key)
    return json


def items(json: object) -> Iterator[tuple[str, object]]:
    """Yield keys and values of a JSON object."""
    if isinstance(json, Mapping):
        yield from json.items()


def rows(json: object) -> Iterator[Json]:
    """Yield the objects of a JSON list."""
    if isinstance(json, list | tuple):
        for one in json:
            if isinstance(one, Mapping):
                yield one


def number(json: object) -> float | None:
    """Return a number of the JSON, None where there is none."""
    return float(json) if isinstance(json, int | float) and not isinstance(json, bool) else None


def count(json: object) -> int:
    """Return a count of the JSON."""
    return int(json) if isinstance(json, int | float) else 0


def value(json: object, form: Form = "score", *, reason: object = None, digits: int = 2) -> Figure:
    """Return a single number of the JSON, with the reason where it is missing."""
    found = number(json)
    why = str(reason) if found is None and reason else None
    return Figure(found, reason=why, form=form, digits=digits)


def signed(value: float | None, digits: int = 2) -> str:
    """Return a number in words; a dash where there is none."""
    return "–" if value is None else decimals(value, digits)
