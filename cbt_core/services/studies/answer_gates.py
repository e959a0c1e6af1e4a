"""The gates in front of a study: what its answers show, told to the lead, who decides."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from cbt_core.domain.people import Person
from cbt_core.domain.study import ImportedAnswer, ImportedItem, ImportedStudy, Risk, Stage
from cbt_core.generation.gates.answer_gate import look_over
from cbt_core.generation.gates.recognition import UNSAFE, Report, Telling
from cbt_core.services import guard
from cbt_core.words import say
from db import items, studies
from db.engine import Connection, Database

AT_ONCE: Final = 500
FEATURES_TOLD: Final = 4
MAIN: Final = "main"
NAMING: Final = frozenset({"leak_name", "leak_phrase"})
"""Gates whose find may be the name of a system, or of the model behind one."""


def gates_of(study: ImportedStudy) -> Report:
    """Return what the gates find in the answers of files that were read; systems by true name."""
    return look_over(study.items, study.systems)


def gates_of_study(database: Database, person: Person, *, slug: str, now: datetime) -> Report:
    """Return what the gates find in a study's answers.

    Systems stand under their masked names until the study is unblinded; until then a name found
    in an answer is left out (only item and gate are told), and so are the words of openings and
    closings.

    Raises:
        StudyError: no such study.
        Refused: the person does not lead it.
    """
    lead = guard.as_lead(database, person, study=slug, act="gates_of_study", now=now)
    with lead.reading() as (connection, study):
        unblinded = study.stage == Stage.UNBLINDED
        systems = studies.systems(connection, study.id)
        shown = {one.masked: one.name if unblinded else one.masked for one in systems}
        asked_items = list(_items(connection, study.id, shown))
    report = look_over(asked_items, sorted(shown.values()), names=[one.name for one in systems])
    return report if unblinded else _silent(report)


def summary_lines(report: Report, language: str) -> list[str]:
    """Return the findings as short sentences: counts per gate, then what tells systems apart."""
    if not report.answers:
        return []
    lines = [
        say("gates.line", language, gate=say(f"gates.{gate}", language),
            counts=", ".join(f"{system} {count}" for system, count in found.items()))
        for gate, found in report.counts().items()
    ]
    lines += [telling_line(one, language) for one in report.telling]
    return lines or [say("gates.nothing", language)]


def telling_line(pair: Telling, language: str) -> str:
    """Return what form alone tells about two systems."""
    if pair.auc.value is None:
        return say("gates.telling_few", language, a=pair.first, b=pair.second, n=pair.items)
    code = "gates.telling_yes" if pair.told else "gates.telling_no"
    return say(
        code, language, a=pair.first, b=pair.second, auc=f"{pair.auc.value:.2f}",
        low=f"{pair.auc.low:.2f}", high=f"{pair.auc.high:.2f}", features=_features(pair, language),
    )


def feature_name(name: str, language: str) -> str:
    """Return a trait of form in words; an opening or closing phrase stands in quotation marks."""
    kind, _, phrase = name.partition(":")
    word = say(f"gates.feature_{kind}", language)
    return f"{word} “{phrase}”" if phrase else word


def _features(pair: Telling, language: str) -> str:
    phrases = [
        say("gates.feature", language, name=feature_name(trait.name, language),
            a=f"{trait.means[0]:.1f}", b=f"{trait.means[1]:.1f}")
        for trait in pair.features[:FEATURES_TOLD]
    ]
    return say("gates.between", language).join(phrases) or say("gates.no_feature", language)


def _items(
    connection: Connection, study_id: int, shown: dict[str, str]
) -> Iterator[ImportedItem]:
    """Yield the items that are asked, each with its answers by the name that is shown."""
    asked = [one for one in items.in_use(connection, study_id) if one.kind == MAIN]
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        answers: dict[int, dict[str, ImportedAnswer]] = {one.id: {} for one in part}
        for row in items.answers(connection, [one.id for one in part]):
            if row.system in shown:
                answers[row.item_id][shown[row.system]] = ImportedAnswer(row.text, model=row.model)
        for item in part:
            yield ImportedItem(
                item.key, item.question, item.description, risk=Risk(item.risk),
                answers=answers[item.id],
            )


def _silent(report: Report) -> Report:
    """Leave out every scrap of an answer that may name a system, or the model behind one.

    Openings and closings too: an answer may begin with its maker's name.
    """
    kept = tuple(
        replace(one, value="") if one.gate in NAMING else one for one in report.findings
    )
    return replace(report, findings=kept, telling=tuple(map(_without_phrases, report.telling)))


def _without_phrases(pair: Telling) -> Telling:
    features = (replace(trait, name=trait.name.partition(":")[0]) for trait in pair.features)
    return replace(pair, features=tuple(features))


def unsafe(report: Report) -> Sequence[str]:
    """Return the items with an answer whose advice somebody should read before raters do."""
    return list(dict.fromkeys(one.item for one in report.findings if one.gate in UNSAFE))
