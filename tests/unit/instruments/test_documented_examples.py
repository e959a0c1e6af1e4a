"""What the manual shows can be used as it stands."""

import re
from pathlib import Path

import pytest

from cbt_core.files.protocol import parse_protocol
from cbt_core.instruments import parse_instrument, parse_scheme

DOCS = Path(__file__).parents[3] / "docs"


def shown(page: str) -> list[str]:
    """Return the TOML blocks of a page."""
    return re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)


def test_the_instruments_of_the_manual_load() -> None:
    clarity, warmth, scheme = shown("instruments.md")
    assert [len(scale.values) for scale in parse_instrument(clarity, "clarity").scales] == [5, 3]
    assert len(parse_instrument(warmth, "warmth").scale("warmth").values) == 5
    assert [label.id for label in parse_scheme(scheme, "two").labels] == ["mind-reading", "other"]


@pytest.mark.parametrize("text", shown("protocol.md"))
def test_the_protocols_of_the_manual_load(text: str) -> None:
    assert parse_protocol(text).digest


def test_every_key_of_a_protocol_is_in_the_manual() -> None:
    page = (DOCS / "protocol.md").read_text("utf-8")
    default = parse_protocol("").text.partition("[instrument.scales]")[0]
    keys = re.findall(r"^(\w+) = ", default, re.MULTILINE)
    assert len(keys) > 10
    assert all(f"`{key}`" in page for key in keys)
