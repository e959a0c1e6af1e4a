"""From questions to a dataset folder, its figures, and splits that do not leak."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.study import ImportedItem, Risk
from cbt_core.errors import StudyError
from cbt_core.files.items import PSYQA
from cbt_core.files.reading import read_questions
from cbt_core.generation.dataset import card as cards
from cbt_core.generation.dataset import writing
from cbt_core.generation.dataset.cleaning import Cleaned, Rules, clean
from cbt_core.generation.dataset.figures import figures
from cbt_core.generation.dataset.labels import LabelParser
from cbt_core.generation.dataset.reading import answers_in, read_entries
from cbt_core.generation.dataset.rows import Maker, Row
from cbt_core.generation.gates.answers import Gate, language_of
from cbt_core.generation.manifest import VERSION, versions
from cbt_core.generation.outcome import Outcome
from cbt_core.generation.questions import HEAD_BYTES, PSYQA_MARK
from cbt_core.instruments.shipped import load_scheme
from cbt_core.metrics.structure.steps import steps_of
from cbt_core.services.analysing import write_json
from cbt_core.services.dataset_figures import table_of

QUESTIONS: Final = "questions.jsonl"
ANSWERS: Final = "answers.jsonl"
DATASET: Final = "dataset.jsonl"
PARQUET: Final = "dataset.parquet"
DROPPED: Final = "dropped.jsonl"
STATS: Final = "stats.json"
MANIFEST: Final = "manifest.json"
CARD: Final = "README.md"

Generate = Callable[[Path, Path], Outcome]
"""Answers the questions of a file into another file (the second), or goes on doing so."""

Step = Callable[[str], None]
"""Told which stage begins: reading, cleaning, generating, assembling, counting."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be built. `source` and `licence` stand in for items that name none."""

    questions: Path
    out: Path
    backend: str
    model: str
    prompt: str = "cbt"
    scheme: str = "burns-12"
    language: str = "zh"
    source: str = ""
    licence: str = ""
    rules: Rules = field(default_factory=Rules)
    encoding: str | None = None
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """What came of it; an unfinished one (`finished` false) is gone on with by `resume`."""

    finished: bool
    read: int
    kept: int
    dropped: Mapping[str, int]
    rows: int
    failed: int
    with_distortion: int
    unknown: Mapping[str, int]
    gates: Mapping[str, int]


def build(order: Order, *, generate: Generate, now: datetime, step: Step = lambda _: None) -> Built:
    """Clean the questions, have them answered, and write the dataset folder.

    Nothing but the folder is written. A run that was stopped leaves questions and journal there;
    the same order with `resume` goes on.

    Raises:
        ImportProblems: anything is wrong in the questions file.
        StudyError: the folder holds a dataset, no question is left, or the run cannot go on.
    """
    _prepare(order)
    step("reading")
    read = read_questions(order.questions, encoding=order.encoding)
    step("cleaning")
    cleaned = clean(_with_source(read.items, order), order.rules)
    if not cleaned.kept:
        raise StudyError("dataset.nothing_left", count=len(read.items))
    _make_folder(order.out)
    writing.write_lines(map(writing.question_row, cleaned.kept), order.out / QUESTIONS)
    writing.write_lines(
        ({"id": one.key, "reason": one.reason, "of": one.of} for one in cleaned.dropped),
        order.out / DROPPED,
    )
    step("generating")
    outcome = generate(order.out / QUESTIONS, order.out / ANSWERS)
    if not outcome.finished or not outcome.rows:
        return _unfinished(read.items, cleaned, outcome)
    return _assemble(order, read.items, cleaned, outcome, now=now, step=step)


def _assemble(
    order: Order, read: Sequence[ImportedItem], cleaned: Cleaned, outcome: Outcome, *,
    now: datetime, step: Step,
) -> Built:
    step("assembling")
    scheme = load_scheme(order.scheme)
    items = {item.key: item for item in cleaned.kept}
    answers = {str(one["id"]): one for one in answers_in(order.out / ANSWERS)}
    maker = Maker(
        LabelParser(scheme), lambda text: steps_of(text, order.language), order.source,
        order.licence,
    )
    rows = [maker.row(items[key], answer) for key, answer in answers.items() if key in items]
    if len(rows) < len(items):  # what is not answered must not be asked for by a study
        answered = (item for item in cleaned.kept if item.key in answers)
        writing.write_lines(map(writing.question_row, answered), order.out / QUESTIONS)
    writing.write_lines(rows, order.out / DATASET)
    writing.write_parquet(rows, order.out / PARQUET)
    step("counting")
    gates = _gates(rows, order.model)
    stats = {
        **figures(read_entries(order.out / DATASET), scheme, [_numbers(row) for row in rows]),
        "gates": dict(gates), "cleaning": _cleaning(len(read), cleaned),
    }
    write_json(stats, order.out / STATS)
    _describe(order, scheme, cleaned, rows, stats, read=len(read), now=now)
    _write_manifest(order, cleaned, outcome, read=len(read), rows=len(rows), now=now)
    unknown = Counter(name for row in rows for name in _texts(row["unknown_distortions"]))
    return Built(
        True, len(read), len(cleaned.kept), cleaned.reasons(), len(rows),
        len(items) - len(rows), sum(bool(row["distortions"]) for row in rows), unknown, gates,
    )


