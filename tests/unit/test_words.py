"""One tree of words: both languages hold the same, and every code of the program is there."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Final

import pytest

from cbt_core.words import FOLDER, LANGUAGES, sentences

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = sorted(file.name for file in (FOLDER / "en").glob("*.toml"))
PROGRAM = sorted(
    path
    for folder in ("cbt_core", "db", "pages", "training")
    for path in (ROOT / folder).rglob("*.py")
)
NO_KEYS: Final = {"id", "css", "csv", "html", "js", "json", "jsonl", "log", "parquet", "py", "toml"}
"""What follows a section's name in a file's name or a column's, not in a code."""
IN_A_FILE: Final = {"refuse", "stop", "warn"}
"""Methods of `Place` whose third argument is a code, in section `files` unless it names one."""


def read(language: str, name: str) -> dict[str, str]:
    return tomllib.loads((FOLDER / language / name).read_text("utf-8"))


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("name", SECTIONS)
def test_both_languages_have_the_same_keys_and_values(name: str) -> None:
    english, chinese = read("en", name), read("zh", name)
    assert english.keys() == chinese.keys()
    for key in english:
        assert fields(english[key]) == fields(chinese[key]), key


def test_no_section_exists_in_one_language_only() -> None:
    assert sorted(file.name for file in (FOLDER / "zh").glob("*.toml")) == SECTIONS


@pytest.mark.parametrize("name", SECTIONS)
def test_chinese_sentences_are_chinese(name: str) -> None:
    for key, text in read("zh", name).items():
        letters = re.sub(r"[\s\d\W_a-zA-Z]", "", text)
        if len(text) > 24:  # a name, a key or a number may do without
            assert re.search(r"[\u4e00-\u9fff]", letters), key


def test_no_section_is_called_by_a_gerund() -> None:
    gerunds = {name for name in SECTIONS if name.removesuffix(".toml").endswith("ing")}
    assert gerunds == {"closing.toml", "rating.toml", "training.toml"}  # nouns all three


def codes(tree: ast.AST) -> Iterator[str]:
    """Return the codes a module names whole; an open one, f"runs.ended_{how}", ends in `*`."""
    known = {name.removesuffix(".toml") for name in SECTIONS}
    pieces = {piece for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
              for piece in node.values}
    for node in ast.walk(tree):
        if node in pieces:
            continue
        text, rest = "", ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            text, rest = str(node.values[0].value), "*"
        section, dot, key = text.partition(".")
        named = dot and section in known and re.fullmatch(r"[a-z0-9_]*", key)
        if named and key not in NO_KEYS and (key or rest):
            yield text + rest


def codes_of_problems(tree: ast.AST) -> Iterator[str]:
    """Return the codes that problems in a file are noted under."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in IN_A_FILE and len(node.args) > 2:
            code = node.args[2]
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                yield code.value if "." in code.value else f"files.{code.value}"


@pytest.mark.parametrize("path", PROGRAM, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_code_in_the_program_has_its_sentence(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    for language in LANGUAGES:
        said = sentences(language)
        for code in {*codes(tree), *codes_of_problems(tree)}:
            if code[-1] in "*_":
                assert any(key.startswith(code.rstrip("*")) for key in said), code
            else:
                assert code in said, code


def test_every_exported_column_has_its_meaning_and_no_meaning_is_idle() -> None:
    keys = {code.removeprefix("columns.") for code in sentences("en") if "columns." in code}
    used = set()
    for path in PROGRAM:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "described":
                used.add(ast.literal_eval(node.args[2 if len(node.args) > 2 else 0]))
    assert used == keys
