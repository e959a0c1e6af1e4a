"""What a lead may see of the labels: the blind round before the lock, the machine's after it.

Before the lock a lead may still adjudicate or amend; how the machine fared would steer that. So
detection, anchoring and adoption wait for the lock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import combinations
from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.people import Person
from cbt_core.domain.study import Role, Stage
from cbt_core.errors import Refused, StudyError
from cbt_core.services import label_study
from cbt_core.services.label_study import Entered
from cbt_core.services.studies import StudySetup, current, led_by
from cbt_core.stats.labels import matrices
from cbt_core.stats.labels.agreement import Setting, labels_agreement
from cbt_core.stats.labels.anchoring import anchoring
from cbt_core.stats.labels.detection import Evaluation, JudgedRow, evaluate
from cbt_core.stats.labels.sets import LabelRow, gather
from cbt_core.stats.ratings import Integers
from cbt_core.wording import say
from db import plans
from db.engine import Connection, Database

AFTER_LOCK: Final = (Stage.LOCKED, Stage.UNBLINDED)
Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """One machine against gold: the `labels evaluate` JSON, and gold (rows) by machine (columns).

    `name` is the source once the study is unblinded, before that M1, M2 …
    """

    name: str
    found: Json
    matrix: Integers


@dataclass(frozen=True, slots=True, eq=False)
class LabelResults:
    """Figures of a study's labels as the JSON of the commands, with the tables for heat maps.

    `agreement` is that of the first labels, `is_blind` tells whether they were given alone;
    `first` holds them by annotator and item; `together` counts labels that come together (L, L).
    `detected` and `anchoring` are empty and None before the lock, or where there is nothing.
    """

    stage: str
    scheme: Scheme
    agreement: Json
    is_blind: bool
    first: Mapping[str, Mapping[str, frozenset[str]]]
    together: Integers
    detected: tuple[Detected, ...] = ()
    anchoring: Json | None = None

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
        mine, other = self.first[a], self.first[b]
        common = sorted(mine.keys() & other.keys())
        return matrices.confusion([(mine[item], other[item]) for item in common], self.labels)


def label_results(
    database: Database, person: Person, *, slug: str, now: datetime, bootstrap: int | None = None
) -> LabelResults:
    """Return the figures of a study's labels as far as its stage allows.

    `bootstrap` is the number of replicates; the protocol's when left out.

    Raises:
        Refused: not the person's study, or the person labels in it and it is not locked yet.
        StudyError: nothing has been labelled.
    """
    study = led_by(database, person, slug, act="label_results", now=now)
    with database.reading() as connection:
        setup = current(connection, study.id)
        is_open = setup.study.stage not in AFTER_LOCK
        if is_open:
            _refuse_annotators(connection, person, study.id)
        entered = label_study.entered(connection, study.id)
    if not any(row.labels is not None for row in entered.first):
        raise StudyError("labels.nothing_labelled")
    return _computed(setup, entered, _setting(setup, entered, bootstrap), is_open=is_open)


_KEPT: Final[dict[tuple[object, ...], LabelResults]] = {}
"""Results by everything they follow from: a screen drawn again costs no second bootstrap."""

MOST_KEPT: Final = 8


def _computed(
    setup: StudySetup, entered: Entered, setting: Setting, *, is_open: bool
) -> LabelResults:
    key = (setup.study.slug, setup.study.stage, setup.scheme.digest, setting, entered.digest)
    known = _KEPT.get(key)
    if known is not None:
        return known
    found = _of_annotators(setup, entered, setting)
    if not is_open:
        found = _with_machine(found, setup, entered, setting)
    if len(_KEPT) >= MOST_KEPT:
        _KEPT.clear()
    _KEPT[key] = found
    return found


def _refuse_annotators(connection: Connection, person: Person, study_id: int) -> None:
    """Keep a lead who labels from the others' labels until the lock: seeing them would steer."""
    has_tasks = person.id in plans.with_tasks(connection, study_id, "label")
    if person.has(Role.ANNOTATOR, study_id) or has_tasks:
        raise Refused("labels.no_results_for_annotators")


def _setting(setup: StudySetup, entered: Entered, bootstrap: int | None) -> Setting:
    return Setting(
        setup.protocol.analysis.bootstrap if bootstrap is None else bootstrap,
        setup.protocol.design.seed,
        scheme=setup.scheme.signature,
        study=setup.study.slug,
        analysed="blind,last" if entered.is_blind else "first,last",
    )


def _of_annotators(setup: StudySetup, entered: Entered, setting: Setting) -> LabelResults:
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
        together=matrices.cooccurrence(_decided(entered.first), labels),
    )


def _with_machine(
    found: LabelResults, setup: StudySetup, entered: Entered, setting: Setting
) -> LabelResults:
    unblinded = setup.study.stage == Stage.UNBLINDED
    detected = []
    for number, source in enumerate(_ordered(entered.machines, setting, unblinded), start=1):
        one = _detected(found, entered, entered.machines[source], setting)
        if one is not None:
            detected.append(Detected(source if unblinded else f"M{number}", *one))
    return LabelResults(
        stage=found.stage, scheme=found.scheme, agreement=found.agreement,
        is_blind=found.is_blind, first=found.first, together=found.together,
        detected=tuple(detected),
        anchoring=anchoring(entered.rounds, entered.answers, found.labels, setting)
        if entered.rounds or entered.answers else None,
    )  # fmt: skip


def _ordered(names: Iterable[str], setting: Setting, unblinded: bool) -> list[str]:
    """Return the machines in an order that tells no name before the unblinding."""
    def drawn(name: str) -> str:
        return sha256(f"{setting.seed}/machines/{name}".encode()).hexdigest()

    return sorted(names, key=None if unblinded else drawn)


def _detected(
    found: LabelResults, entered: Entered, machine: Mapping[str, frozenset[str]], setting: Setting
) -> tuple[Json, Integers] | None:
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
        rows=rows, labels=found.labels, gold_from=_gold_from(rows),
        flow={
            "items_with_gold": sum(one.is_decided for one in entered.gold.values()),
            "items_the_machine_saw": len(machine), "items_undecided": len(undecided),
            "items_undecided_any": sum(one.some for one in undecided),
        },
    )
    matrix = matrices.confusion(
        [(row.gold, row.model) for row in rows if not row.any_only], found.labels
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