def _prepare(order: Order) -> None:
    taken = any((order.out / name).exists() for name in (DATASET, QUESTIONS, CARD))
    if taken and not order.resume:  # a README.md of somebody's own is no less theirs
        raise StudyError("dataset.exists", folder=order.out)
    load_scheme(order.scheme)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError("exporting.cannot_write", file=folder) from error


def _with_source(items: Sequence[ImportedItem], order: Order) -> list[ImportedItem]:
    """Name the source where a file does not: PsyQA's records have a field of their own."""
    with order.questions.open("rb") as file:
        fallback = PSYQA if PSYQA_MARK in file.read(HEAD_BYTES) else order.source
    return [
        replace(item, source=item.source or fallback, licence=item.licence or order.licence)
        for item in items
    ]


def _gates(rows: Sequence[Row], model: str) -> Counter[str]:
    """Count what the gates find in the answers."""
    gate = Gate((model,))
    return Counter(
        name
        for row in rows
        for name, _ in gate.look(
            str(row["answer"]), language=language_of(f"{row['question']}\n{row['description']}"),
            risk=Risk(str(row["risk"])), finish=str(row["finish"]),
        )
    )


def _describe(
    order: Order, scheme: Scheme, cleaned: Cleaned, rows: Sequence[Row],
    stats: Mapping[str, object], *, read: int, now: datetime,
) -> None:
    first = rows[0]
    facts = cards.Facts(
        title=f"CBT QA ({order.questions.stem})", language=order.language, rows=len(rows),
        read=read, kept=len(cleaned.kept), questions=order.questions.name,
        sources=Counter(str(row["source"]) for row in rows),
        licences=Counter(str(row["licence"]) for row in rows),
        model=str(first["model"]) or order.model, backend=order.backend,
        prompt=str(first["prompt"]) or order.prompt, prompt_hash=str(first["prompt_hash"])[:16],
        scheme=scheme.signature, version=VERSION, day=now.date().isoformat(),
    )
    writing.write_text(cards.card(facts, table_of(stats)), order.out / CARD)


def _write_manifest(
    order: Order, cleaned: Cleaned, outcome: Outcome, *, read: int, rows: int, now: datetime
) -> None:
    made = (QUESTIONS, ANSWERS, DATASET, PARQUET, DROPPED, STATS, CARD)
    run = order.out / f"{ANSWERS}.manifest.json"
    write_json(
        {
            "manifest": 1, "command": "dataset build", "made_at": now.isoformat(),
            "versions": versions(),
            "source": {"file": order.questions.name,
                       "sha256": writing.digest_of(order.questions)},
            "parameters": {
                "backend": order.backend, "model": order.model, "prompt": order.prompt,
                "scheme": load_scheme(order.scheme).signature, "language": order.language,
                "shortest": order.rules.shortest, "longest": order.rules.longest,
                "near_duplicate_threshold": order.rules.threshold,
            },
            "counts": {**_cleaning(read, cleaned), "rows": rows, "failed": outcome.failed},
            "failures": dict(outcome.causes),
            "generation": json.loads(run.read_text("utf-8")) if run.exists() else None,
            "files": {name: writing.digest_of(order.out / name) for name in made},
        },
        order.out / MANIFEST,
    )


def _cleaning(read: int, cleaned: Cleaned) -> dict[str, object]:
    return {
        "read": read, "kept": len(cleaned.kept), "dropped": cleaned.reasons(),
        "changed": cleaned.changed,
    }


def _unfinished(read: Sequence[ImportedItem], cleaned: Cleaned, outcome: Outcome) -> Built:
    return Built(
        False, len(read), len(cleaned.kept), cleaned.reasons(), outcome.rows, outcome.failed, 0,
        {}, {},
    )


def _numbers(row: Row) -> list[int]:
    steps = row["steps"]
    return [one for one in steps if isinstance(one, int)] if isinstance(steps, list) else []


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
