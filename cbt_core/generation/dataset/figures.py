"""The figures of a dataset (the paper's Table 1), and the card that goes with it."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from cbt_core.domain.instrument import Scheme
from cbt_core.generation.dataset.dataset_rows import Entry
from cbt_core.generation.dataset.labels import LabelParser

PAPER: Final = Path(__file__).with_name("paper.toml")
UNPUBLISHED: Final = "not published here"
NO_JIEBA: Final = "jieba is not installed (pip install -r requirements.txt)"
TEXTS: Final = ("question", "description", "answer")
STEPS: Final = (1, 2, 3, 4, 5)
CLAUSE: Final = re.compile(r"[\u3400-\u9fffA-Za-z0-9]+")
LETTER: Final = re.compile(r"\w")
DIGITS: Final = 6

Json = dict[str, object]


def figures(
    entries: Sequence[Entry], scheme: Scheme, steps: Sequence[Sequence[int]], *, words: bool = True
) -> Json:
    """Return Table 1 of a dataset as JSON: `{"value", "paper", "note"?}` per figure.

    `steps` are the steps of each answer, found by rules. Lengths count characters. Without
    `words` the vocabulary in words is null (cutting 22,327 answers takes a minute).
    """
    parser = LabelParser(scheme)
    parsed = [parser.parse(entry.distortions) for entry in entries]
    labels = [one.labels for one in parsed]
    marked = [found for found in labels if found]
    unknown = Counter(name for one in parsed for name in one.unknown)
    paper = _paper()
    return {
        "scheme": scheme.signature,
        "entries": beside(len(entries), paper["entries"]),
        "with_distortion": beside(len(marked), paper["with_distortion"]),
        "with_distortion_share": beside(
            _share(len(marked), len(entries)), paper["with_distortion_share"]
        ),
        "labels": _labels(labels, scheme, len(marked)),
        "labels_per_entry": beside(_mean([len(found) for found in labels])),
        "labels_per_distorted_entry": beside(_mean([len(found) for found in marked])),
        "unknown_distortions": dict(unknown.most_common()),
        "lengths": {name: _lengths([getattr(one, name) for one in entries]) for name in TEXTS},
        "vocabulary": _vocabulary(entries, words=words),
        "steps": _steps(steps),
    }


def beside(value: object, paper: object = None) -> Json:
    """Return a figure with the paper's; one the paper's readers did not pass on is null."""
    figure: Json = {"value": value, "paper": paper}
    if paper is None:
        figure["note"] = UNPUBLISHED
    return figure


def _labels(labels: Sequence[Sequence[str]], scheme: Scheme, marked: int) -> Json:
    counts = Counter(label for found in labels for label in found)
    known = _paper()["labels"]
    shares = known if isinstance(known, dict) else {}
    return {
        label.id: {
            "count": counts[label.id], "share_of_entries": _share(counts[label.id], len(labels)),
            **beside(_share(counts[label.id], marked), shares.get(label.id)),
        }
        for label in scheme.labels
    }


def _lengths(texts: Sequence[str]) -> Json:
    sizes = np.array([len(text) for text in texts], dtype=float)
    if not len(sizes):
        return {name: beside(None) for name in ("mean", "median", "p95")}
    lengths = {"mean": sizes.mean(), "median": np.median(sizes), "p95": np.quantile(sizes, 0.95)}
    return {name: beside(round(float(size), 1)) for name, size in lengths.items()}


def _vocabulary(entries: Sequence[Entry], *, words: bool) -> Json:
    characters: set[str] = set()
    for entry in entries:
        characters.update(entry.question, entry.description, entry.answer)
    distinct = sum(1 for one in characters if LETTER.match(one))
    count = _words(entries) if words else None
    figure = beside(count)
    if count is None:
        figure["note"] = NO_JIEBA if words else "not counted"
    return {"characters": beside(distinct), "words": figure}


def _words(entries: Sequence[Entry]) -> int | None:
    """Count the different words jieba cuts; a clause that comes again is cut once."""
    try:
        import jieba
    except ImportError:
        return None
    import logging

    jieba.setLogLevel(logging.ERROR)
    clauses = {clause for entry in entries for clause in _clauses(entry)}
    seen: set[str] = set()
    for clause in clauses:
        seen.update(jieba.cut(clause, HMM=False))
    return len(seen)


def _clauses(entry: Entry) -> Iterator[str]:
    for text in (entry.question, entry.description, entry.answer):
        yield from CLAUSE.findall(text)


def _steps(steps: Sequence[Sequence[int]]) -> Json:
    total = len(steps)
    return {
        "method": "rules (automatic, not a human judgement)",
        **{str(n): beside(_share(sum(n in one for one in steps), total)) for n in STEPS},
        "all_five": beside(_share(sum(len(set(one)) == len(STEPS) for one in steps), total)),
        "mean": beside(_mean([len(set(one)) for one in steps])),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, DIGITS) if whole else None


def _mean(values: Sequence[int]) -> float | None:
    return round(sum(values) / len(values), DIGITS) if values else None


@cache
def _paper() -> Mapping[str, object]:
    return tomllib.loads(PAPER.read_text("utf-8"))


TEMPLATE: Final = Path(__file__).with_name("card.md")
SIZES: Final = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"))
PSYQA_NOTICE: Final = (
    "> **心理互助问答，非心理咨询，仅为心理知识分享。** 问题来源：壹心理（PsyQA）。"
    "因提问者信息有限，回答为模糊匹配，仅供参考。\n"
)
PSYQA_LICENCE: Final = (
    "The questions are those of PsyQA (source: 壹心理, Yixinli), used under its user agreement: "
    "academic, non-commercial use; no copying or passing on to others; never to commercial third "
    "parties; all copies are deleted when the agreement ends (it ran to 2026-05-18 and must have "
    "been renewed for use after that day). **This folder may not be published or passed on.** The "
    "answers follow the terms of the model that wrote them."
)
OWN_LICENCE: Final = (
    "Licences named by the questions' file: {licences}. The answers follow the terms of the model "
    "that wrote them. Check both before you pass this folder on."
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card states; `sources` and `licences` count rows by what they name."""

    title: str
    language: str
    rows: int
    read: int
    kept: int
    questions: str
    sources: Mapping[str, int]
    licences: Mapping[str, int]
    model: str
    backend: str
    prompt: str
    prompt_hash: str
    scheme: str
    version: str
    day: str


