"""What a report tells beside the analysis: the study, its people, its systems, its plan.

While a study is masked, true names of systems are taken out of texts that people wrote. A name is
replaced by the same words whichever system it is: a masked name in its place would tell which
system is which. Of where answers come from, model, adapter, prompt and run are told; no paths.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import PureWindowsPath
from statistics import median
from typing import Final, TypeVar

from cbt_core.analysis.labels import LabelResults
from cbt_core.analysis.machine import MetricMean
from cbt_core.analysis.rows import Facts
from cbt_core.analysis.study import Amendment, Analysis
from cbt_core.domain.instrument import Instrument, Scheme, Text
from cbt_core.domain.protocol import Ethics, ProfileField, Protocol
from cbt_core.domain.study_setup import StudyRow
from cbt_core.domain.submission import AnswerLine, Work
from cbt_core.generation.gates.recognition import Report
from cbt_core.instruments.shipped import defaults
from cbt_core.words import say


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """A system as it may be told: by masked name alone until the study is unblinded.

    `models`, `adapters`, `prompts`, `runs` are the distinct values imported with its answers, in
    order; empty while masked and where nothing was recorded. Of an adapter only the name of its
    folder is told; "" among `adapters` stands for answers of a model without any.
    """

    name: str
    is_baseline: bool
    answers: int
    models: tuple[str, ...] = ()
    adapters: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A source of items with its licence, as imported (empty: not recorded), and how many items."""

    source: str
    licence: str
    items: int


@dataclass(frozen=True, slots=True)
class ProfileSummary:
    """One question of the rater profile: answers by choice, in the order of the protocol.

    A question with free text has no choices: only `answered` is told. `declined` counts raters who
    gave no answer.
    """

    id: str
    name: Text
    choices: tuple[tuple[Text, int], ...]
    answered: int
    declined: int


@dataclass(frozen=True, slots=True)
class PeopleSummary:
    """Who took part, in counts. `rater_codes` are pseudonymous.

    `also_leads`, `also_annotators`: raters who hold that role too. `hours` are the raters' active
    hours, all together; `seconds_per_task` the median of a main task, None without one.
    `practised` raters passed the practice; `consent_versions` those that were signed.
    """

    raters: int
    annotators: int
    leads: int
    rater_codes: tuple[str, ...]
    also_leads: int
    also_annotators: int
    practised: int
    consented: int
    consent_versions: tuple[str, ...]
    hours: float
    seconds_per_task: float | None
    profile: tuple[ProfileSummary, ...]


@dataclass(frozen=True, slots=True)
class Prevalence:
    """How often labels stand in the gold of the study: items, with any label, by label.

    `adjudicated` items were decided by an adjudicator, `single` are one annotator's word, the rest
    follows the majority of the blind round.
    """

    items: int
    with_any: int
    by_label: tuple[tuple[str, int], ...]
    adjudicated: int
    single: int


@dataclass(frozen=True, slots=True)
class SeriousQuote:
    """A passage that somebody flagged as serious: told only when asked for."""

    item: str
    system: str
    kind: str
    quote: str


@dataclass(frozen=True, slots=True)
class ReportContext:
    """Everything beside the analysis that a report, its checklists and paragraphs are written from.

    While `masked` (the study is not unblinded), systems stand under masked names, and true names
    are taken out of texts that people wrote. Times are stored UTC text. `items_by_risk` counts
    main items in use; `references` human reference answers; `inputs`, `layouts`, `languages`
    count main submissions by how the sheet was used. `gates` is None for a study without systems;
    `labels` where nothing was labelled (`labels_withheld`: the reason it may not be told).
    `amendments` are all protocol versions after the first, `deviations` those after the first
    rating. `excluded` is (what, key or code, reason). `prevalence` goes with `labels`;
    `metric_means` wait for the lock.
    """

    study: StudyRow
    protocol: Protocol
    instrument: Instrument
    scheme: Scheme
    masked: bool
    is_terminal: bool
    people: PeopleSummary
    systems: tuple[SystemFacts, ...]
    sources: tuple[SourceFacts, ...]
    items: int
    items_by_risk: Mapping[str, int]
    references: int
    mean_answer_characters: float | None
    first_rating_at: str | None
    last_rating_at: str | None
    inputs: Mapping[str, int]
    layouts: Mapping[str, int]
    languages: Mapping[str, int]
    escalations: int
    gates: Report | None
    labels: LabelResults | None
    labels_withheld: str | None
    amendments: tuple[Amendment, ...]
    deviations: tuple[Amendment, ...]
    excluded: tuple[tuple[str, str, str], ...]
    prevalence: Prevalence | None = None
    metric_means: tuple[MetricMean, ...] = ()
    quotes: tuple[SeriousQuote, ...] = ()

    @property
    def ethics(self) -> Ethics:
        """Return the ethics record of the protocol in force."""
        return self.protocol.ethics

    @property
    def has_provenance(self) -> bool:
        """Tell whether every system names a model; unknown (False) while masked."""
        return bool(self.systems) and all(one.models for one in self.systems)


Thing = TypeVar("Thing")
WORD: Final = "A-Za-z0-9_-"
"""A name ends where these end; Chinese is written without spaces around it."""


