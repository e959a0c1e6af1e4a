"""Drawings: nothing reaches over the edge, nothing overlaps, long words are cut or broken."""

from xml.etree import ElementTree

from cbt_core.analysis.parts import Flow, ItemFlow, RaterFlow, TaskFlow
from cbt_core.report import drawing
from cbt_core.report.blocks import Figure
from cbt_core.report.drawing import COLUMN, Axis, Plot, PlotRow, draw_intervals, flow_drawing

SVG = "{http://www.w3.org/2000/svg}"
LONG = "一个名字很长很长的系统，长到在图里放不下，也没有空格可以换行"


def messy() -> Flow:
    return Flow(
        ItemFlow(120, {"Q1": "typo"}, {"Q2": "duplicate"}, 119, 118, 117),
        RaterFlow(6, 6, 5, 5, 4, ("R06",), {"R05": "failed checks"}, 4),
        TaskFlow(
            720, 640, {"too_distressing": 12, "not_competent": 3, "unreadable": 2, "other": 1},
            40, 11, 6, 14, 626, 9, {"repeat": 20},
        ),
    )


def ends(svg: str) -> list[tuple[float, float]]:
    """Return where each text starts and ends, by a guess at its width."""
    found = []
    for one in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        x, size = float(one.get("x", 0)), int(one.get("font-size", 13))
        width = drawing.width_of(one.text or "", size)
        shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[one.get("text-anchor", "start")]
        found.append((x - shift * width, x + (1 - shift) * width))
    return found


def test_no_text_of_the_flow_reaches_over_its_edge() -> None:
    for language in ("zh", "en"):
        svg = flow_drawing(messy(), language).svg
        width = float(ElementTree.fromstring(svg).get("width", 0))
        assert all(low >= -1 and high <= width + 1 for low, high in ends(svg))


def test_the_flow_tells_every_reason() -> None:
    told = flow_drawing(messy(), "en").description
    for words in ("40 not done", "18 skipped (Too distressing 12", "1 excluded", "1 left"):
        assert words in told


def test_reasons_are_broken_into_lines_of_the_column() -> None:
    lines = drawing.wrapped("18 skipped (Too distressing 12, Outside my competence 3)", 190, 12)
    assert len(lines) > 1
    assert all(drawing.width_of(one, 12) <= COLUMN for one in lines)


def test_a_long_name_is_cut_and_the_plot_keeps_its_edges() -> None:
    rows = (PlotRow(LONG), PlotRow(LONG, Figure(-3.0, -9.5, 4.0)), PlotRow("x", Figure(None)))
    found = draw_intervals(Plot("p", LONG, rows, Axis("axis", (-0.2, 0.2), 0.0)), "zh")
    width = float(ElementTree.fromstring(found.svg).get("width", 0))
    assert all(low >= -1 and high <= width + 1 for low, high in ends(found.svg))


def test_every_point_lies_on_the_axis() -> None:
    rows = tuple(PlotRow(str(place), Figure(value, value - 1, value + 1))
                 for place, value in enumerate((-7.3, 0.0, 0.01, 12.9)))
    svg = draw_intervals(Plot("p", "t", rows, Axis("axis", (0.0, 1.0), 0.0)), "en").svg
    root = ElementTree.fromstring(svg)
    places = [float(one.get("cx", 0)) for one in root.iter(f"{SVG}circle")]
    assert len(places) == 4
    assert places == sorted(places)
    assert all(230 <= x <= 560 for x in places)