def card(facts: Facts, figures: Sequence[tuple[str, str, str]]) -> str:
    """Return the README.md of a dataset folder; `figures` are rows (name, here, paper)."""
    psyqa = is_psyqa(facts.sources)
    licences = ", ".join(one for one in facts.licences if one) or "none: unknown"
    values = {name: getattr(facts, name) for name in Facts.__dataclass_fields__}
    values |= {
        "rows": f"{facts.rows:,}",
        "size": next((name for most, name in SIZES if facts.rows < most), "100K<n<1M"),
        "licence_name": "psyqa-user-agreement" if psyqa else "see-below",
        "notice": PSYQA_NOTICE if psyqa else "",
        "licence": PSYQA_LICENCE if psyqa else OWN_LICENCE.format(licences=_cell(licences)),
        "sources": _cell(", ".join(f"{name or 'not named'}: {count:,}"
                                   for name, count in facts.sources.items())),
        "figures": "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in figures),
        **{name: _cell(getattr(facts, name)) for name in ("questions", "model", "prompt")},
    }
    return TEMPLATE.read_text("utf-8").format(**values)


def is_psyqa(sources: Mapping[str, int]) -> bool:
    """Tell whether any row comes from PsyQA."""
    return any("psyqa" in name.casefold() or "壹心理" in name for name in sources)


def _cell(text: str) -> str:
    """Return text that cannot end a cell of a table or begin markup."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