class Veil:
    """Names that may not be told, and the words that stand in their place."""

    def __init__(self, names: Sequence[str], language: str) -> None:
        self._words = say("report.name_hidden", language)
        longest_first = sorted((name for name in names if name.strip()), key=len, reverse=True)
        self._pattern = (
            re.compile(
                "|".join(_bounded(name) for name in longest_first)
            )
            if longest_first
            else None
        )

    def text(self, text: str) -> str:
        """Return a text without the names."""
        return text if self._pattern is None else self._pattern.sub(self._words, text)

    def over(self, thing: Thing) -> Thing:
        """Return plain values, mappings and dataclasses with every text veiled."""
        if self._pattern is None:
            return thing
        return self._over(thing)  # type: ignore[return-value]

    def _over(self, thing: object) -> object:
        if isinstance(thing, str):
            return self.text(thing) if type(thing) is str else thing
        if isinstance(thing, dict):
            return {self._over(key): self._over(value) for key, value in thing.items()}
        if isinstance(thing, tuple | list):
            return type(thing)(self._over(one) for one in thing)
        if is_dataclass(thing) and not isinstance(thing, type):
            changed = {one.name: self._over(getattr(thing, one.name)) for one in fields(thing)}
            return replace(thing, **changed)
        return thing


def _bounded(name: str) -> str:
    """Return a pattern of a name that is no part of a longer word."""
    before = f"(?<![{WORD}])" if name[0].isascii() and name[0].isalnum() else ""
    after = f"(?![{WORD}])" if name[-1].isascii() and name[-1].isalnum() else ""
    return f"{before}{re.escape(name)}{after}"


def origin_of(answer: AnswerLine) -> Iterator[tuple[str, str]]:
    """Yield what is on record of an answer; a model named without an adapter has none."""
    if answer.model:
        yield "model", folder_name(answer.model) if _is_place(answer.model) else answer.model
    if answer.model or answer.adapter:
        yield "adapter", folder_name(answer.adapter)
    for part, value in (("prompt", answer.prompt), ("run", answer.run)):
        if value:
            yield part, value


def folder_name(place: str) -> str:
    """Return the last part of a path of any system; a name as it is."""
    return PureWindowsPath(place.strip()).name


def _is_place(model: str) -> bool:
    """Tell a path on a machine from a name such as `owner/model`."""
    return model.startswith(("/", "~", ".", "\\")) or bool(PureWindowsPath(model).drive)


SECONDS_PER_HOUR: Final = 3600


def people_summary(facts: Facts) -> PeopleSummary:
    """Count the people of a study and the time they gave."""
    held: dict[str, set[str]] = {}
    for member in facts.members:
        held.setdefault(member.role, set()).add(member.code)
    seats = [one for one in facts.seats if one.work == Work.RATE]
    main = [line for line in facts.material.lines if line.kind == "main" and line.submission_id]
    raters = {line.rater for line in main} | held.get("rater", set())
    times = [line.seconds for line in main if line.seconds]
    return PeopleSummary(
        raters=len(raters),
        annotators=len(held.get("annotator", set())),
        leads=len(held.get("lead", set())),
        rater_codes=tuple(sorted(raters)),
        also_leads=len(raters & held.get("lead", set())),
        also_annotators=len(raters & held.get("annotator", set())),
        practised=sum(one.practice_at is not None for one in seats),
        consented=sum(one.consent_at is not None for one in seats),
        consent_versions=tuple(sorted({one.consent_version for one in seats if one.consent_at})),
        hours=sum(one.seconds for one in seats) / SECONDS_PER_HOUR,
        seconds_per_task=median(times) if times else None,
        profile=_profile(facts, [one.profile for one in seats if one.consent_at]),
    )


def _profile(facts: Facts, stored: list[str | None]) -> tuple[ProfileSummary, ...]:
    asked = facts.setup.protocol.raters.profile or defaults().profile
    answers: list[Mapping[str, object]] = [json.loads(one) if one else {} for one in stored]
    return tuple(_question(one, answers) for one in asked)


def _question(asked: ProfileField, answers: list[Mapping[str, object]]) -> ProfileSummary:
    given = [str(one[asked.id]) for one in answers if one.get(asked.id)]
    counts = Counter(given)
    choices = [(words, counts[key]) for key, words in asked.choices]
    other = len(given) - sum(count for _, count in choices)
    if asked.choices and other:
        choices.append((_other(), other))
    return ProfileSummary(
        asked.id, asked.name, tuple(choices), len(given), len(answers) - len(given)
    )


def _other() -> Text:
    return Text("其他", "other")


def source_facts(pairs: Iterable[tuple[str, str]]) -> tuple[SourceFacts, ...]:
    """Count the items by source and licence."""
    counts = Counter(pairs)
    return tuple(SourceFacts(*pair, counts[pair]) for pair in sorted(counts))


def serious_quotes(facts: Facts) -> tuple[SeriousQuote, ...]:
    """Return the passages that raters flagged as serious, with system and kind."""
    quotes = []
    for line in facts.analysed():
        slots = {slot.slot: slot.system_id for slot in facts.shown(line)}
        for flag in facts.flags.get(line.submission_id or 0, ()):
            system = slots.get(flag.slot)
            if flag.severity == "serious" and flag.quote and system is not None:
                name = facts.material.systems[system]
                quotes.append(SeriousQuote(line.item, name, flag.kind, flag.quote))
    return tuple(quotes)


USER_WRITTEN: Final = ("title", "flow", "plan", "registered", "metrics", "judges")
"""Parts of an analysis that hold texts which people wrote."""


def veiled(analysis: Analysis, veil: Veil) -> Analysis:
    """Take true names out of what people wrote: titles, reasons, the plan's entries."""
    return replace(analysis, **{name: veil.over(getattr(analysis, name)) for name in USER_WRITTEN})
