"""What annotators and machines entered in a study, made ready for the statistics of labels."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from cbt_core.services.export_labels import document
from cbt_core.services.gold import GoldLabels, with_undecided
from cbt_core.stats.labels.anchoring import Answered, TwoRounds
from cbt_core.stats.labels.sets import LabelRow
from cbt_core.stats.labels.spans import Documents, SpanRow
from db import items, label_lines, proposals, results
from db.engine import Connection
from db.label_lines import LabelLine

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
        found = hashlib.sha256(self.documents.digest.encode())
        for row in self.first:
            found.update(_line(row.item, row.annotator, row.labels))
        for item, one in self.gold.items():
            found.update(_line(item, f"{one.rule} {one.has_any}", one.labels))
        for source, machine in sorted(self.machines.items()):
            for item, labels in sorted(machine.items()):
                found.update(_line(source, item, labels))
        for two in self.rounds:
            found.update(_line(two.item, two.annotator, two.before))
            found.update(_line(two.item, two.annotator, two.after))
        found.update(repr(sorted(self.chances.items())).encode())
        for answered in self.answers:
            found.update(_line(answered.label, answered.answer, None))
        return found.hexdigest()


def _line(first: str, second: str, labels: Set[str] | None) -> bytes:
    given = "<unsure>" if labels is None else "|".join(sorted(labels))
    return f"{first}\0{second}\0{given}\n".encode()


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """Newest submissions that count, by round, with their labels."""

    by_round: Mapping[str, Mapping[Place, LabelLine]]
    labels: Mapping[int, frozenset[str]]

    def first(self) -> dict[Place, LabelLine]:
        """Return the first round of every annotator and item, in the order of their keys."""
        found = {**self.by_round[MODEL], **self.by_round[BLIND]}
        return dict(sorted(found.items()))

    def given(self, line: LabelLine | None) -> frozenset[str] | None:
        """Return the labels of a submission; None where nothing was decided."""
        if line is None or line.outcome not in DECIDED:
            return None
        return self.labels.get(line.id, frozenset())


def entered(connection: Connection, study_id: int) -> Entered:
    """Read everything the figures of labels are made of."""
    left_out, dropped = results.excluded(connection, study_id)
    lines = _lines(connection, study_id, without=(left_out, dropped))
    machines = _machines(connection, study_id)
    first = lines.first()
    return Entered(
        first=[LabelRow(*place, lines.given(line)) for place, line in first.items()],
        is_blind=all(line.round == BLIND for line in first.values()),
        documents=_documents(connection, study_id, first.values()),
        gold=with_undecided(connection, study_id),
        machines=machines,
        rounds=_rounds(lines, machines),
        answers=_answers(connection, study_id, lines.by_round[MODEL].values()),
        chances=items.chances(connection, study_id),
    )


def _lines(
    connection: Connection, study_id: int, *, without: tuple[Mapping[str, str], Mapping[str, str]]
) -> _Lines:
    annotators, dropped = without
    by_round: dict[str, dict[Place, LabelLine]] = {BLIND: {}, MODEL: {}}
    for line in label_lines.submissions(connection, study_id):
        if not line.is_newest or line.outcome == "skipped":
            continue
        if line.annotator not in annotators and line.item not in dropped:
            by_round[line.round][line.item, line.annotator] = line
    given = label_lines.labels(connection, study_id)
    return _Lines(by_round, {key: frozenset(name for name, _, _ in marks)
                             for key, marks in given.items()})


def _machines(connection: Connection, study_id: int) -> dict[str, Sets]:
    found: dict[str, Sets] = {}
    for one in proposals.passes(connection, study_id):
        found.setdefault(one.source, {}).setdefault(one.item, frozenset())
    for line in label_lines.proposals(connection, study_id):
        mine = found.setdefault(line.source, {})
        mine[line.item] = mine.get(line.item, frozenset()) | {line.label}
    return found


def _rounds(lines: _Lines, machines: Mapping[str, Mapping[str, frozenset[str]]]) -> list[TwoRounds]:
    found = []
    for place, late in sorted(lines.by_round[MODEL].items()):
        before = lines.given(lines.by_round[BLIND].get(place))
        after = lines.given(late)
        if before is not None and after is not None:
            shown = [mine.get(place[0], frozenset()) for mine in machines.values()]
            found.append(TwoRounds(*place, before, after, frozenset[str]().union(*shown)))
    return found


def _answers(
    connection: Connection, study_id: int, kept: Iterable[LabelLine]
) -> list[Answered]:
    proposed = {one.id: one.label for one in label_lines.proposals(connection, study_id)}
    wanted = {line.id for line in kept}
    return [
        Answered(proposed[one.proposal_id], one.answer)
        for one in label_lines.answers(connection, study_id)
        if one.submission_id in wanted
    ]


def _documents(
    connection: Connection, study_id: int, lines: Iterable[LabelLine]
) -> Documents:
    """Return the spans of the first round, counted in question, line break, description."""
    texts = {one.key: (one.question, one.description)
             for one in items.stream(connection, study_id)}
    marked = label_lines.spans(connection, study_id)
    spans = []
    for line in lines:
        question = texts[line.item][0]
        for one in marked.get(line.id, ()):
            shift = 0 if one.field == "question" else len(question) + 1
            spans.append(SpanRow(
                line.item, line.annotator, one.start + shift, one.end + shift, one.label
            ))
    return Documents(spans, {key: len(document(*text)) for key, text in texts.items()})
