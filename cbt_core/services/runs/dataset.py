"""From questions to a dataset folder, its figures, and splits that do not leak.

A split is kept apart inside the file, and from the items of studies.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from cbt_core.domain.instrument import Scheme
from cbt_core.domain.people import Person
from cbt_core.domain.study import ImportedItem, Risk
from cbt_core.errors import StudyError
from cbt_core.files.items import PSYQA
from cbt_core.files.study import read_questions
from cbt_core.files.writer import make_folder, write_json, write_lines, write_text
from cbt_core.generation.dataset import dataset_rows
from cbt_core.generation.dataset import figures as cards
from cbt_core.generation.dataset.clean_texts import Cleaned, Rules, clean
from cbt_core.generation.dataset.dataset_rows import (
    Entry,
    Maker,
    Row,
    answers_in,
    dataset_file,
    digest_of,
    read_entries,
)
from cbt_core.generation.dataset.figures import UNPUBLISHED, figures
from cbt_core.generation.dataset.labels import LabelParser
from cbt_core.generation.dataset.near_texts import THRESHOLD
from cbt_core.generation.dataset.splits import (
    SPLITS,
    Asked,
    Split,
    check_shares,
    leaks_between,
    split,
)
from cbt_core.generation.gates.answer_gate import Gate, language_of
from cbt_core.generation.run.journal import Outcome
from cbt_core.generation.run.manifest import versions
from cbt_core.generation.tasks.questions import HEAD_BYTES, PSYQA_MARK
from cbt_core.instruments.shipped import load_scheme
from cbt_core.metrics.structure import steps_of
from cbt_core.services import guard
from cbt_core.version import VERSION
from db import items, studies
from db.engine import Database


def stats_of(file: Path, *, scheme: str, language: str, words: bool = True) -> dict[str, object]:
    """Return the figures of Table 1 for a dataset file, the paper's beside where known.

    Raises:
        ImportProblems: anything is wrong in the file.
        StudyError: no such scheme, or the folder holds no dataset.
    """
    file = dataset_file(file)
    chosen = load_scheme(scheme)
    entries = read_entries(file)
    table = figures(
        entries, chosen, [steps_of(entry.answer, language) for entry in entries], words=words
    )
    return {"file": file.name, "sha256": digest_of(file), **table}


def table_of(stats: Mapping[str, object]) -> list[tuple[str, str, str]]:
    """Return the figures as rows (name, here, paper) for a terminal or a card."""
    return [(name, _shown(one.get("value")), _paper(one)) for name, one in _leaves(stats)]


def _leaves(tree: Mapping[str, object], at: str = "") -> Iterator[tuple[str, Mapping[str, object]]]:
    for name, branch in tree.items():
        if not isinstance(branch, Mapping):
            continue
        place = f"{at}.{name}" if at else name
        if "paper" in branch:
            yield place, branch
        else:
            yield from _leaves(branch, place)


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}" if value <= 1 else f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _paper(leaf: Mapping[str, object]) -> str:
    return UNPUBLISHED if leaf["paper"] is None else _shown(leaf["paper"])


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
    make_folder(order.out)
    write_lines(map(dataset_rows.question_row, cleaned.kept), order.out / QUESTIONS)
    write_lines(
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
        write_lines(map(dataset_rows.question_row, answered), order.out / QUESTIONS)
    write_lines(rows, order.out / DATASET)
    dataset_rows.write_parquet(rows, order.out / PARQUET)
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
    write_text(cards.card(facts, table_of(stats)), order.out / CARD)


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
                       "sha256": dataset_rows.digest_of(order.questions)},
            "parameters": {
                "backend": order.backend, "model": order.model, "prompt": order.prompt,
                "scheme": load_scheme(order.scheme).signature, "language": order.language,
                "shortest": order.rules.shortest, "longest": order.rules.longest,
                "near_duplicate_threshold": order.rules.threshold,
            },
            "counts": {**_cleaning(read, cleaned), "rows": rows, "failed": outcome.failed},
            "failures": dict(outcome.causes),
            "generation": json.loads(run.read_text("utf-8")) if run.exists() else None,
            "files": {name: dataset_rows.digest_of(order.out / name) for name in made},
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


DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Shared:
    """What was written: rows per part, rows left out by study, groups of near-duplicates."""

    counts: Mapping[str, int]
    excluded: Mapping[str, int]
    groups: int
    largest_group: int
    leaks: int


def split_file(
    file: Path,
    *,
    out: Path,
    shares: Sequence[float],
    seed: int,
    against: Mapping[str, Sequence[Asked]] | None = None,
) -> Shared:
    """Write train, validation and test of a dataset file, and `split.json`.

    The same file, shares, seed and studies give the same bytes.

    Raises:
        ImportProblems: anything is wrong in the file.
        StudyError: the shares are none, a part would be empty (nothing is written then), or the
            folder holds a split or cannot be written.
    """
    check_shares(shares)
    file = dataset_file(file)
    if (out / "split.json").exists():
        raise StudyError("dataset.split_exists", folder=out)
    entries = read_entries(file)
    asked = [(entry.question, entry.description) for entry in entries]
    made = split(asked, shares=shares, seed=seed, against=against)
    _refuse_empty(made, shares, rows=len(entries))
    make_folder(out)
    for name in SPLITS:
        rows = (entries[place].record for place in made.parts[name])
        write_lines(rows, out / f"{name}.jsonl")
    shared = Shared(
        {name: len(made.parts[name]) for name in SPLITS},
        {name: len(places) for name, places in made.excluded.items()},
        made.groups, made.largest_group, leaks_between(asked, made.parts),
    )
    write_json(_report(file, out, shares, seed, made, shared, entries), out / "split.json")
    return shared


def _refuse_empty(made: Split, shares: Sequence[float], *, rows: int) -> None:
    """Refuse a split of which a part with a share has no row.

    Raises:
        StudyError: it says how many rows are near items of which studies.
    """
    left = sum(map(len, made.parts.values()))
    studies_near = [name for name, places in made.excluded.items() if places]
    near = ", ".join(studies_near)
    if not left and near:
        raise StudyError("dataset.split_nothing", rows=rows, studies=near)
    empty = [name for name, share in zip(SPLITS, shares, strict=True)
             if share and not made.parts[name]]
    if empty and near:
        raise StudyError("dataset.split_empty_near", parts=", ".join(empty), left=left,
                         rows=rows, near=rows - left, studies=near)
    if empty:
        raise StudyError("dataset.split_empty", parts=", ".join(empty), rows=rows)


def study_items(
    database: Database, person: Person, *, slugs: Sequence[str] = (), now: datetime
) -> dict[str, list[Asked]]:
    """Return question and description of every item of these studies (default: of all).

    Raises:
        StudyError: no such study.
        Refused: the person does not lead one of them.
    """
    with guard.as_anyone(database, person, act="study_items", now=now).reading() as connection:
        known = {row.slug: row.id for row in studies.every(connection)}
        for slug in slugs:
            if slug not in known:
                raise StudyError("studies.unknown", slug=slug[:60])
        wanted = {slug: known[slug] for slug in (slugs or known)}
        for study_id in wanted.values():
            guard.require_lead(person, study_id)
        return {
            slug: [(one.question, one.description) for one in items.stream(connection, study_id)]
            for slug, study_id in wanted.items()
        }


def _report(
    file: Path, out: Path, shares: Sequence[float], seed: int, made: Split, shared: Shared,
    entries: Sequence[Entry],
) -> dict[str, object]:
    total = sum(shared.counts.values())
    return {
        "split": 1,
        "file": file.name,
        "sha256": dataset_rows.digest_of(file),
        "seed": seed,
        "shares": dict(zip(SPLITS, shares, strict=True)),
        "achieved": {
            name: round(count / total, DIGITS) if total else None
            for name, count in shared.counts.items()
        },
        "counts": dict(shared.counts),
        "groups": shared.groups,
        "largest_group": shared.largest_group,
        "near_duplicate_threshold": THRESHOLD,
        "leaks_between_parts": shared.leaks,
        "excluded": {
            name: [entries[place].key for place in places] for name, places in made.excluded.items()
        },
        "files": {
            f"{name}.jsonl": dataset_rows.digest_of(out / f"{name}.jsonl") for name in SPLITS
        },
    }
