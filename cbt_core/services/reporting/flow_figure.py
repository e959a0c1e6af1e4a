"""The flow of items, raters and tasks as a drawing: boxes down, what was left out between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cbt_core.instruments.defaults import defaults
from cbt_core.services.reporting import drawing
from cbt_core.services.reporting.blocks import Drawing
from cbt_core.services.reporting.drawing import Pen
from cbt_core.services.study_analysis_flow import Flow
from cbt_core.wording import say

COLUMN: Final = 240
SPACE: Final = 20
BOX: Final = 46
LEAST_GAP: Final = 26
LOST_LINE: Final = 16
SMALL: Final = 12
HEAD: Final = 34
NAME: Final = "flow"


@dataclass(frozen=True, slots=True)
class Step:
    """A box: its words and count; `lost` are lines told between it and the box before."""

    words: str
    count: int
    lost: tuple[str, ...] = ()


def flow_drawing(flow: Flow, language: str) -> Drawing:
    """Return the drawing of a study's flow."""
    columns = {
        "items": _items(flow, language), "raters": _raters(flow, language),
        "tasks": _tasks(flow, language),
    }
    parts: list[str] = []
    told: list[str] = []
    bottom = 0.0
    for place, (name, steps) in enumerate(columns.items()):
        title = say(f"report.flow_{name}", language)
        x = place * (COLUMN + SPACE)
        drawn, y = _column(x, title, steps)
        parts += drawn
        bottom = max(bottom, y)
        told.append(f"{title}: " + "; ".join(_told(step) for step in steps))
    title = say("report.flow_figure", language)
    description = ". ".join(told)
    svg = drawing.canvas(
        parts, width=3 * COLUMN + 2 * SPACE, height=round(bottom) + 4, title=title,
        description=description, name=NAME,
    )
    return Drawing(NAME, title, description, svg)


def skips(counts: Mapping[str, int], language: str) -> str:
    """Return skipped tasks by reason in words."""
    known = {choice.id: choice.name(language) for choice in defaults().skip_reasons}
    words = (f"{known.get(reason, reason)} {count}" for reason, count in counts.items())
    return say("report.comma", language).join(words)


def reason_words(reason: str, key: str, language: str) -> str:
    """Return a stored reason in words; one without words as it is stored."""
    try:
        return say(f"report.{key}_{reason}", language)
    except KeyError:
        return reason


def _items(flow: Flow, language: str) -> list[Step]:
    one = flow.items
    lost = [
        *_lost("withdrawn", len(one.withdrawn), language),
        *_lost("excluded", len(one.excluded), language),
    ]
    return [
        Step(say("report.flow_imported", language), one.imported),
        Step(say("report.flow_assigned", language), one.assigned),
        Step(say("report.flow_rated", language), one.rated),
        Step(say("report.flow_analysed", language), one.analysed, tuple(lost)),
    ]


def _raters(flow: Flow, language: str) -> list[Step]:
    one = flow.raters
    lost = [
        *_lost("left", len(one.left), language),
        *_lost("excluded", len(one.excluded), language),
    ]
    return [
        Step(say("report.flow_joined", language), one.joined),
        Step(say("report.flow_consented", language), one.consented),
        Step(say("report.flow_began", language), one.began),
        Step(say("report.flow_finished", language), one.finished),
        Step(say("report.flow_analysed", language), one.analysed, tuple(lost)),
    ]


def _tasks(flow: Flow, language: str) -> list[Step]:
    one = flow.tasks
    skipped = sum(one.skipped.values())
    lost = [
        *_lost("not_done", one.not_done, language),
        *_lost("skipped", skipped, language, skips(one.skipped, language)),
        *_lost("released", one.released, language),
        *_lost("withdrawn", one.withdrawn, language),
    ]
    return [
        Step(say("report.flow_assigned", language), one.assigned),
        Step(say("report.flow_scored", language), one.scored, tuple(lost)),
        Step(
            say("report.flow_analysed", language), one.analysed,
            tuple(_lost("excluded", one.excluded, language)),
        ),
    ]


def _lost(key: str, count: int, language: str, why: str = "") -> list[str]:
    if not count:
        return []
    words = say(f"report.flow_lost_{key}", language, count=count)
    return [f"{words} ({why})" if why else words]


def _told(step: Step) -> str:
    lost = f" ({', '.join(step.lost)})" if step.lost else ""
    return f"{step.words} {step.count}{lost}"


def _column(x: float, title: str, steps: Sequence[Step]) -> tuple[list[str], float]:
    parts = [drawing.text(x + COLUMN / 2, 20, title, Pen("middle", 14, 600))]
    y = float(HEAD)
    for place, step in enumerate(steps):
        lines = [one for lost in step.lost for one in _lines(lost)]
        if place:
            gap = max(LEAST_GAP, LOST_LINE * len(lines) + 14)
            parts.append(drawing.arrow(x + 24, y, y + gap))
            parts += [
                drawing.text(
                    x + 38, y + 16 + LOST_LINE * row, words, Pen(size=SMALL, fill=drawing.SOFT)
                )
                for row, words in enumerate(lines)
            ]
            y += gap
        parts += [
            drawing.box(x + 0.5, y, COLUMN - 1, BOX),
            drawing.text(x + 12, y + BOX / 2 + 5, step.words),
            drawing.text(x + COLUMN - 12, y + BOX / 2 + 6, f"{step.count:,}", Pen("end", 16, 600)),
        ]
        y += BOX
    return parts, y


def _lines(words: str) -> list[str]:
    return drawing.wrapped(words, COLUMN - 46, SMALL)
