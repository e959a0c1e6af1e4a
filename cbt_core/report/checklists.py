"""The reporting checklists HEDS 3.0, GRRAS and TRIPOD-LLM, filled as far as the data say.

Every item is answered, does not apply (with the reason), or is left to the authors.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Final

from cbt_core.analysis.study import Analysis
from cbt_core.domain.instrument import Scale, Text
from cbt_core.report.context import ReportContext
from cbt_core.report.sections import criteria, design, end, machine, summary
from cbt_core.report.sections.criteria import SCALE_FACTS
from cbt_core.report.sheet import Fact, Told, View, authors

FOLDER: Final = Path(__file__).parent / "checklists"
NAMES: Final = ("heds", "grras", "tripod_llm")
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Item:
    """One question; `fact` empty: the authors must write it. `per_scale`: once for each scale."""

    id: str
    section: Text
    ask: Text
    fact: str
    per_scale: bool


@dataclass(frozen=True, slots=True)
class Checklist:
    """A checklist as it is shipped."""

    name: str
    source: str
    items: tuple[Item, ...]


def checklists(analysis: Analysis, context: ReportContext) -> dict[str, Json]:
    """Return the three checklists by key (heds, grras, tripod_llm), filled as far as known.

    Each is ``{"name", "source", "items": [{"id", "section", "ask", "state", "answer", "reason"}]}``
    with texts as ``{"en", "zh"}``; `state` is answered, not_applicable or authors. Items of HEDS 4
    stand once for every scale, with its id: ``4.3.7 [relevance]``.
    """
    view = View(analysis, context)
    return {name: _filled(checklist(name), view) for name in NAMES}


@cache
def checklist(name: str) -> Checklist:
    """Return a checklist as it is shipped."""
    table = tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))
    return Checklist(table["name"], table["source"], tuple(
        Item(
            id=one["id"], section=Text(**one["section"]), ask=Text(**one["ask"]),
            fact=one["fact"], per_scale=one.get("per") == "scale",
        )
        for one in table["item"]
    ))


def facts() -> Mapping[str, Fact]:
    """Return every fact that is not about one scale, by name."""
    rooms = (
        design.DESIGN_FACTS, design.PEOPLE_FACTS, summary.RESULT_FACTS, criteria.SHEET_FACTS,
        end.STUDY_FACTS, machine.SYSTEM_FACTS,
    )
    return {name: one for room in rooms for name, one in room.items()}


def _filled(blank: Checklist, view: View) -> Json:
    return {"name": blank.name, "source": blank.source, "items": list(_items(blank, view))}


def _items(blank: Checklist, view: View) -> Iterator[Json]:
    """Yield the items in order; those of HEDS 4 scale by scale."""
    known, apart = facts(), [one for one in blank.items if one.per_scale]
    for item in blank.items:
        if item.per_scale:
            if item is apart[0]:
                yield from _by_scale(apart, view)
        else:
            reply = known[item.fact](view) if item.fact else authors()
            yield _json(item.id, item.section, item.ask, reply)


def _by_scale(blanks: list[Item], view: View) -> Iterator[Json]:
    for scale in view.context.instrument.scales:
        for item in blanks:
            reply = SCALE_FACTS[item.fact](view, scale) if item.fact else authors()
            yield _json(f"{item.id} [{scale.id}]", _of(scale, item.section), item.ask, reply)


def _of(scale: Scale, section: Text) -> Text:
    return Text(
        zh=f"{section.zh}：{scale.name.zh}", en=f"{section.en}: {scale.name.en}"
    )


def _json(name: str, section: Text, ask: Text, reply: Told) -> Json:
    return {
        "id": name, "section": asdict(section), "ask": asdict(ask), "state": reply.state,
        "answer": None if reply.answer is None else asdict(reply.answer),
        "reason": None if reply.reason is None else asdict(reply.reason),
    }
