"""Looking over all answers of a study, or of one system, before they are rated."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from cbt_core.domain.study import ImportedItem
from cbt_core.files.screening import risk_of
from cbt_core.generation.gates.answers import Gate, language_of
from cbt_core.generation.gates.findings import Finding, Report, Telling
from cbt_core.generation.gates.telling import tell

MODELS_SOUGHT: Final = 100


def look_over(
    items: Sequence[ImportedItem], systems: Sequence[str], *, names: Sequence[str] = ()
) -> Report:
    """Return what the gates find in every answer, and how well form tells each two systems apart.

    `names` are further names no answer may hold (the systems' own, where `systems` are masked).
    An item without a given risk is judged by its phrases. Nothing is changed or refused.
    """
    answers: Counter[str] = Counter(dict.fromkeys(systems, 0))
    for item in items:
        answers.update(item.answers.keys())
    return Report(
        dict(answers),
        tuple(_findings(items, (*systems, *names))),
        tuple(_telling(items, systems)),
    )


def _findings(items: Sequence[ImportedItem], names: Sequence[str]) -> Iterator[Finding]:
    gate = Gate((*names, *_models(items)))
    for item in items:
        if not item.answers:
            continue
        asked = f"{item.question}\n{item.description}"
        risk, language = item.risk or risk_of(asked), language_of(asked)
        for system, answer in item.answers.items():
            for name, value in gate.look(answer.text, language=language, risk=risk):
                yield Finding(name, item.key, system, value)


def _telling(items: Sequence[ImportedItem], systems: Sequence[str]) -> Iterator[Telling]:
    for first, second in combinations(systems, 2):
        texts = [
            (item.answers[first].text, item.answers[second].text)
            for item in items if first in item.answers and second in item.answers
        ]
        yield tell(first, second, texts)


def _models(items: Sequence[ImportedItem]) -> list[str]:
    """Return the first hundred different names of models that the answers give."""
    found: dict[str, None] = {}
    for item in items:
        for answer in item.answers.values():
            if answer.model and len(found) < MODELS_SOUGHT:
                found[answer.model] = None
    return list(found)
