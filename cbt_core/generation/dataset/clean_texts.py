"""Cleaning questions: what is washed out of a text, and which items are left out, and why."""

import html
import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final, Literal

from cbt_core.domain.study import ImportedItem
from cbt_core.files.screen_words import private_kinds
from cbt_core.generation.dataset.near_texts import THRESHOLD, near_pairs, plain

Reason = Literal[
    "nothing_left", "too_short", "too_long", "other_language", "exact_duplicate", "near_duplicate"
]

SHORTEST: Final = 10
LONGEST: Final = 5_000
"""Letters and digits of question and description together (PsyQA: 22.6 + 179.8 on average)."""

LANGUAGE_SHARE: Final = 0.5
"""Share of a text's letters that must be Han (zh) or Latin (en)."""

FILE: Final = Path(__file__).with_name("cleaning.toml")
TAG: Final = re.compile(
    r"<!--.*?-->|</?(?:p|br|div|span|a|b|i|u|s|em|strong|small|ul|ol|li|h[1-6]|hr|img|font|table|"
    r"tbody|thead|tr|t[dh]|blockquote|section|article|center|code|pre|video|audio|iframe|sup|sub)"
    r"(?:\s+[a-z:\-]+(?:=(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s<>\"']+))?){0,12}\s*/?>",
    re.IGNORECASE | re.DOTALL,
)
BREAK: Final = re.compile(r"<(?:br\s*/?|/p|/div|/li)>", re.IGNORECASE)
ENTITY: Final = re.compile(r"&(?:#\d{1,6}|#x[0-9a-f]{1,5}|[a-z]{2,8});", re.IGNORECASE)
UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffd]"
)
BLANKS: Final = re.compile(r"[^\S\n]+")
LINES: Final = re.compile(r"\s*\n\s*")
SENTENCE: Final = re.compile(r"[^。！？!?\n]*[。！？!?\n]*")
HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
LATIN: Final = re.compile("[A-Za-z\u00c0-\u024f]")


@dataclass(frozen=True, slots=True)
class Dropped:
    """An item left out; `of` is the item it repeats."""

    key: str
    reason: Reason
    of: str = ""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The items kept, in file order, those left out, and how many texts were changed by what."""

    kept: tuple[ImportedItem, ...]
    dropped: tuple[Dropped, ...]
    changed: dict[str, int] = field(default_factory=dict)

    def reasons(self) -> dict[str, int]:
        """Count the items left out by reason."""
        return dict(sorted(Counter(one.reason for one in self.dropped).items()))


@dataclass(frozen=True, slots=True)
class Rules:
    """How strict the cleaning is; `language` is `zh` or `en`, lengths are letters and digits."""

    language: str = "zh"
    shortest: int = SHORTEST
    longest: int = LONGEST
    threshold: float = THRESHOLD


def clean(items: Sequence[ImportedItem], rules: Rules | None = None) -> Cleaned:
    """Wash every text, leave out what is unfit, then what repeats an earlier item."""
    rules = rules or Rules()
    changes: Counter[str] = Counter()
    dropped: list[Dropped] = []
    fit: list[ImportedItem] = []
    for item in items:
        question, description = (
            washed(text, changes) for text in (item.question, item.description)
        )
        reason = _unfit(question, description, rules)
        if reason:
            dropped.append(Dropped(item.key, reason))
        else:
            fit.append(replace(item, question=question, description=description))
    repeats = _repeats(fit, rules.threshold)
    gone = {one.key for one in repeats}
    kept = tuple(item for item in fit if item.key not in gone)
    return Cleaned(kept, (*dropped, *repeats), dict(sorted(changes.items())))


def washed(text: str, changes: Counter[str] | None = None) -> str:
    """Return a text without markup, unseen characters and advertisements.

    `changes` counts the texts that each step changed.
    """
    counted: Counter[str] = Counter() if changes is None else changes
    for name, step in (("html", _without_markup), ("unseen", _without_unseen),
                       ("advert", _without_adverts), ("spacing", _spaced)):
        after = step(text)
        if after != text:
            counted[name] += 1
        text = after
    return text


def share_of(language: str, text: str) -> float:
    """Return the share of a text's letters that are of a language; 0 for a text without any."""
    han, latin = len(HAN.findall(text)), len(LATIN.findall(text))
    wanted = han if language == "zh" else latin
    return wanted / (han + latin) if han + latin else 0.0


def _without_markup(text: str) -> str:
    if "&" in text:
        text = ENTITY.sub(lambda found: html.unescape(found.group()), text)
    if "<" in text:
        text = TAG.sub("", BREAK.sub("\n", text))
    return text


def _without_unseen(text: str) -> str:
    return UNSEEN.sub("", text)


def _without_adverts(text: str) -> str:
    """Take out the sentences that advertise or say how to reach somebody."""
    rest = _remnants().sub("", text)
    lower = rest.lower()
    if not private_kinds(lower) and not _adverts().search(lower):
        return rest
    return "".join(
        sentence for sentence in SENTENCE.findall(rest)
        if not private_kinds(sentence) and not _adverts().search(sentence.lower())
    )


def _spaced(text: str) -> str:
    return LINES.sub("\n", BLANKS.sub(" ", text)).strip()


def _unfit(question: str, description: str, rules: Rules) -> Reason | None:
    whole = f"{question}\n{description}"
    length = len(plain(whole))
    if not length or not plain(question):
        return "nothing_left"
    if length < rules.shortest:
        return "too_short"
    if length > rules.longest:
        return "too_long"
    return "other_language" if share_of(rules.language, whole) < LANGUAGE_SHARE else None


def _repeats(items: Sequence[ImportedItem], threshold: float) -> list[Dropped]:
    """Return the items that repeat an earlier one that stays (a chain loses no more than that)."""
    texts = [f"{item.question}\n{item.description}" for item in items]
    gone: dict[int, Dropped] = {}
    for pair in near_pairs(texts, threshold=threshold):  # by second place, so firsts are settled
        same = pair.similarity == 1.0
        if pair.second in gone or (pair.first in gone and not same):
            continue
        reason: Reason = "exact_duplicate" if same else "near_duplicate"
        first = gone[pair.first].of if pair.first in gone else items[pair.first].key
        gone[pair.second] = Dropped(items[pair.second].key, reason, first)
    return [gone[place] for place in sorted(gone)]


@cache
def _adverts() -> re.Pattern[str]:
    return _any_of("adverts")


@cache
def _remnants() -> re.Pattern[str]:
    return re.compile(_any_of("remnants").pattern, re.IGNORECASE)


def _any_of(name: str) -> re.Pattern[str]:
    phrases = tomllib.loads(FILE.read_text("utf-8"))[name]
    return re.compile("|".join(re.escape(str(phrase)) for phrase in phrases))
