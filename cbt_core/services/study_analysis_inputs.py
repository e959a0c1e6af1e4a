"""Rows of a study as the statistics take them: preferences, sides, repeats, guesses, flags."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from cbt_core.services.study_analysis_facts import Facts
from cbt_core.stats.bradley_terry import TIE, Choices
from cbt_core.stats.correlation import Answers
from cbt_core.stats.guesses import DONT_KNOW, PREFERRED, PairGuesses
from cbt_core.stats.missingness import GIVEN, AskedPairs, Cell
from cbt_core.stats.position import SlotScores
from cbt_core.stats.ratings import Floats, Integers, Ratings
from cbt_core.stats.retest import Repeated
from cbt_core.stats.safety import Flags
from db.result_lines import SlotLine, TaskLine

UNASKED: Final = frozenset({"released", "withdrawn"})
"""States of tasks that are not asked any more."""

NOT_DONE: Final = "not_done"
NOT_GIVEN: Final = "not_given"
POOLED: Final = "ALL"


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
