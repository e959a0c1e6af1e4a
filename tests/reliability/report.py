"""The validation report: what ran, with which settings, and whether each bar holds.

python -m tests.reliability.report list            the test files the bars name
python -m tests.reliability.report write FOLDER    FOLDER.md from FOLDER/*.xml and *.json
"""

import os
import platform
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from defusedxml.ElementTree import parse

from cbt_core.version import VERSION
from db.engine import Database

BARS: Final = Path(__file__).with_name("bars.toml")
LIBRARIES: Final = ("sqlalchemy", "streamlit", "starlette", "argon2-cffi", "pandas", "scipy",
                    "filelock", "playwright")
COUNTS: Final = ("CONCORD_KILLS", "CONCORD_SERVER_KILLS", "CONCORD_CUTS", "CONCORD_BURST_SAVES",
                 "CONCORD_BURST_THREAD_SAVES", "CONCORD_CROWD_SAVES", "CONCORD_FUZZ",
                 "CONCORD_IDLE_MACHINE")

Outcomes = Mapping[str, str]
"""Test (`reliability/test_kills.py::test_x[param]`) to passed, failed or skipped."""


@dataclass(frozen=True)
class Bar:
    """One bar: its number, what it claims, and the tests that show it."""

    number: int
    claim: str
    tests: tuple[str, ...]
    evidence: tuple[str, ...] = ()
    left: str = ""


@dataclass(frozen=True)
class Judged:
    """A bar with its verdict: pass, FAIL or not run."""

    bar: Bar
    verdict: str
    ran: int
    wrong: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def bars() -> list[Bar]:
    """Return the bars in order."""
    found = tomllib.loads(BARS.read_text("utf-8"))["bar"]
    return [
        Bar(one["number"], one["claim"], tuple(one["tests"]), tuple(one.get("evidence", ())),
            one.get("left", ""))
        for one in found
    ]


def files(chosen: Iterable[Bar]) -> list[str]:
    """Return the test files the bars name, each once, below the repository."""
    return sorted({f"tests/{test.partition('::')[0]}" for bar in chosen for test in bar.tests})


def outcomes(folder: Path) -> dict[str, str]:
    """Read what pytest wrote as JUnit XML."""
    found: dict[str, str] = {}
    for file in sorted(folder.glob("*.xml")):
        for case in parse(file).getroot().iter("testcase"):
            path = case.get("classname", "").removeprefix("tests.").replace(".", "/")
            kinds = {child.tag for child in case}
            found[f"{path}.py::{case.get('name')}"] = (
                "failed" if kinds & {"failure", "error"}
                else "skipped" if "skipped" in kinds else "passed"
            )
    return found


def judge(bar: Bar, found: Outcomes) -> Judged:
    """Return the verdict: every test named ran, and none failed."""
    of_bar: dict[str, str] = {}
    absent = []
    for wanted in bar.tests:
        here = {name: how for name, how in found.items() if _belongs(name, wanted)}
        of_bar |= here
        if "passed" not in here.values() and "failed" not in here.values():
            absent.append(f"{wanted} (did not run)")
    wrong = [name for name, how in of_bar.items() if how == "failed"]
    verdict = "FAIL" if wrong else ("not run" if absent else "pass")
    skipped = tuple(name for name, how in of_bar.items() if how == "skipped")
    ran = sum(how != "skipped" for how in of_bar.values())
    return Judged(bar, verdict, ran, (*wrong, *absent), skipped)


def _belongs(name: str, wanted: str) -> bool:
    return name.partition("::")[0] == wanted or name.partition("[")[0] == wanted


def text(judged: Sequence[Judged], folder: Path, now: datetime) -> str:
    """Return the report as Markdown."""
    holds = sum(one.verdict == "pass" for one in judged)
    lines = [
        f"# Validation of Concord {VERSION}, {now:%Y-%m-%d %H:%M} UTC", "",
        f"{holds} of {len(judged)} bars hold. Evidence: `{folder.name}/`.", "",
        *_surroundings(), "", "| bar | verdict | tests | claim |", "|---|---|---|---|",
        *(f"| {one.bar.number} | {one.verdict} | {one.ran} | {one.bar.claim} |" for one in judged),
    ]
    for one in judged:
        lines += _details(one, folder)
    return "\n".join(lines) + "\n"


def _surroundings() -> list[str]:
    with tempfile.TemporaryDirectory() as place:
        database = Database(f"sqlite:///{Path(place) / 'concord.db'}")
        settings = dict(database.settings())
        database.close()
    counts = ", ".join(f"{name} {os.environ.get(name, 'default')}" for name in COUNTS)
    return [
        f"- Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} cores",
        "- " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "- Storage settings read back: " + ", ".join(f"{k} {v}" for k, v in settings.items()),
        f"- Counts: {counts}",
    ]


def _details(one: Judged, folder: Path) -> list[str]:
    lines = ["", f"## {one.bar.number}. {one.bar.claim}: {one.verdict}", ""]
    lines += [f"- wrong: `{name}`" for name in one.wrong]
    lines += [f"- skipped: `{name}`" for name in one.skipped]
    if one.bar.left:
        lines.append(f"- not shown: {one.bar.left}")
    for name in one.bar.evidence:
        file = folder / f"{name}.json"
        found = " ".join(file.read_text("utf-8").split()) if file.exists() else "missing"
        lines.append(f"- {name}: `{found}`")
    lines += [f"- tests: {', '.join(f'`{test}`' for test in one.bar.tests)}"]
    return lines


def main(arguments: Sequence[str]) -> int:
    """List the files, or write the report; 1 when a bar does not hold."""
    if arguments[0] == "list":
        sys.stdout.write("\n".join(files(bars())) + "\n")
        return 0
    folder = Path(arguments[1])
    found = outcomes(folder)
    judged = [judge(bar, found) for bar in bars()]
    target = folder.with_suffix(".md")
    target.write_text(text(judged, folder, datetime.now(UTC)), "utf-8")
    failing = [one for one in judged if one.verdict != "pass"]
    for one in failing:
        sys.stdout.write(f"bar {one.bar.number}: {one.verdict}: {', '.join(one.wrong)}\n")
    sys.stdout.write(f"{len(judged) - len(failing)} of {len(judged)} bars hold: {target}\n")
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
