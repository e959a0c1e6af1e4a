"""What a report tells beside the analysis: the study, its people, its systems, its plan."""

from collections.abc import Mapping
from dataclasses import dataclass

from cbt_core.domain.instrument import Instrument, Scheme, Text
from cbt_core.domain.protocol import Ethics, Protocol
from cbt_core.generation.gates.findings import Report
from cbt_core.services.label_results import LabelResults
from cbt_core.services.registration import Amendment
from cbt_core.stats.values import Value
from db.studies import StudyRow


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
class MetricMean:
    """Mean of a metric over the answers of one system, items resampled; in the metric's unit."""

    system: str
    metric: str
    signature: str
    n: int
    mean: Value


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
