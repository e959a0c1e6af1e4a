"""Settings are read from the environment; what cannot be meant is refused by its name."""

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from cbt_core.cli import main
from cbt_core.errors import StudyError
from cbt_core.settings import ROOT, Settings, language_of

BAD = (
    ("CONCORD_PORT", "abc"), ("CONCORD_PORT", "0"), ("CONCORD_PORT", "70000"),
    ("CONCORD_PORT", "8501.5"), ("CONCORD_PORT", "８５０１"), ("CONCORD_IDLE_MINUTES", "-5"),
    ("CONCORD_IDLE_MINUTES", "half an hour"), ("CONCORD_ABSOLUTE_HOURS", "0"),
    ("CONCORD_ABSOLUTE_HOURS", "9" * 30), ("CONCORD_BROWSER_QUESTIONS", "-1"),
    ("CONCORD_SECURE_COOKIE", "ja"), ("CONCORD_SECURE_COOKIE", "2"), ("CONCORD_LANG", "fr"),
    ("CONCORD_LANG", "zh_CN.UTF-8"), ("CONCORD_BASE_PATH", "desk"), ("CONCORD_BASE_PATH", "/a b"),
    ("CONCORD_BASE_PATH", "https://x/desk"), ("CONCORD_ADDRESS", "every where"),
    ("CONCORD_PUBLIC_ORIGIN", "rating.example.org"),
    ("CONCORD_PUBLIC_ORIGIN", "https://rating.example.org/desk"),
    ("CONCORD_DATABASE", "mysql://h/x"), ("CONCORD_DATABASE", "sqlite:///"),
)
ELSEWHERE = {"CONCORD_API_KEY", "CONCORD_HUB", "CONCORD_MODELS"}
"""Variables read where a model is loaded or a host is called, not by the desk."""


@pytest.mark.parametrize(("variable", "value"), BAD)
def test_a_bad_value_is_refused_in_one_sentence_that_names_its_variable(
    variable: str, value: str
) -> None:
    with pytest.raises(StudyError) as refused:
        Settings.from_environment({variable: value})
    for language in ("en", "zh"):
        sentence = refused.value.say(language)
        assert sentence.startswith(variable)
        assert "\n" not in sentence
    assert "leave the variable out" in str(refused.value)


def test_a_database_url_is_not_repeated_for_it_may_hold_a_password() -> None:
    with pytest.raises(StudyError) as refused:
        Settings.from_environment({"CONCORD_DATABASE": "mysql://u:sentinel@h/x"})
    assert "sentinel" not in str(refused.value)


def test_what_can_be_meant_is_taken() -> None:
    given = Settings.from_environment({
        "CONCORD_DATABASE": "postgresql+psycopg://u@h/x", "CONCORD_ADDRESS": "::1",
        "CONCORD_PORT": " 9000 ", "CONCORD_BASE_PATH": "/desk/", "CONCORD_SECURE_COOKIE": "TRUE",
        "CONCORD_PUBLIC_ORIGIN": "https://[::1]:8443/", "CONCORD_IDLE_MINUTES": "5",
        "CONCORD_LANG": "zh", "CONCORD_ALLOWED_HOSTS": "a.example, b.example:8000",
        "CONCORD_BROWSER_QUESTIONS": "0",
    })
    assert given == Settings(
        "postgresql+psycopg://u@h/x", "::1", 9000, "/desk", "https://[::1]:8443", True, 5, 12, "zh",
        ("a.example", "b.example:8000"), 0,
    )


def test_an_empty_variable_is_as_if_not_set() -> None:
    names = [setting.metadata["variable"] for setting in fields(Settings)]
    assert Settings.from_environment(dict.fromkeys(names, "")) == Settings.from_environment({})


@pytest.mark.parametrize("arguments", [
    ["doctor"], ["agreement", "none.csv", "--out", "x.json"], ["study", "list"], ["db", "upgrade"],
    ["demo"],
])
def test_every_command_refuses_a_bad_variable(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONCORD_PORT", "abc")
    assert main([*arguments, "--lang", "zh"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("CONCORD_PORT=abc：")
    assert len(told.splitlines()) == 1


def test_help_needs_no_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONCORD_PORT", "abc")
    assert main(["study", "list", "--help"]) == 0
    assert "Usage" in capsys.readouterr().out


def test_a_refusal_of_the_language_itself_is_said_in_english() -> None:
    assert language_of({"CONCORD_LANG": "fr"}) == "en"
    assert language_of({"CONCORD_LANG": "zh"}) == "zh"


def test_the_server_does_not_start_under_a_bad_variable(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import app"], cwd=ROOT, capture_output=True, text=True,
        check=False, env={
            **os.environ, "CONCORD_DATABASE": f"sqlite:///{tmp_path / 'c.db'}",
            "CONCORD_IDLE_MINUTES": "-5", "CONCORD_LANG": "zh",
        },
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("CONCORD_IDLE_MINUTES=-5：")


def documented() -> dict[str, str]:
    """Return variable and default as the table of the manual gives them."""
    manual = (ROOT / "docs" / "operations.md").read_text("utf-8")
    rows = re.findall(r"^\| `(CONCORD_[A-Z_]+)` \|.*\| ([^|]+) \|$", manual, re.MULTILINE)
    return {variable: default.strip("` ") for variable, default in rows}


def test_the_manual_s_table_is_the_class() -> None:
    table, words = documented(), {"empty", "none", "the Host header"}
    assert table.keys() - ELSEWHERE == {one.metadata["variable"] for one in fields(Settings)}
    assert table.keys() >= ELSEWHERE
    plain = Settings.from_environment({})
    for setting in fields(Settings):
        variable, default = setting.metadata["variable"], getattr(plain, setting.name)
        if table[variable] in words:
            assert default in ("", ()), variable
        elif setting.name == "database":
            assert default.endswith(table[variable].removeprefix("sqlite:///"))
        else:
            assert setting.metadata["read"](variable, table[variable]) == default, variable
