"""The parts of an analysis: each takes the rows of a study and returns one section.

The flow, position, length, test-retest, blinding, safety, missing scores, shares of values.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cbt_core.analysis.rows import Facts
from cbt_core.domain.submission import UNASKED, SlotLine, TaskLine, TaskState, Work
from cbt_core.stats.agreement.machine import Answers
from cbt_core.stats.agreement.raters import Repeated, RetestOfScale, retest
from cbt_core.stats.bias.blinding import (
    DONT_KNOW,
    PREFERRED,
    PairGuesses,
    StudyBlinding,
    study_blinding,
)
from cbt_core.stats.bias.missingness import GIVEN, AskedPairs, Bounds, Cell, bounds
from cbt_core.stats.bias.position import (
    Adjusted,
    LeftShare,
    SlotScores,
    adjusted_difference,
    left_share,
    preferred_sides,
    score_per_doubling,
    scored_sides,
)
from cbt_core.stats.comparison.bradley_terry import TIE, Choices
from cbt_core.stats.comparison.paired_tests import pairs
from cbt_core.stats.comparison.safety import Flags, Safety, safety
from cbt_core.stats.ratings import POOLED, Floats, Integers, Ratings
from cbt_core.stats.resampling import Bootstrap
from cbt_core.stats.values import Value

NOT_DONE: Final = "not_done"
NOT_GIVEN: Final = "not_given"


def choices(facts: Facts) -> Choices:
    """Return the overall preferences of the analysed tasks; skipped ones are counted."""
    item, rater, system = facts.item_index, facts.rater_index, facts.system_index
    rows, skipped = [], 0
    for line in _main(facts):
        shown = facts.shown(line)
        if len(shown) < 2:
            continue
        choice = facts.preferences.get(line.submission_id or 0)
        if line.outcome != "scored" or choice is None:
            skipped += line.submission_id is not None
            continue
        slots = [slot.slot for slot in shown]
        outcome = slots.index(choice) if choice in slots else TIE
        order = [system[facts.material.name(slot)] for slot in shown]
        rows.append((item[line.item], rater[line.rater], order, outcome))
    widest = max((len(row[2]) for row in rows), default=2)
    return Choices(
        systems=facts.systems,
        item=_integers(row[0] for row in rows),
        rater=_integers(row[1] for row in rows),
        shown=np.array(
            [row[2] + [-1] * (widest - len(row[2])) for row in rows], dtype=np.int64
        ).reshape(len(rows), widest),
        outcome=_integers(row[3] for row in rows),
        skipped=skipped,
    )


def slot_scores(facts: Facts, scale: str) -> SlotScores:
    """Return the scores of a scale by slot."""
    item, rater = facts.item_index, facts.rater_index
    rows = [
        (line.task_id, item[line.item], rater[line.rater], place, value)
        for line in facts.analysed()
        for place, (_, value) in enumerate(_scored(facts, line, scale))
        if value is not None
    ]
    return SlotScores(
        task=_integers(row[0] for row in rows),
        item=_integers(row[1] for row in rows),
        rater=_integers(row[2] for row in rows),
        slot=_integers(row[3] for row in rows),
        score=_floats(row[4] for row in rows),
    )


def repeated(facts: Facts, scale: str) -> Repeated:
    """Return the scores of a scale that a rater gave twice to the same answer."""
    item, rater = facts.item_index, facts.rater_index
    first = {line.task_id: line for line in facts.analysed()}
    rows = []
    for line in facts.material.lines:
        before = first.get(line.repeat_of or 0)
        if line.kind != "repeat" or line.outcome != "scored" or before is None:
            continue
        own, old = dict(_by_answer(facts, line, scale)), dict(_by_answer(facts, before, scale))
        order = [s.answer_id for s in facts.shown(line)]
        same = order == [s.answer_id for s in facts.shown(before)]
        rows += [
            (item[line.item], rater[line.rater], old[answer], value, same)
            for answer, value in own.items()
            if value is not None and old.get(answer) is not None
        ]
    return Repeated(
        _integers(row[0] for row in rows), _integers(row[1] for row in rows),
        _floats(row[2] for row in rows), _floats(row[3] for row in rows),
        np.array([row[4] for row in rows], dtype=bool),
    )


def pair_guesses(facts: Facts) -> PairGuesses:
    """Return the guesses on pairs that hold exactly one answer of a system under study."""
    lines = {line.task_id: line for line in facts.material.lines}
    rater, system = facts.rater_index, facts.system_index
    rows, left_out = [], 0
    for guess in facts.guesses:
        line = lines[guess.task_id]
        if facts.material.excluded(line):
            continue
        shown = facts.shown(line)
        target = _target(facts, shown)
        if target is None:
            left_out += 1
            continue
        slots = [slot.slot for slot in shown]
        chosen = slots.index(guess.choice) if guess.choice in slots else DONT_KNOW
        of_study = system[facts.material.name(shown[target])]
        liked = _preference(facts, line, slots, target)
        rows.append((rater[line.rater], of_study, target, chosen, liked))
    return PairGuesses(
        rater=_integers(row[0] for row in rows),
        system=_integers(row[1] for row in rows),
        target=_integers(row[2] for row in rows),
        chosen=_integers(row[3] for row in rows),
        preference=_floats(row[4] for row in rows),
        left_out=left_out,
    )


def flag_table(facts: Facts, severities: frozenset[str] | None) -> Flags:
    """Return which rater flagged which answer; `severities` None: of any severity."""
    item, rater, system = facts.item_index, facts.rater_index, facts.system_index
    rows = []
    for line in facts.analysed():
        flagged = {
            flag.slot for flag in facts.flags.get(line.submission_id or 0, ())
            if severities is None or flag.severity in severities
        }
        rows += [
            (item[line.item], system[facts.material.name(slot)], rater[line.rater],
             slot.slot in flagged)
            for slot in facts.shown(line)
        ]
    return Flags(
        item=_integers(row[0] for row in rows),
        system=_integers(row[1] for row in rows),
        rater=_integers(row[2] for row in rows),
        flagged=np.array([row[3] for row in rows], dtype=bool),
    )


def asked_cells(facts: Facts, *, by_system: bool) -> Iterator[Cell]:
    """Yield every score that was asked for of every main task, with why it is missing."""
    scales = [s.id for s in facts.setup.instrument.scales if s.level == "answer"]
    for line in _main(facts):
        for slot in facts.shown(line):
            name = facts.material.name(slot) if by_system else POOLED
            for scale in scales:
                yield name, scale, _why_missing(facts, line, slot, scale)


def asked_pairs(facts: Facts, scale: str, system: str, reference: str) -> AskedPairs:
    """Return the pairs of scores of two systems that were asked for; nan = missing."""
    index = facts.item_index
    rows = []
    for line in _main(facts):
        values = {
            facts.material.name(slot): value for slot, value in _scored(facts, line, scale)
        }
        if system in values and reference in values:
            rows.append((index[line.item], values[system], values[reference]))
    return AskedPairs(
        _integers(row[0] for row in rows),
        _floats(row[1] for row in rows), _floats(row[2] for row in rows),
    )


def human_table(ratings: Ratings, scale: str) -> tuple[Answers, list[tuple[str, str]]]:
    """Return answers (n) with the scores of each rater (n, R), and their (item, system) names."""
    width = max(len(ratings.systems), 1)
    keys, place = np.unique(ratings.item * width + ratings.system, return_inverse=True)
    human = np.full((len(keys), len(ratings.raters)), np.nan)
    human[place, ratings.rater] = ratings.values[scale]
    item, system = keys // width, keys % width
    pairs = zip(item, system, strict=True)
    names = [(ratings.items[one], ratings.systems[other]) for one, other in pairs]
    return Answers(item, system, human), names


def _main(facts: Facts) -> Iterator[TaskLine]:
    """Yield the main tasks that are asked and not excluded."""
    for line in facts.material.lines:
        if line.kind == "main" and line.state not in UNASKED and not facts.material.excluded(line):
            yield line


def _scored(facts: Facts, line: TaskLine, scale: str) -> list[tuple[SlotLine, int | None]]:
    """Return the slots of a task with their scores; None = missing."""
    given = {
        score.slot: score.value
        for score in facts.material.scores.get(line.submission_id or 0, ())
        if score.scale == scale
    }
    return [(slot, given.get(slot.slot)) for slot in facts.shown(line)]


def _by_answer(facts: Facts, line: TaskLine, scale: str) -> Iterator[tuple[int, int | None]]:
    for slot, value in _scored(facts, line, scale):
        yield slot.answer_id, value


def _why_missing(facts: Facts, line: TaskLine, slot: SlotLine, scale: str) -> str:
    if line.outcome is None:
        return NOT_DONE
    if line.outcome == "skipped":
        return f"skipped:{line.skip_reason}"
    for score in facts.material.scores.get(line.submission_id or 0, ()):
        if score.scale == scale and score.slot == slot.slot:
            return GIVEN if score.value is not None else score.missing_reason
    return NOT_GIVEN


def _target(facts: Facts, shown: list[SlotLine]) -> int | None:
    """Return the slot of the system under study in a pair; None when it is not exactly one."""
    names = [facts.material.name(slot) for slot in shown]
    if len(names) != 2:
        return None
    under_study = [place for place, name in enumerate(names) if name != facts.baseline]
    if len(under_study) == 2 and facts.primary_system in names:
        under_study = [names.index(facts.primary_system)]
    return under_study[0] if len(under_study) == 1 else None


def _preference(facts: Facts, line: TaskLine, slots: list[str], target: int) -> float:
    choice = facts.preferences.get(line.submission_id or 0)
    if choice is None:
        return float("nan")
    if choice not in slots:
        return PREFERRED["tie"]
    return PREFERRED["target" if slots.index(choice) == target else "other"]


def _integers(values: Iterable[int]) -> Integers:
    return np.array(list(values), dtype=np.int64)


def _floats(values: Iterable[float | None]) -> Floats:
    return np.array([np.nan if one is None else one for one in values], dtype=np.float64)


WITHDRAWN = "withdrawn: "
"""How the reason of a withdrawn item begins among the exclusions."""


@dataclass(frozen=True, slots=True)
class ItemFlow:
    """Main items: imported, then withdrawn, excluded (key to reason), assigned, rated, analysed.

    `rated` counts items with at least one scored task, `analysed` those left in the analysis set.
    `chances` are the known probabilities of inclusion, ascending, each with its number of items.
    """

    imported: int
    withdrawn: Mapping[str, str]
    excluded: Mapping[str, str]
    assigned: int
    rated: int
    analysed: int
    chances: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class RaterFlow:
    """Raters: joined the study, assigned tasks, consented, began, finished, left, excluded.

    `finished`: confirmed the scores as final. `left`: codes whose role ended; `excluded`: code to
    reason; `analysed`: with at least one row in the analysis set.
    """

    joined: int
    assigned: int
    consented: int
    began: int
    finished: int
    left: tuple[str, ...]
    excluded: Mapping[str, str]
    analysed: int


@dataclass(frozen=True, slots=True)
class TaskFlow:
    """Main tasks by what became of them; `skipped` by reason.

    `excluded` were scored, but stand outside the analysis set. `other` counts tasks of other kinds
    (repeat, check, calibration) that were done. `corrected`: saved more than once.
    """

    assigned: int
    scored: int
    skipped: Mapping[str, int]
    not_done: int
    released: int
    withdrawn: int
    excluded: int
    analysed: int
    corrected: int
    other: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Flow:
    """Items, raters and tasks from import to analysis; `scores` missing by reason stand apart."""

    items: ItemFlow
    raters: RaterFlow
    tasks: TaskFlow


def flow(facts: Facts) -> Flow:
    """Return the flow of a study."""
    return Flow(_items(facts), _raters(facts), _tasks(facts))


def _items(facts: Facts) -> ItemFlow:
    main = [line for line in facts.items if line.kind == "main"]
    keys = {line.key for line in main}
    reasons = facts.material.excluded_items
    lines = [line for line in facts.material.lines if line.kind == "main"]
    return ItemFlow(
        imported=len(main),
        withdrawn={line.key: line.withdrawn_reason for line in main if line.withdrawn_at},
        excluded={
            key: reason for key, reason in sorted(reasons.items())
            if key in keys and not reason.startswith(WITHDRAWN)
        },
        assigned=len({line.item for line in lines}),
        rated=len({line.item for line in lines if line.outcome == "scored"}),
        analysed=len({line.item for line in facts.analysed()}),
        chances=tuple(sorted(Counter(
            line.inclusion_probability for line in main if line.inclusion_probability is not None
        ).items())),
    )


def _raters(facts: Facts) -> RaterFlow:
    members = [one for one in facts.members if one.role == "rater"]
    seats = [one for one in facts.seats if one.work == Work.RATE]
    lines = [line for line in facts.material.lines if line.kind == "main"]
    return RaterFlow(
        joined=len(members),
        assigned=len({line.rater for line in lines}),
        consented=sum(one.consent_at is not None for one in seats),
        began=len({line.rater for line in lines if line.submission_id is not None}),
        finished=sum(one.final_at is not None for one in seats),
        left=tuple(one.code for one in members if one.left_at),
        excluded=dict(sorted(facts.material.excluded_raters.items())),
        analysed=len({line.rater for line in facts.analysed()}),
    )


def _tasks(facts: Facts) -> TaskFlow:
    main = [line for line in facts.material.lines if line.kind == "main"]
    scored = [line for line in main if line.outcome == "scored"]
    states = Counter(line.state for line in main if line.submission_id is None)
    return TaskFlow(
        assigned=len(main),
        scored=len(scored),
        skipped=_counted(str(line.skip_reason) for line in main if line.outcome == "skipped"),
        not_done=states[TaskState.WAITING] + states[TaskState.OPENED],
        released=states[TaskState.RELEASED],
        withdrawn=states[TaskState.WITHDRAWN],
        excluded=len(scored) - len(facts.analysed()),
        analysed=len(facts.analysed()),
        corrected=sum((line.revision or 0) > 1 for line in main),
        other=_counted(
            line.kind for line in facts.material.lines
            if line.kind != "main" and line.submission_id is not None
        ),
    )


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


SERIOUS: Final = "serious"


@dataclass(frozen=True, slots=True)
class Position:
    """Share of the left slot among preferences, and per scale among unequal scores."""

    preferences: LeftShare
    scores: Mapping[str, LeftShare]


@dataclass(frozen=True, slots=True)
class Length:
    """Score per doubling of length within item and rater; differences at equal length by system."""

    per_doubling: Value
    adjusted: Mapping[str, Adjusted]


def position(facts: Facts, scales: Sequence[str], how: Bootstrap) -> Position:
    """Return how far the left slot is favoured; `scales` are ordered ones."""
    raters = {index: code for code, index in facts.rater_index.items()}
    return Position(
        left_share(preferred_sides(choices(facts)), raters, how=how),
        {
            scale: left_share(scored_sides(slot_scores(facts, scale)), raters, how=how)
            for scale in scales
        },
    )


def length(
    facts: Facts, ratings: Ratings, scales: Sequence[str], reference: str, how: Bootstrap
) -> dict[str, Length]:
    """Return, by scale, how scores go with length, and differences adjusted for it."""
    lengths = _lengths(facts, ratings)
    group = ratings.item * max(len(ratings.raters), 1) + ratings.rater
    size = lengths[ratings.item, ratings.system]
    return {
        scale: Length(
            score_per_doubling(ratings.item, group, size, ratings.values[scale], how=how),
            {
                system: _adjusted(ratings, lengths, scale, system, reference, how)
                for system in ratings.systems
                if reference in ratings.systems and system != reference
            },
        )
        for scale in scales
    }


def _lengths(facts: Facts, ratings: Ratings) -> Floats:
    """Return characters (items, systems) of the rated answers, nan where there is none."""
    characters = np.full((len(ratings.items), len(ratings.systems)), np.nan)
    for row, item in enumerate(ratings.items):
        for column, system in enumerate(ratings.systems):
            answer = facts.answers.get((item, system))
            if answer is not None:
                characters[row, column] = facts.characters[answer] or np.nan
    return characters


def _adjusted(
    ratings: Ratings, lengths: Floats, scale: str, system: str, reference: str, how: Bootstrap
) -> Adjusted:
    own, base = ratings.systems.index(system), ratings.systems.index(reference)
    paired = pairs(ratings, scale, own, base)
    log_ratio = np.log(lengths[paired.items, own] / lengths[paired.items, base])
    return adjusted_difference(paired.items, paired.mean, log_ratio, how=how)


def retests(
    facts: Facts, scales: Sequence[str], nominal: frozenset[str], how: Bootstrap
) -> dict[str, RetestOfScale]:
    """Return the test-retest of every scale from the marked repeats."""
    raters = {index: code for code, index in facts.rater_index.items()}
    return {
        scale: retest(repeated(facts, scale), raters, how=how, ordered=scale not in nominal)
        for scale in scales
    }


def blinding(facts: Facts, how: Bootstrap) -> StudyBlinding:
    """Return the blinding of an unblinded study."""
    others = [name for name in facts.systems if name != facts.baseline]
    arms = (facts.baseline, *others) if facts.baseline else tuple(others)
    return study_blinding(
        pair_guesses(facts),
        arms=arms,
        raters={index: code for code, index in facts.rater_index.items()},
        systems={index: name for name, index in facts.system_index.items()},
        how=how,
    )


def safeties(facts: Facts, reference: str | None, how: Bootstrap) -> dict[str, Safety]:
    """Return flagged answers: of severity serious, and of any."""
    systems = {index: name for name, index in facts.system_index.items()}
    return {
        name: safety(flag_table(facts, severities), systems, reference=reference, how=how)
        for name, severities in ((SERIOUS, frozenset({SERIOUS})), ("any", None))
    }


def missing_bounds(facts: Facts, scales: Sequence[str], reference: str) -> tuple[Bounds, ...]:
    """Return best and worst case of every difference on ordered scales."""
    cases = []
    for scale in scales:
        values = [choice.value for choice in facts.setup.instrument.scale(scale).values]
        for system in facts.systems:
            if system != reference:
                asked = asked_pairs(facts, scale, system, reference)
                cases.append(bounds(
                    asked, system=system, scale=scale, lowest=min(values), highest=max(values)
                ))
    return tuple(cases)


@dataclass(frozen=True, slots=True)
class Share:
    """How often a value was given on a scale; `system` is `POOLED` over all of them."""

    scale: str
    system: str
    value: int
    count: int


def value_shares(ratings: Ratings, systems: Iterable[str]) -> Iterable[Share]:
    """Yield how often each value of a scale was given, pooled and by system."""
    for scale, column in ratings.values.items():
        for system in systems:
            own_values = column if system == POOLED else column[
                ratings.system == ratings.systems.index(system)
            ]
            values, counts = np.unique(own_values[~np.isnan(own_values)], return_counts=True)
            for value, count in zip(values.tolist(), counts.tolist(), strict=True):
                yield Share(scale, system, int(value), int(count))
