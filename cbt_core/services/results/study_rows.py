"""A study's rows read once: for exports, the analysis, the gold and the labels."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from cbt_core.analysis.gold import GoldLabels, majority
from cbt_core.analysis.labels import (
    BLIND,
    MODEL,
    Entered,
    EnteredLines,
    Place,
    Sets,
    document,
    two_rounds,
)
from cbt_core.analysis.rows import Facts, Material
from cbt_core.domain import labels as domain_labels
from cbt_core.domain.labels import LabelLine
from cbt_core.domain.study import Stage
from cbt_core.domain.study_setup import StudySetup
from cbt_core.stats.labels.anchoring import Answered
from cbt_core.stats.labels.label_sets import LabelRow
from cbt_core.stats.labels.spans import Documents, SpanRow
from db import adjudications, items, proposals, results, studies
from db.engine import Connection


def gold_of(connection: Connection, study_id: int) -> dict[str, GoldLabels]:
    """Return the gold labels by item key; undecided items have none and are absent."""
    gold = with_undecided(connection, study_id)
    return {key: one for key, one in gold.items() if one.is_decided}


def with_undecided(connection: Connection, study_id: int) -> dict[str, GoldLabels]:
    """Return the gold labels by item key, undecided items among them.

    An adjudicated item has the labels of its decision's last revision; a decision "unsure" means
    that there is no gold. Any other item follows the `majority` of the last blind revisions
    (unsure and skipped are no votes); without a vote it is absent. Excluded annotators do not
    vote; excluded and withdrawn items are absent.
    """
    left_out, dropped = results.excluded(connection, study_id)
    votes = votes_of(connection, study_id, without=left_out)
    gold = {key: majority(sets) for key, sets in votes.items()}
    lines = adjudications.every(connection, study_id)
    given = adjudications.labels(connection, study_id)
    for key, line in domain_labels.newest_decisions(lines).items():
        if line.outcome == "unsure":
            gold.pop(key, None)
            continue
        labels = frozenset(mark.label for mark in given.get(line.id, ()))
        gold[key] = GoldLabels(labels, "adjudicated", len(votes.get(key, ())))
    return {key: gold[key] for key in sorted(gold) if key not in dropped}


def votes_of(
    connection: Connection, study_id: int, *, without: Iterable[str] = ()
) -> Mapping[str, list[frozenset[str]]]:
    """Return the label sets of the blind round by item key, one for each annotator who decided."""
    silent = frozenset(without)
    given = results.labels(connection, study_id)
    votes: dict[str, list[frozenset[str]]] = defaultdict(list)
    for line in results.blind_round(connection, study_id):
        if line.is_vote and line.annotator not in silent:
            labels = given.get(line.submission_id, ())
            votes[line.item].append(frozenset(mark.label for mark in labels))
    return votes


def entered(connection: Connection, study_id: int) -> Entered:
    """Read everything the figures of labels are made of."""
    left_out, dropped = results.excluded(connection, study_id)
    lines = _entered_lines(connection, study_id, without=(left_out, dropped))
    machines = _machines(connection, study_id)
    first = lines.first()
    return Entered(
        first=[LabelRow(*place, lines.given(line)) for place, line in first.items()],
        is_blind=all(line.round == BLIND for line in first.values()),
        documents=_documents(connection, study_id, first.values()),
        gold=with_undecided(connection, study_id),
        machines=machines,
        rounds=two_rounds(lines, machines),
        answers=_proposal_answers(connection, study_id, lines.by_round[MODEL].values()),
        chances=items.chances(connection, study_id),
    )


def _entered_lines(
    connection: Connection, study_id: int, *, without: tuple[Mapping[str, str], Mapping[str, str]]
) -> EnteredLines:
    annotators, dropped = without
    by_round: dict[str, dict[Place, LabelLine]] = {BLIND: {}, MODEL: {}}
    for line in results.submissions(connection, study_id):
        if not line.is_newest or line.outcome == "skipped":
            continue
        if line.annotator not in annotators and line.item not in dropped:
            by_round[line.round][line.item, line.annotator] = line
    given = results.labels(connection, study_id)
    return EnteredLines(by_round, {key: frozenset(mark.label for mark in marks)
                             for key, marks in given.items()})


def _machines(connection: Connection, study_id: int) -> dict[str, Sets]:
    machines: dict[str, Sets] = {}
    for run in proposals.passes(connection, study_id):
        machines.setdefault(run.source, {}).setdefault(run.item, frozenset())
    for line in results.proposals(connection, study_id):
        own_sets = machines.setdefault(line.source, {})
        own_sets[line.item] = own_sets.get(line.item, frozenset()) | {line.label}
    return machines


def _proposal_answers(
    connection: Connection, study_id: int, kept: Iterable[LabelLine]
) -> list[Answered]:
    proposed = {one.id: one.label for one in results.proposals(connection, study_id)}
    wanted = {line.id for line in kept}
    return [
        Answered(proposed[one.proposal_id], one.answer)
        for key, answers in results.proposal_answers(connection, study_id).items()
        if key in wanted
        for one in answers
    ]


def _documents(
    connection: Connection, study_id: int, lines: Iterable[LabelLine]
) -> Documents:
    """Return the spans of the first round, counted in question, line break, description."""
    texts = {one.key: (one.question, one.description)
             for one in items.stream(connection, study_id)}
    marked = results.spans(connection, study_id)
    spans = []
    for line in lines:
        question = texts[line.item][0]
        for span in marked.get(line.id, ()):
            shift = 0 if span.field == "question" else len(question) + 1
            spans.append(SpanRow(
                line.item, line.annotator, span.start + shift, span.end + shift, span.label
            ))
    return Documents(spans, {key: len(document(*text)) for key, text in texts.items()})


def read_material(connection: Connection, setup: StudySetup, *, unblinded: bool) -> Material:
    """Read what the tables are made of."""
    study_id = setup.study.id
    raters, left_out = results.excluded(connection, study_id)
    return Material(
        setup=setup,
        unblinded=unblinded,
        systems=results.system_names(connection, study_id, unblinded=unblinded),
        lines=results.tasks(connection, study_id),
        slots=results.slots(connection, study_id),
        scores=results.scores(connection, study_id),
        excluded_raters=raters,
        excluded_items=left_out,
    )


def read_facts(connection: Connection, setup: StudySetup) -> Facts:
    """Read a study's rows; names are true ones only when it is unblinded."""
    study_id, unblinded = setup.study.id, setup.study.stage == Stage.UNBLINDED
    material = read_material(connection, setup, unblinded=unblinded)
    sizes = list(results.answer_sizes(connection, study_id))
    rows = studies.systems(connection, study_id)
    primary = setup.protocol.analysis.primary_system
    return Facts(
        setup=setup,
        material=material,
        first=_first_scores(connection, material),
        systems=tuple(sorted(material.systems.values())),
        baseline=next((row.name for row in rows if row.baseline and unblinded), None),
        primary_system=primary if unblinded and primary else None,
        preferences={
            key: preferred.choice
            for key, (preferred,) in results.preferences(connection, study_id).items()
        },
        flags=results.flags(connection, study_id),
        guesses=sorted(results.guesses(connection, study_id), key=lambda one: one.task_id),
        answers={(one.item, material.systems[one.system_id]): one.answer_id for one in sizes},
        characters={one.answer_id: one.characters for one in sizes},
        metrics=results.metric_scores(connection, study_id),
        judges=results.judge_scores(connection, study_id),
        items=results.items(connection, study_id),
        members=results.members(connection, study_id),
        seats=results.seats(connection, study_id),
    )


def _first_scores(connection: Connection, material: Material) -> Material:
    """Return the material as it was before anybody corrected anything."""
    study_id = material.setup.study.id
    lines = [
        line for line in results.tasks(connection, study_id, every_revision=True)
        if line.revision in (None, 1)
    ]
    scores = results.scores(connection, study_id, every_revision=True)
    return replace(material, lines=lines, scores=scores)
