"""The figures of a dataset file, as JSON and as a table for people."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from cbt_core.generation.dataset.figures import UNPUBLISHED, figures
from cbt_core.generation.dataset.reading import dataset_file, read_entries
from cbt_core.generation.dataset.writing import digest_of
from cbt_core.instruments.shipped import load_scheme
from cbt_core.metrics.structure.steps import steps_of


def stats_of(file: Path, *, scheme: str, language: str, words: bool = True) -> dict[str, object]:
    """Return the figures of Table 1 for a dataset file, the paper's beside where known.

    Raises:
        ImportProblems: anything is wrong in the file.
        StudyError: no such scheme, or the folder holds no dataset.
    """
    file = dataset_file(file)
    chosen = load_scheme(scheme)
    entries = read_entries(file)
    found = figures(
        entries, chosen, [steps_of(entry.answer, language) for entry in entries], words=words
    )
    return {"file": file.name, "sha256": digest_of(file), **found}


def table_of(stats: Mapping[str, object]) -> list[tuple[str, str, str]]:
    """Return the figures as rows (name, here, paper) for a terminal or a card."""
    return [(name, _shown(one.get("value")), _paper(one)) for name, one in _leaves(stats)]


def _leaves(tree: Mapping[str, object], at: str = "") -> Iterator[tuple[str, Mapping[str, object]]]:
    for name, one in tree.items():
        if not isinstance(one, Mapping):
            continue
        place = f"{at}.{name}" if at else name
        if "paper" in one:
            yield place, one
        else:
            yield from _leaves(one, place)


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}" if value <= 1 else f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _paper(one: Mapping[str, object]) -> str:
    return UNPUBLISHED if one["paper"] is None else _shown(one["paper"])
