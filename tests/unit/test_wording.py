"""Chinese and English hold the same sentences with the same values in them."""

import re
import tomllib
from pathlib import Path
from string import Formatter

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "cbt_core" / "wording", ROOT / "pages" / "ui" / "text")
SECTIONS = sorted(
    (folder, file.name) for folder in FOLDERS for file in (folder / "en").glob("*.toml")
)


def read(folder: Path, language: str, name: str) -> dict[str, str]:
    return tomllib.loads((folder / language / name).read_text("utf-8"))


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize(("folder", "name"), SECTIONS, ids=lambda part: Path(part).stem)
def test_both_languages_have_the_same_keys_and_values(folder: Path, name: str) -> None:
    english, chinese = read(folder, "en", name), read(folder, "zh", name)
    assert english.keys() == chinese.keys()
    for key in english:
        assert fields(english[key]) == fields(chinese[key]), key


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_section_exists_in_one_language_only(folder: Path) -> None:
    english = {file.name for file in (folder / "en").glob("*.toml")}
    assert english == {file.name for file in (folder / "zh").glob("*.toml")}


@pytest.mark.parametrize(("folder", "name"), SECTIONS, ids=lambda part: Path(part).stem)
def test_chinese_sentences_are_chinese(folder: Path, name: str) -> None:
    for key, text in read(folder, "zh", name).items():
        letters = re.sub(r"[\s\d\W_a-zA-Z]", "", text)
        if len(text) > 24:  # a name, a key or a number may do without
            assert re.search(r"[\u4e00-\u9fff]", letters), key
