"""Drawing items from a questions file at random, with the probability of inclusion of each."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from cbt_core.domain.study import ImportedItem, ImportedStudy
from cbt_core.errors import StudyError
from cbt_core.files.screen_words import risk_of
from cbt_core.files.study import read_questions
from cbt_core.files.writer import Cell, guarded, write_bytes, write_lines

STRATA: Final = ("risk", "length")
LENGTHS: Final = ("short", "medium", "long")
FORMS: Final = (".jsonl", ".csv")


@dataclass(frozen=True, slots=True)
class Stratum:
    """One stratum: how many items the frame holds, how many were drawn."""

    name: str
    frame: int
    drawn: int

    @property
    def probability(self) -> float:
        """Return each item's probability of inclusion."""
        return self.drawn / self.frame


def sample(
    questions: Path,
    *,
    size: int,
    strata: Sequence[str],
    seed: int,
    out: Path,
    encoding: str | None = None,
) -> list[Stratum]:
    """Draw `size` items into a new file; return the strata with their counts.

    Strata are drawn in proportion to their size (largest remainders), items inside one at random
    without replacement. `length` cuts the frame into thirds by characters of question and
    description. The rows keep file order and carry `inclusion_probability`; where the frame was
    drawn itself, the product of both draws (empty for rows whose first draw is not known).

    Raises:
        StudyError: unknown stratum, too few items, or the file exists or is of another kind.
        ImportProblems: anything is wrong in the questions file.
    """
    _check(strata, out)
    frame = read_questions(questions, encoding=encoding)
    if size > len(frame.items):
        raise StudyError("sample.too_few", size=size, frame=len(frame.items))
    groups = _groups(frame.items, strata)
    wanted = allocate({name: len(group) for name, group in groups.items()}, size)
    draw = Random(seed)
    taken: dict[str, float] = {}
    drawn_strata: list[Stratum] = []
    for name in sorted(groups):
        stratum = Stratum(name, len(groups[name]), wanted[name])
        drawn_strata.append(stratum)
        for key in draw.sample(groups[name], stratum.drawn):
            taken[key] = stratum.probability
    _write(out, frame, taken)
    return drawn_strata


def allocate(sizes: Mapping[str, int], total: int) -> dict[str, int]:
    """Share out `total` in proportion to the sizes by largest remainders (ties by name)."""
    frame = sum(sizes.values())
    shares = {name: total * count / frame for name, count in sizes.items()}
    given = {name: int(share) for name, share in shares.items()}
    order = sorted(sizes, key=lambda name: (given[name] - shares[name], name))
    for name in order[: total - sum(given.values())]:
        given[name] += 1
    return given


def _check(strata: Sequence[str], out: Path) -> None:
    for name in strata:
        if name not in STRATA:
            raise StudyError("sample.stratum", name=name[:40], known=", ".join(STRATA))
    if out.suffix.lower() not in FORMS:
        raise StudyError("sample.form", file=out)
    if out.exists():
        raise StudyError("storage.exists", file=out)
    if not out.resolve().parent.is_dir():
        raise StudyError("storage.no_folder", file=out)


def _groups(items: Sequence[ImportedItem], strata: Sequence[str]) -> dict[str, list[str]]:
    """Return the item ids of each stratum, in file order."""
    third = _thirds(items) if "length" in strata else {}
    groups: dict[str, list[str]] = {}
    for item in items:
        names = {
            "risk": (item.risk or risk_of(f"{item.question}\n{item.description}")).value
            if "risk" in strata else "",
            "length": third.get(item.key, ""),
        }
        groups.setdefault(" / ".join(names[one] for one in strata), []).append(item.key)
    return groups


def _thirds(items: Sequence[ImportedItem]) -> dict[str, str]:
    ordered = sorted(items, key=lambda one: (len(one.question) + len(one.description), one.key))
    return {
        item.key: LENGTHS[rank * len(LENGTHS) // len(ordered)] for rank, item in enumerate(ordered)
    }


def _write(out: Path, frame: ImportedStudy, taken: Mapping[str, float]) -> None:
    is_drawn = any(item.inclusion_probability is not None for item in frame.items)
    rows = [
        _row(item, taken[item.key], frame.systems, is_drawn=is_drawn)
        for item in frame.items if item.key in taken
    ]
    if out.suffix.lower() == ".jsonl":
        write_lines(rows, out)
        return
    flat = [_flat(row) for row in rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(flat[0]))
    writer.writeheader()
    writer.writerows({name: guarded(cell) for name, cell in row.items()} for row in flat)
    write_bytes(text.getvalue().encode("utf-8-sig"), out)


def _row(
    item: ImportedItem, probability: float, systems: Sequence[str], *, is_drawn: bool
) -> dict[str, object]:
    before = item.inclusion_probability if is_drawn else 1.0
    row: dict[str, object] = {
        "id": item.key, "question": item.question, "description": item.description,
        "keywords": list(item.keywords), "source": item.source, "licence": item.licence,
        "risk": item.risk.value if item.risk else "",
        "inclusion_probability": "" if before is None else round(probability * before, 9),
    }
    if systems:
        row["answers"] = {name: item.answers[name].text for name in systems}
    return row


def _flat(row: Mapping[str, object]) -> dict[str, Cell]:
    """Return a row as CSV has it: a column per system, keywords joined."""
    flat: dict[str, Cell] = {
        name: value for name, value in row.items() if isinstance(value, str | float)
    }
    keywords, answers = row["keywords"], row.get("answers")
    flat["keywords"] = "|".join(keywords) if isinstance(keywords, list) else ""
    if isinstance(answers, Mapping):
        flat.update({f"answer:{name}": text for name, text in answers.items()})
    return flat
