"""The card of a dataset folder: what it is, where it comes from, what it must not be used for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
