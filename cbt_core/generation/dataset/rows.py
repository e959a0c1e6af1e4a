"""One row of the dataset: a question with its answer, and where both come from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cbt_core.domain.study import ImportedItem
from cbt_core.files.screening import risk_of
from cbt_core.generation.dataset.labels import LabelParser
from cbt_core.generation.schema import STEPS

FIELDS: Final = (
    "id", "question", "description", "keywords", "answer", "distortions", "unknown_distortions",
    "evidence", "steps", "steps_by_model", "risk", "risk_by", "source", "licence", "model",
    "adapter", "prompt", "prompt_hash", "run", "seed", "finish", "generated_at",
)
"""The fields of a row in their order; `steps` are found by rules, `steps_by_model` are claimed."""

TEXTS: Final = ("model", "adapter", "prompt", "prompt_hash", "run", "finish", "generated_at")

StepsOf = Callable[[str], Sequence[int]]
"""Which of the five steps (1 to 5) an answer shows, by rules."""

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes rows: labels by one scheme, steps by rules, the source where an item names none."""

    labels: LabelParser
    steps_of: StepsOf
    source: str = ""
    licence: str = ""

    def row(self, item: ImportedItem, answer: Mapping[str, object]) -> Row:
        """Return the row of an item and its line of the answers file."""
        text = str(answer["answer"])
        parsed = self.labels.parse(_names(answer.get("distortions")))
        unknown = dict.fromkeys((*parsed.unknown, *_names(answer.get("unknown_distortions"))))
        risk = item.risk or risk_of(f"{item.question}\n{item.description}")
        seed = answer.get("seed")
        row: Row = {
            "id": item.key, "question": item.question, "description": item.description,
            "keywords": list(item.keywords), "answer": text,
            "distortions": list(parsed.labels), "unknown_distortions": list(unknown),
            "evidence": list(self._evidence(answer.get("evidence"))),
            "steps": list(self.steps_of(text)),
            "steps_by_model": _steps(answer.get("steps")),
            "risk": risk.value, "risk_by": "rules" if item.risk is None else "given",
            "source": item.source or self.source, "licence": item.licence or self.licence,
            "seed": seed if isinstance(seed, int) else None,
        }
        row.update({name: str(answer.get(name) or "") for name in TEXTS})
        return {name: row[name] for name in FIELDS}

    def _evidence(self, given: object) -> Iterator[dict[str, str]]:
        """Yield label and quote of each piece of evidence; an unknown label stays as written."""
        for one in given if isinstance(given, list) else []:
            if isinstance(one, Mapping) and isinstance(one.get("quote"), str):
                name = str(one.get("label") or "")
                yield {"label": self.labels.label(name) or name, "quote": one["quote"]}


def has_answer(answer: Mapping[str, object]) -> bool:
    """Tell whether a line of an answers file holds an answer (a failed one does not)."""
    text = answer.get("answer")
    return isinstance(text, str) and bool(text.strip())


def _names(given: object) -> list[str]:
    if isinstance(given, str):
        return [part for part in given.split("|") if part.strip()]
    return [one for one in given if isinstance(one, str)] if isinstance(given, list) else []


def _steps(given: object) -> list[int]:
    """Return the steps a model says it took, 1 to 5, each once: a list, or sentences by name."""
    if isinstance(given, Mapping):
        return [number for number, name in enumerate(STEPS, start=1) if given.get(name)]
    found = {one for one in given if type(one) is int} if isinstance(given, list) else set()
    return sorted(found & set(range(1, 6)))
