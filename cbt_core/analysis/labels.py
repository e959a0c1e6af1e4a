"""A study's labels to typed results: between annotators, beside machines, extra measures.

The extra ones, unified agreement gamma, Dawid-Skene, MACE, need optional packages.
"""

import hashlib
import importlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Final

import numpy as np
import pandas as pd

from cbt_core.analysis.gold import GoldLabels
from cbt_core.domain.instrument import Scheme
from cbt_core.domain.labels import LabelLine
from cbt_core.domain.study import Stage
from cbt_core.domain.study_setup import StudySetup
from cbt_core.errors import StudyError
from cbt_core.files.writer import Column, Table, csv_bytes, write_whole
from cbt_core.stats.labels import label_sets
from cbt_core.stats.labels.anchoring import Anchoring, Answered, TwoRounds, anchoring
from cbt_core.stats.labels.annotators import LabelsAgreement, Setting, labels_agreement
from cbt_core.stats.labels.detection import Detection, Evaluation, JudgedRow, evaluate
from cbt_core.stats.labels.label_sets import LabelRow, LabelSets, Reason, gather, undefined
from cbt_core.stats.labels.spans import Documents, SpanRow
from cbt_core.stats.ratings import Floats, Integers
from cbt_core.stats.values import Value, with_interval
from cbt_core.words import say

DECIDED: Final = frozenset({"labelled", "none"})
BLIND, MODEL = "blind", "model"
Sets = dict[str, frozenset[str]]
Place = tuple[str, str]
"""Item key and annotator code."""


@dataclass(frozen=True, slots=True, eq=False)
class Entered:
    """The labels of a study without what the analysis leaves out.

    `first`: of each annotator and item the first round's last revision, `is_blind`: none of them
    was given with the machine's labels on the screen; `gold`: undecided items among it;
    `machines`: by source, item -> labels, an empty set where it ran and found nothing; `rounds`,
    `answers`: what anchoring is told from; `chances`: by item key the probability with which it
    was drawn, where that is known.
    """

    first: Sequence[LabelRow]
    is_blind: bool
    documents: Documents
    gold: Mapping[str, GoldLabels]
    machines: Mapping[str, Mapping[str, frozenset[str]]]
    rounds: Sequence[TwoRounds]
    answers: Sequence[Answered]
    chances: Mapping[str, float]

    @property
    def digest(self) -> str:
        """Return the SHA-256 (hexadecimal) of everything the figures are made of."""
        fingerprint = hashlib.sha256(self.documents.digest.encode())
        for row in self.first:
            fingerprint.update(_digested(row.item, row.annotator, row.labels))
        for item, ruling in self.gold.items():
            fingerprint.update(_digested(item, f"{ruling.rule} {ruling.has_any}", ruling.labels))
        for source, machine in sorted(self.machines.items()):
            for item, labels in sorted(machine.items()):
                fingerprint.update(_digested(source, item, labels))
        for two in self.rounds:
            fingerprint.update(_digested(two.item, two.annotator, two.before))
            fingerprint.update(_digested(two.item, two.annotator, two.after))
        fingerprint.update(repr(sorted(self.chances.items())).encode())
        for answered in self.answers:
            fingerprint.update(_digested(answered.label, answered.answer, None))
        return fingerprint.hexdigest()


def _digested(first: str, second: str, labels: Set[str] | None) -> bytes:
    given = "<unsure>" if labels is None else "|".join(sorted(labels))
    return f"{first}\0{second}\0{given}\n".encode()


@dataclass(frozen=True, slots=True, eq=False)
class EnteredLines:
    """Newest submissions that count, by round, with their labels."""

    by_round: Mapping[str, Mapping[Place, LabelLine]]
    labels: Mapping[int, frozenset[str]]

    def first(self) -> dict[Place, LabelLine]:
        """Return the first round of every annotator and item, in the order of their keys."""
        lines = {**self.by_round[MODEL], **self.by_round[BLIND]}
        return dict(sorted(lines.items()))

    def given(self, line: LabelLine | None) -> frozenset[str] | None:
        """Return the labels of a submission; None where nothing was decided."""
        if line is None or line.outcome not in DECIDED:
            return None
        return self.labels.get(line.id, frozenset())


