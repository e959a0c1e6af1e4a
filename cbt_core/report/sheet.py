"""What sections and checklists are written from: analysis, context, language, words.

A fact never guesses: what the database does not hold is left to the authors, with what is known
beside it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from cbt_core.analysis.study import Analysis
from cbt_core.domain.instrument import Scale, Text
from cbt_core.domain.study import Risk
from cbt_core.report.blocks import (
    Block,
    Figure,
    Form,
    Head,
    Mark,
    Section,
    Words,
    decimals,
    in_words,
    told,
)
from cbt_core.report.context import ReportContext
from cbt_core.stats.ratings import POOLED
from cbt_core.stats.values import Value, translated
from cbt_core.words import say

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
    told = [
        said("counted", name=said(f"risk_{one.value}"), count=counts[one.value])
        for one in Risk if counts.get(one.value)
    ]
    return said("risks", risks=listed(told)) if told else None


def series(parts: Sequence[Text]) -> Text:
    """Return parts of a sentence, the last one joined by `and`."""
    *first, last = parts
    head = ", ".join(one.en for one in first)
    return Text(
        zh="、".join(one.zh for one in parts), en=f"{head} and {last.en}" if head else last.en
    )


def interval(value: Value | Mapping[str, object], digits: int = 2) -> Text:
    """Return a figure with its 95 % limits, or the reason why there is none."""
    body = value.json() if isinstance(value, Value) else value
    point, low, high = (body.get(part) for part in ("value", "low", "high"))
    if not isinstance(point, int | float):
        reason = str(body.get("reason") or "")
        return said("undefined", reason=Text(*(translated(reason, one) for one in ("zh", "en"))))
    told = decimals(float(point), digits)
    if isinstance(low, int | float) and isinstance(high, int | float):
        told += f" [{decimals(float(low), digits)}, {decimals(float(high), digits)}]"
    return Text(told, told)


def strata_of(view: View, scale: str) -> dict[str, Mapping[str, object]]:
    """Return the agreement of a scale by system, or pooled where there is none by system."""
    scales = view.analysis.agreement.get("scales")
    found = scales.get(scale) if isinstance(scales, dict) else None
    if not isinstance(found, dict):
        return {}
    apart = {name: body for name, body in found.items() if name != POOLED}
    return apart or found


def pooled_of(view: View, scale: str) -> Mapping[str, object]:
    """Return the agreement of a scale over all systems; empty where nothing was scored."""
    scales = view.analysis.agreement.get("scales")
    found = scales.get(scale) if isinstance(scales, dict) else None
    body = found.get(POOLED) if isinstance(found, dict) else None
    return body if isinstance(body, dict) else {}


def stratum_name(name: str) -> Text:
    """Return the name of a stratum: a system, or all of them together."""
    return said("all_systems") if name == POOLED else Text(name, name)


def number_in(body: Mapping[str, object], key: str) -> int:
    """Return a count of the JSON, 0 where it is absent."""
    found = body.get(key)
    return found if isinstance(found, int) else 0


def setting(view: View, name: str) -> str:
    """Return a setting from the signature of the agreement (``boot``, ``data``), empty if none."""
    parts = str(view.analysis.agreement.get("signature", "")).split("|")
    return next((one.partition(":")[2] for one in parts if one.startswith(f"{name}:")), "")


def has_crossed(view: View) -> bool:
    """Tell whether any difference with raters taken as a sample could be estimated."""
    return any(
        isinstance(crossed := one.get("difference_crossed"), dict)
        and crossed.get("value") is not None
        for _, one in comparisons(view)
    )


def has_pairs(view: View) -> bool:
    """Tell whether any two systems were scored by the same raters on the same items."""
    return any(
        isinstance(found := one.get("difference"), dict) and found.get("value") is not None
        for _, one in comparisons(view)
    )


def comparisons(view: View) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield every comparison with its scale."""
    scales = (view.analysis.comparison or {}).get("scales")
    for scale, body in (scales.items() if isinstance(scales, dict) else ()):
        for one in body.get("comparisons", ()):
            yield scale, one


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
