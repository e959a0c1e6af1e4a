"""CSV: figures at full precision with limits and reasons beside; every row stands on its own."""

import csv
import io

from cbt_core.report.blocks import Figure, Grid, Head
from cbt_core.report.writers import csv as csv_of
from tests.unit.report.report_samples import HOSTILE

GRID = Grid(
    "t", "T", (Head("scale", "S", numeric=False), Head("alpha", "A"), Head("p", "P")),
    (
        ("relevance", Figure(1 / 3, 0.1, 0.5), Figure(0.5, form="p")),
        ("", Figure(None, reason=HOSTILE), None),
        ("=1+1", 7, "not published here"),
    ),
)


def rows() -> list[dict[str, str]]:
    text = csv_of(GRID).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_it_starts_with_a_byte_order_mark() -> None:
    assert csv_of(GRID).startswith(b"\xef\xbb\xbf")


def test_a_figure_is_value_limits_and_reason() -> None:
    first, second, third = rows()
    figures = [first[name] for name in ("alpha", "alpha_low", "alpha_high")]
    assert figures == ["0.3333333333", "0.1", "0.5"]
    assert (second["alpha"], second["alpha_reason"]) == ("", HOSTILE)
    assert third["alpha"] == "7"
    assert (third["p"], third["p_reason"]) == ("", "not published here")


def test_an_empty_group_name_is_filled_from_above() -> None:
    assert [row["scale"] for row in rows()] == ["relevance", "relevance", "'=1+1"]
