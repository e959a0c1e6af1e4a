"""Every problem a file can have is said in both languages, with the same values."""

import string
import tomllib
from pathlib import Path

import pytest

import cbt_core.files
from cbt_core.domain.study import Problem
from cbt_core.files.problems import (
    Findings,
    ImportProblems,
    Place,
    describe,
    refuse_warnings,
    shown,
)
from cbt_core.words import FOLDER

ROOM = Path(cbt_core.files.__path__[0])


def sentences(language: str) -> dict[str, str]:
    """Return the sentences of files in a language."""
    return tomllib.loads((FOLDER / language / "files.toml").read_text("utf-8"))


def values(sentence: str) -> set[str]:
    """Return the names of the values a sentence takes."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_both_languages_have_the_same_sentences_with_the_same_values() -> None:
    english, chinese = sentences("en"), sentences("zh")
    assert {code: values(text) for code, text in english.items()} == {
        code: values(text) for code, text in chinese.items()
    }


def test_every_sentence_is_used() -> None:
    source = "".join(path.read_text("utf-8") for path in ROOM.glob("*.py"))
    made = {f"privacy_{kind}" for kind in ("phone", "mail", "card", "chat")}
    unused = {code for code in sentences("en") if not code.startswith("kind_")} - made
    assert {
        code for code in unused if f'"{code}"' not in source and f".{code}" not in source
    } == set()


def test_a_refusal_tells_twenty_problems_and_counts_the_rest() -> None:
    findings = Findings()
    place = Place("a.csv", findings)
    for row in range(2, 152):
        place.refuse(row, "id", "key_empty")
    refusal = findings.problems()
    assert len(refusal.problems) == 100
    assert len(refusal.lines("en")) == 21
    assert refusal.lines("en")[0].startswith("a.csv:2: id: the id is missing or empty; ")
    assert refusal.lines("en")[-1] == "… and 130 more problems"


def test_warnings_of_a_kind_are_told_twenty_times_and_then_counted() -> None:
    findings = Findings()
    for row in range(50):
        Place("a.csv", findings).warn(row, "question", "text_direction")
    found = findings.warnings()
    assert len(found) == 21
    assert describe(found[-1]) == "a.csv:19: question: 30 more like the one above"


def test_strict_turns_warnings_into_a_refusal() -> None:
    warning = Problem("a.csv", 3, "question", "text_direction")
    with pytest.raises(ImportProblems, match=r"a\.csv:3: question: "):
        refuse_warnings((warning,))
    refuse_warnings(())


def test_a_message_shows_at_most_forty_escaped_characters_of_a_value() -> None:
    assert shown("长" * 41) == "长" * 39 + "…"
    assert shown("a\nb\u200b") == "a\\nb\\u200b"
    assert Place("a\nb.csv", Findings()).name == "a\\nb.csv"
