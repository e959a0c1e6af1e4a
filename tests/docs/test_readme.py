"""The README and the manual say what is true: files exist, commands exist, settings are named."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cbt_core.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text("utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (document.parent / target).exists(), target


def commands() -> list[str]:
    found = set()
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        for line in re.findall(r"python -m cbt_core ([a-z-]+(?: [a-z-]+)?)", text):
            words = line.split()
            groups = {"db", "person", "study", "audit", "labels", "dataset"}
            found.add(" ".join(words[: 2 if words[0] in groups else 1]))
    return sorted(found)


@pytest.mark.parametrize("command", commands())
def test_every_command_the_manual_names_exists(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cbt_core", *command.split(), "--help"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_two_commands_are_on_the_first_screen() -> None:
    first = "\n".join(README.splitlines()[:25])
    assert "make app" in first
    assert "make test" in first


def test_every_setting_is_documented() -> None:
    source = (ROOT / "cbt_core" / "settings.py").read_text("utf-8")
    manual = (ROOT / "docs" / "operations.md").read_text("utf-8")
    for name in re.findall(r'"(CONCORD_[A-Z_]+)"', source):
        assert name in manual, name
    assert Settings.from_environment({}).loopback


def test_the_map_of_folders_names_what_is_there() -> None:
    for name in ("app.py", "pages", "cbt_core", "db", "training", "tests", "benchmarks", "docs"):
        assert f"`{name}" in README
        assert (ROOT / name).exists()
