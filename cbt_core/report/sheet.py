"""What sections and checklists are written from: analysis, context, language, words.

A fact never guesses: what the database does not hold is left to the authors, with what is known
beside it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from cbt_core.analysis.study import Analysis
from cbt_core.domain.instrument import Scale, Text
from cbt_core.domain.study import Risk
from cbt_core.report.blocks import (
    Block,
    Figure,
    Head,
    Mark,
    Section,
    Words,
    decimals,
    in_words,
    told,
)
from cbt_core.report.context import ReportContext
from cbt_core.stats.comparison.contrasts import SystemContrast
from cbt_core.stats.ratings import POOLED
from cbt_core.stats.values import Framed, translated
from cbt_core.words import say

Json = Mapping[str, object]
"""A filled checklist, or the whole analysis, as it stands in its file."""


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
        entry = next((one for one in self.context.instrument.scales if one.id == scale), None)
        return entry.name(self.language) if entry else scale

    def system(self, system: str) -> str:
        """Return the name of a system, or the words for all of them together."""
        return self.w("all_systems") if system == POOLED else system

    def reason(self, reason: str | None) -> str:
        """Return a reason in words."""
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


def signed(value: float | None, digits: int = 2) -> str:
    """Return a number in words; a dash where there is none."""
    return "–" if value is None else decimals(value, digits)


State = Literal["answered", "not_applicable", "authors"]
DAY: Final = 10
"""Characters of a stored time that are its date."""

FULL_STOPS: Final = frozenset("。！？；”")
"""After these Chinese sentences follow one another without a space."""

NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
"""Counts as words in running English text."""


@dataclass(frozen=True, slots=True)
class View:
    """What facts are drawn from."""

    analysis: Analysis
    context: ReportContext

    @property
    def is_closed(self) -> bool:
        """Tell whether the study is locked, so that systems may be told apart."""
        return self.context.study.stage.is_closed

    @property
    def is_single(self) -> bool:
        """Tell whether every task shows one answer."""
        return self.context.protocol.design.panel.value == "single"


@dataclass(frozen=True, slots=True)
class Told:
    """One item: an answer; or the reason why it does not apply; or what the authors must write."""

    state: State
    answer: Text | None = None
    reason: Text | None = None


Fact = Callable[[View], Told]
ScaleFact = Callable[[View, Scale], Told]


def said(key: str, **values: object) -> Text:
    """Return a sentence of section `checklists`; a Text among the values goes in by language."""

    def words(language: str) -> str:
        inner = {
            name: value(language) if isinstance(value, Text) else value
            for name, value in values.items()
        }
        return say(f"checklists.{key}", language, **inner)

    return Text(zh=words("zh"), en=words("en"))


def joined(parts: Iterable[Text | None]) -> Text:
    """Return sentences one after the other."""
    kept = [part for part in parts if part is not None]
    zh = "".join(one.zh if one.zh[-1:] in FULL_STOPS else f"{one.zh} " for one in kept)
    return Text(zh=zh.rstrip(), en=" ".join(one.en for one in kept))


def listed(parts: Iterable[Text | str], *, many: bool = False) -> Text:
    """Return parts as an enumeration; `many` sets semicolons between longer ones."""
    kept = [Text(one, one) if isinstance(one, str) else one for one in parts]
    zh, en = ("；", "; ") if many else ("、", ", ")
    return Text(zh=zh.join(one.zh for one in kept), en=en.join(one.en for one in kept))


def answered(*parts: Text | None) -> Told:
    """Return an answer from its sentences; without any the item is left to the authors."""
    if all(part is None for part in parts):
        return authors()
    return Told("answered", answer=joined(parts))


def authors(*known: Text | None) -> Told:
    """Leave an item to the authors, with what is known or has to be thought of."""
    parts = [part for part in known if part is not None]
    return Told("authors", reason=joined(parts) if parts else said("not_recorded"))


def not_applicable(reason: Text) -> Told:
    """Return that an item does not apply, and why."""
    return Told("not_applicable", reason=reason)


def date(at: str | None) -> str:
    """Return the date of a stored UTC time, empty for none."""
    return (at or "")[:DAY]


def percent(share: float) -> Text:
    """Return a share (0 to 1) in whole percent."""
    return Text(zh=f"{100 * share:.0f}%", en=f"{100 * share:.0f} %")


def many(count: int, noun: str) -> Text:
    """Return a count for running text: figure in Chinese; in English `two raters`, `one rater`."""
    word = NUMBERS[count] if 0 <= count < len(NUMBERS) else str(count)
    return Text(zh=str(count), en=f"{word} {noun}" if count == 1 else f"{word} {noun}s")


def risks(view: View) -> Text | None:
    """Return the items by marked risk; None where there are no items."""
    counts = view.context.items_by_risk
    phrases = [
        said("counted", name=said(f"risk_{one.value}"), count=counts[one.value])
        for one in Risk if counts.get(one.value)
    ]
    return said("risks", risks=listed(phrases)) if phrases else None


def series(parts: Sequence[Text]) -> Text:
    """Return parts of a sentence, the last one joined by `and`."""
    *first, last = parts
    head = ", ".join(one.en for one in first)
    return Text(
        zh="、".join(one.zh for one in parts), en=f"{head} and {last.en}" if head else last.en
    )


def interval(value: Framed, digits: int = 2) -> Text:
    """Return a figure with its 95 % limits, or the reason why there is none."""
    if value.value is None:
        reason = value.reason or ""
        return said("undefined", reason=Text(*(translated(reason, one) for one in ("zh", "en"))))
    words = decimals(value.value, digits)
    if value.low is not None and value.high is not None:
        words += f" [{decimals(value.low, digits)}, {decimals(value.high, digits)}]"
    return Text(words, words)


def stratum_name(name: str) -> Text:
    """Return the name of a stratum: a system, or all of them together."""
    return said("all_systems") if name == POOLED else Text(name, name)


def setting(view: View, name: str) -> str:
    """Return a setting from the signature of the agreement (``boot``, ``data``), empty if none."""
    parts = view.analysis.agreement.signature.split("|")
    return next((one.partition(":")[2] for one in parts if one.startswith(f"{name}:")), "")


def comparisons(view: View) -> list[tuple[str, SystemContrast]]:
    """Return every comparison with its scale; none where nothing was compared."""
    compared = view.analysis.comparison
    return compared.contrasts if compared else []


def has_crossed(view: View) -> bool:
    """Tell whether any difference with raters taken as a sample could be estimated."""
    return any(one.difference_crossed.value is not None for _, one in comparisons(view))


def has_pairs(view: View) -> bool:
    """Tell whether any two systems were scored by the same raters on the same items."""
    return any(one.difference.value is not None for _, one in comparisons(view))


def scale_line(scale: Scale) -> Text:
    """Return a scale with its values, e.g. ``Relevance (0, 1, 2)``."""
    values = listed(str(choice.value) for choice in scale.values)
    return Text(zh=f"{scale.name.zh}（{values.zh}）", en=f"{scale.name.en} ({values.en})")


def instrument_line(view: View) -> Text:
    """Return the instrument with version and digest."""
    tool = view.context.instrument
    return said(
        "instrument_line", name=tool.name, version=tool.version, digest=tool.digest[:8], id=tool.id
    )


def scale_name(view: View, scale: str) -> Text:
    """Return the name of a scale of the instrument."""
    return next(one.name for one in view.context.instrument.scales if one.id == scale)


def missing_counts(view: View) -> tuple[int, int]:
    """Return how many scores were asked for, and how many of them are missing."""
    asked = sum(one.expected for one in view.analysis.missingness)
    return asked, asked - sum(one.given for one in view.analysis.missingness)