def two_rounds(
    lines: EnteredLines, machines: Mapping[str, Mapping[str, frozenset[str]]]
) -> list[TwoRounds]:
    """Return the label sets of those who labelled alone and then saw a machine's proposals."""
    rounds = []
    for place, late in sorted(lines.by_round[MODEL].items()):
        before = lines.given(lines.by_round[BLIND].get(place))
        after = lines.given(late)
        if before is not None and after is not None:
            shown = [mine.get(place[0], frozenset()) for mine in machines.values()]
            rounds.append(TwoRounds(*place, before, after, frozenset[str]().union(*shown)))
    return rounds


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """One machine against gold, and gold (rows) by machine (columns).

    `name` is the source once the study is unblinded, before that M1, M2 …
    """

    name: str
    found: Detection
    matrix: Integers


@dataclass(frozen=True, slots=True, eq=False)
class LabelResults:
    """Figures of a study's labels, with the tables for heat maps.

    `agreement` is that of the first labels, `is_blind` tells whether they were given alone;
    `first` holds them by annotator and item; `together` counts labels that come together (L, L).
    `detected` and `anchoring` are empty and None before the lock, or where there is nothing.
    """

    stage: Stage
    scheme: Scheme
    agreement: LabelsAgreement
    is_blind: bool
    first: Mapping[str, Mapping[str, frozenset[str]]]
    together: Integers
    detected: tuple[Detected, ...] = ()
    anchoring: Anchoring | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the ids of the scheme's labels."""
        return tuple(label.id for label in self.scheme.labels)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return the pairs of annotators with an item in common."""
        return tuple(
            (a, b) for a, b in combinations(sorted(self.first), 2)
            if self.first[a].keys() & self.first[b].keys()
        )

    def confusion(self, a: str, b: str) -> Integers:
        """Return what annotator b (columns) gave where a (rows) gave something (L + 1, L + 1)."""
        own_sets, other = self.first[a], self.first[b]
        common = sorted(own_sets.keys() & other.keys())
        return label_sets.confusion([(own_sets[item], other[item]) for item in common], self.labels)


def label_setting(setup: StudySetup, entered: Entered, bootstrap: int | None) -> Setting:
    """Return what a label analysis is computed with, and what its signature names."""
    return Setting(
        setup.protocol.analysis.bootstrap if bootstrap is None else bootstrap,
        setup.protocol.design.seed,
        scheme=setup.scheme.signature,
        study=setup.study.slug,
        analysed="blind,last" if entered.is_blind else "first,last",
    )


def annotator_results(setup: StudySetup, entered: Entered, setting: Setting) -> LabelResults:
    """Return what annotators gave: label sets, agreement and prevalence, machines apart."""
    labels = [label.id for label in setup.scheme.labels]
    first: dict[str, dict[str, frozenset[str]]] = {}
    for row in entered.first:
        if row.labels is not None:
            first.setdefault(row.annotator, {})[row.item] = frozenset(row.labels)
    sets = gather(entered.first, labels)
    return LabelResults(
        stage=setup.study.stage,
        scheme=setup.scheme,
        agreement=labels_agreement(sets, setting, entered.documents),
        is_blind=entered.is_blind,
        first=first,
        together=label_sets.cooccurrence(_decided(entered.first), labels),
    )


def with_machine(
    people: LabelResults, setup: StudySetup, entered: Entered, setting: Setting
) -> LabelResults:
    """Return the results with every machine's labels held against the annotators'."""
    unblinded = setup.study.stage == Stage.UNBLINDED
    detected = []
    for number, source in enumerate(_ordered(entered.machines, setting, unblinded), start=1):
        detection = _detected(people, entered, entered.machines[source], setting)
        if detection is not None:
            detected.append(Detected(source if unblinded else f"M{number}", *detection))
    return LabelResults(
        stage=people.stage, scheme=people.scheme, agreement=people.agreement,
        is_blind=people.is_blind, first=people.first, together=people.together,
        detected=tuple(detected),
        anchoring=anchoring(entered.rounds, entered.answers, people.labels, setting)
        if entered.rounds or entered.answers else None,
    )  # fmt: skip


def _ordered(names: Iterable[str], setting: Setting, unblinded: bool) -> list[str]:
    """Return the machines in an order that tells no name before the unblinding."""
    def drawn(name: str) -> str:
        return sha256(f"{setting.seed}/machines/{name}".encode()).hexdigest()

    return sorted(names, key=None if unblinded else drawn)


def _detected(
    people: LabelResults, entered: Entered, machine: Mapping[str, frozenset[str]], setting: Setting
) -> tuple[Detection, Integers] | None:
    """Judge one machine on the items that have gold and on which it was run; None without any."""
    gold = {key: one for key, one in entered.gold.items() if key in machine}
    rows = [
        JudgedRow(item, one.labels, machine[item], one.rule, any_only=not one.is_decided,
                  chance=entered.chances.get(item))
        for item, one in sorted(gold.items()) if one.has_any is not None
    ]
    if not rows:
        return None
    undecided = [one for one in gold.values() if not one.is_decided]
    judged = Evaluation(
        rows=rows, labels=people.labels, gold_from=_gold_from(rows),
        flow={
            "items_with_gold": sum(one.is_decided for one in entered.gold.values()),
            "items_the_machine_saw": len(machine), "items_undecided": len(undecided),
            "items_undecided_any": sum(one.some for one in undecided),
        },
    )
    matrix = label_sets.confusion(
        [(row.gold, row.model) for row in rows if not row.any_only], people.labels
    )
    return evaluate(judged, setting), matrix


def _gold_from(rows: Sequence[JudgedRow]) -> str:
    rules = [row.rule for row in rows]
    return say(
        "labels.gold_of_study", "en", adjudicated=rules.count("adjudicated"),
        majority=rules.count("majority"),
    )


def _decided(rows: Sequence[LabelRow]) -> list[frozenset[str]]:
    return [frozenset(row.labels) for row in rows if row.labels is not None]


def document(question: str, description: str) -> str:
    """Return the one text in which exported spans are counted."""
    return f"{question}\n{description}" if description else question


ExtraFigures = dict[str, object]

GAMMA: Final = "pygamma-agreement"
CROWD: Final = "crowd-kit"
AGGREGATORS: Final = ("dawid-skene", "mace")
ITERATIONS: Final = 100
COLUMNS: Final = (
    Column("item_id", "text"),
    Column("gold", "text"),
    Column("rule", "text"),
)


@dataclass(frozen=True, slots=True)
class Gamma:
    """The mean of gamma over the `n_documents` in which it could be computed."""

    mean: Value
    n_documents: int

    def json(self) -> ExtraFigures:
        """Return the object of the JSON."""
        return {**self.mean.json(), "n_documents": self.n_documents, "package": GAMMA}


@dataclass(frozen=True, slots=True)
class Aggregated:
    """Gold inferred from all annotators: by which method, of how many items."""

    method: str
    items: int

    def json(self) -> ExtraFigures:
        """Return the object of the JSON."""
        return {"method": self.method, "items": self.items}


def gamma(sets: LabelSets, documents: Documents, *, seed: int, bootstrap: int) -> Gamma:
    """Return the mean over documents of gamma, with an interval over documents.

    Documents count where two annotators decided and each marked a span: gamma compares how spans
    are placed and named. Source: Y. Mathet et al., Computational Linguistics 41 (2015).

    Raises:
        StudyError: the package is not installed, or cannot work with these spans.
    """
    package = _needed("pygamma_agreement", GAMMA)
    segment = _needed("pyannote.core", GAMMA).Segment
    np.random.seed(seed)  # the package draws from numpy's global generator
    with _silenced():
        gammas = [_of_document(package, segment, one) for one in _marked(sets, documents)]
    values = np.array(gammas, dtype=np.float64)
    mean = (
        with_interval(float(values.mean()), _means(values, seed=seed, bootstrap=bootstrap))
        if len(values) else undefined(Reason.NOTHING_MARKED)
    )  # fmt: skip
    return Gamma(mean, len(values))


def aggregate(sets: LabelSets, *, method: str, seed: int, out: Path) -> Aggregated:
    """Write the labels that `dawid-skene` or `mace` infers for each item.

    Each label is inferred by itself, as given or not.

    Raises:
        StudyError: the package is not installed or fails, or `out` cannot be written.
    """
    package = _needed("crowdkit.aggregation.classification", CROWD)
    frame = pd.DataFrame({
        "task": [sets.items[at] for at in sets.item],
        "worker": [sets.annotators[at] for at in sets.annotator],
    })
    inferred: dict[str, Mapping[str, int]] = {}
    for at, label in enumerate(sets.labels):
        given = frame.assign(label=sets.given[:, at].astype(int))
        inferred[label] = _fitted(package, method, seed, given)
    rows = [
        (item, "|".join(label for label in sets.labels if inferred[label][item]), method)
        for item in sets.items
    ]
    write_whole(out, [csv_bytes(Table("gold", COLUMNS, rows))])
    return Aggregated(method, len(rows))


def _needed(module: str, package: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise StudyError("labels.no_extra", package=package) from error


def _fitted(
    package: ModuleType, method: str, seed: int, given: pd.DataFrame
) -> Mapping[str, int]:
    if given["label"].nunique() < 2:  # nothing to infer: everybody says the same
        return dict.fromkeys(given["task"], int(given["label"].iloc[0]))
    try:
        model = (
            package.MACE(n_iter=ITERATIONS, random_state=seed) if method == "mace"
            else package.DawidSkene(n_iter=ITERATIONS)
        )  # fmt: skip
        return {str(task): int(label) for task, label in model.fit_predict(given).items()}
    except (ValueError, KeyError, IndexError, ZeroDivisionError) as error:
        raise StudyError("labels.extra_failed", package=CROWD) from error


def _marked(sets: LabelSets, documents: Documents) -> list[list[SpanRow]]:
    """Return the spans of each document in which at least two annotators marked something."""
    decided = {(sets.items[item], sets.annotators[annotator])
               for item, annotator in zip(sets.item, sets.annotator, strict=True)}
    by_item: dict[str, list[SpanRow]] = {}
    for span in documents.spans:
        if (span.item, span.annotator) in decided:
            by_item.setdefault(span.item, []).append(span)
    return [spans for _, spans in sorted(by_item.items())
            if len({span.annotator for span in spans}) > 1]


def _of_document(
    package: ModuleType, segment: Callable[[int, int], object], spans: Sequence[SpanRow]
) -> float:
    continuum = package.Continuum()
    for span in spans:
        continuum.add(span.annotator, segment(span.start, span.end), span.label)
    try:
        measure = package.CombinedCategoricalDissimilarity()
        return float(continuum.compute_gamma(measure).gamma)
    except (ValueError, AssertionError, ZeroDivisionError) as error:
        raise StudyError("labels.extra_failed", package=GAMMA) from error


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep the package's warnings about its solver, one per sample, off the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _means(values: Floats, *, seed: int, bootstrap: int) -> Floats:
    random = np.random.default_rng(seed)
    drawn = random.integers(len(values), size=(bootstrap, len(values)))
    return np.asarray(values[drawn].mean(axis=1))
