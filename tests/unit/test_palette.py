"""One palette: no chart has a colour of its own, and lightness alone tells its colours apart."""

import re
from itertools import pairwise

import pytest

from cbt_core.palette import DARK, LIGHT, Palette
from cbt_core.settings import ROOT

DRAWERS = (
    "pages/ui/charts.py", "cbt_core/report/drawing.py",
    "cbt_core/services/assignment/sample_size.py",
)


def lightness(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2), 0 to 1."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((lightness(one), lightness(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", DRAWERS)
def test_what_draws_takes_its_colours_from_the_palette(name: str) -> None:
    assert re.findall(r"#[0-9a-fA-F]{6}", (ROOT / name).read_text("utf-8")) == []


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_are_told_apart_in_grey_and_seen_on_the_page(colours: Palette) -> None:
    assert contrast(colours.strong, colours.middle) > 2
    assert contrast(colours.accent, colours.middle) > 1.5
    assert all(contrast(one, colours.paper) > 3 for one in (colours.accent, colours.middle))
    assert all(contrast(one, colours.paper) > 4.5 for one in (colours.ink, colours.soft))
    steps = [lightness(one) for one in colours.steps]
    rising = [later > earlier for earlier, later in pairwise(steps)]
    assert len(set(rising)) == 1
