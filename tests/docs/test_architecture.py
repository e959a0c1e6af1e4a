"""The map of the house names files and functions that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAP = (ROOT / "docs" / "architecture.md").read_text("utf-8")
FILES = sorted(set(re.findall(r"`((?:pages|cbt_core|db|training|tests|docs)/[\w/.-]+\.\w+)`", MAP)))
FUNCTIONS = [
    (file, name)
    for file, names in re.findall(r"`([\w/]+\.(?:py|js))`((?:,? `\w+`)+)", MAP)
    for name in re.findall(r"`(\w+)`", names)
]


@pytest.mark.parametrize("file", FILES)
def test_a_file_on_the_map_exists(file: str) -> None:
    assert (ROOT / file).is_file()


@pytest.mark.parametrize(("file", "name"), FUNCTIONS)
def test_a_function_on_the_map_exists(file: str, name: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert re.search(rf"^(?:export )?(?:async )?(?:def|class|function) {name}\b", text, re.M)


def test_the_rooms_of_the_tree_exist() -> None:
    rooms = re.findall(r"guard; ([\w/ ]+)", MAP)[0].split()
    assert {room.strip("/") for room in rooms} == {
        folder.name for folder in (ROOT / "cbt_core" / "services").iterdir()
        if (folder / "__init__.py").exists()
    }
