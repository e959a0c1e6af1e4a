"""The terminal: exit 0, 1 or 2, one clear message, never a traceback."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from cbt_core import error_log
from cbt_core.cli import cli, main
from cbt_core.services.operations import storage
from cbt_core.settings import ROOT
from db.engine import database as opened
from tests.making import study_file

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("CONCORD_TEST_DATABASE")), reason="names its own database file"
)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Give a function that runs one command on a fresh database: (exit code, stdout, stderr)."""
    url = f"sqlite:///{tmp_path / 'cli.db'}"

    def once(*arguments: object) -> tuple[int, str, str]:
        code = main(["--database", url, *(str(one) for one in arguments)])
        told = capsys.readouterr()
        return code, told.out, told.err

    yield once
    opened(url).close()
    opened.cache_clear()


def _commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, found in group.commands.items():
        if isinstance(found, click.Group):
            yield from _commands(found, f"{path} {name}")
        else:
            yield f"{path} {name}".strip(), found


ALL = dict(_commands(cli))


@pytest.mark.parametrize("name", [name for name, found in ALL.items() if not found.hidden])
def test_help_shows_an_example_of_the_command(run: Run, name: str) -> None:
    code, out, _ = run(*name.split(), "--help")
    assert code == 0
    assert f"Example:\n    python -m cbt_core {name}" in out


def test_a_study_runs_from_import_to_unblinding(run: Run, tmp_path: Path) -> None:
    file = study_file(tmp_path)
    assert run("study", "create", "trial", "--title", "T", "--study-file", file)[0] == 0
    for number in (1, 2, 3):
        code, out, _ = run("person", "add", "--code", f"R0{number}", "--study", "trial")
        assert code == 0
        assert f"R0{number}" in out
    code, out, err = run("study", "assign", "trial", "--raters", "R01,R02,R03", "--seed", 7)
    assert code == 0
    assert "24 new rating tasks" in out
    assert err.startswith("warning: ")
    assert "0 of 24 tasks done" in run("study", "status", "trial")[1]
    assert run("study", "withdraw-item", "trial", "Q001", "--reason", "x")[0] == 0
    assert run("study", "release", "trial", "--rater", "R03")[0] == 1  # nobody is free
    assert run("study", "lock", "trial")[0] == 0
    assert run("study", "unlock", "trial", "--reason", "x")[0] == 0
    assert run("study", "lock", "trial")[0] == 0
    code, out, _ = run("study", "unblind", "trial", "--reason", "x")
    assert code == 0
    assert "zebra-lora" in out
    assert run("audit", "verify", "trial")[0] == 0
    assert run("db", "check")[0] == 0


def test_the_secret_is_printed_once_and_not_for_an_existing_person(
    run: Run, tmp_path: Path
) -> None:
    run("study", "create", "trial", "--title", "T", "--study-file", study_file(tmp_path))
    first = run("person", "add", "--code", "R01")[1]
    secret = next(line.split()[1] for line in first.splitlines() if line.startswith("Secret:"))
    again = run("person", "add", "--code", "R01", "--study", "trial")[1]
    assert "Secret:" not in again
    assert secret not in run("person", "list")[1]
    assert secret.encode() not in b"".join(one.read_bytes() for one in tmp_path.glob("cli.db*"))
    assert "Secret:" in run("person", "reset", "R01")[1]


def test_the_same_file_again_says_nothing_new(run: Run, tmp_path: Path) -> None:
    file = study_file(tmp_path)
    run("study", "create", "trial", "--title", "T", "--study-file", file)
    code, out, _ = run("study", "create", "trial", "--title", "T", "--study-file", file)
    assert code == 0
    assert out.startswith("0 new: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("study", "create", "s", "--title", "T", "--study-file", "nowhere.jsonl"),
        ("study", "create", "s", "--title", "T", "--questions", "nowhere.csv"),
        ("study", "create", "s", "--title", "T", "--study-file", "."),
        ("study", "create", "s", "--title", "T"),
        ("study", "lock", "nowhere"),
        ("person", "reset", "R99"),
        ("audit", "verify", "nowhere"),
        ("db", "restore", "nowhere.db"),
        ("study", "sample", "--questions", "nowhere.csv", "--n", 1, "--seed", 1, "--out", "x.csv"),
    ],
)
def test_what_cannot_be_done_exits_1_with_one_message(run: Run, arguments: tuple[str]) -> None:
    run("person", "add", "--code", "R01")
    code, out, err = run(*arguments)
    assert code == 1
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert "unexpected" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("frobnicate",),
        ("study", "frobnicate"),
        ("study", "lock"),
        ("study", "lock", "a", "b"),
        ("study", "unlock", "trial"),
        ("study", "export", "trial", "--out", "x", "--format", "doc"),
        ("--lang", "fr", "doctor"),
    ],
)
def test_wrong_usage_exits_2(run: Run, arguments: tuple[str]) -> None:
    assert run(*arguments)[0] == 2


def test_a_bad_file_is_told_row_by_row_as_typed(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"id": "1", "question": "x"}\n\n{"id": "1", "question": " "}\n', "utf-8")
    code, _, err = run("study", "create", "bad", "--title", "T", "--study-file", file)
    assert code == 1
    assert all(line.startswith(f"{file}:3: ") for line in err.strip().splitlines())
    assert "bad" not in run("study", "list")[1]


def test_warnings_are_printed_and_refused_when_strict(run: Run, tmp_path: Path) -> None:
    file = study_file(tmp_path, systems=("x1", "y2", "z3"))
    refused = run("study", "create", "s", "--title", "T", "--study-file", file, "--strict")
    assert refused[0] == 1
    code, _, err = run("study", "create", "s", "--title", "T", "--study-file", file)
    assert code == 0
    assert err.startswith(f"warning: {file}:1: system: ")


def test_messages_speak_the_language_asked_for(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("person", "add", "--code", "R01")
    assert "没有名为 nowhere 的研究" in run("study", "lock", "nowhere", "--lang", "zh")[2]
    assert "没有名为 nowhere 的研究" in run("--lang", "zh", "study", "lock", "nowhere")[2]
    monkeypatch.setenv("CONCORD_LANG", "zh")
    assert "没有名为 nowhere 的研究" in run("study", "lock", "nowhere")[2]
    assert "no study nowhere" in run("study", "lock", "nowhere", "--lang", "en")[2]


def test_a_missing_database_is_named_with_the_command_to_run(run: Run, tmp_path: Path) -> None:
    for arguments in (("study", "list"), ("db", "check"), ("audit", "verify")):
        code, _, err = run(*arguments)
        assert code == 1
        assert "python -m cbt_core db upgrade" in err
    assert run("db", "upgrade")[0] == 0
    assert run("study", "list")[0] == 0


@pytest.mark.parametrize("url", ["sqlite://", "mysql://x/y", "concord.db", "sqlite:///"])
def test_another_kind_of_database_is_refused(
    capsys: pytest.CaptureFixture[str], url: str
) -> None:
    assert main(["--database", url, "study", "list"]) == 1
    assert "sqlite:///FILE" in capsys.readouterr().err


def test_a_damaged_database_is_a_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cli.db").write_bytes(b"not a database at all " * 200)
    code, _, err = run("study", "list")
    assert code == 1
    assert "restore a backup" in err


def test_a_fault_of_ours_is_a_sentence_with_an_id_and_a_log_without_texts(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("患者说了一句话")

    monkeypatch.setattr(storage, "check_all", fail)
    monkeypatch.setattr(error_log, "FOLDER", tmp_path / "log")
    code, out, err = run("db", "check")
    log = (tmp_path / "log" / "errors.log").read_text("utf-8")
    error_id = err.split("(")[1].split(")")[0]
    assert (code, out, len(err.strip().splitlines())) == (1, "", 1)
    assert error_id in log
    assert "ValueError" in log
    assert "患者" not in log + err


def test_a_drawn_sample_carries_its_probability_and_can_be_imported(
    run: Run, tmp_path: Path
) -> None:
    frame, out = study_file(tmp_path, items=20), tmp_path / "drawn.csv"
    arguments = ("--questions", frame, "--n", 6, "--strata", "length", "--seed", 5)
    code, _, err = run("study", "sample", *arguments, "--out", out)
    assert (code, err) == (0, "")
    assert "inclusion_probability" in out.read_text("utf-8-sig").splitlines()[0]
    again = tmp_path / "again.csv"
    run("study", "sample", *arguments, "--out", again)
    assert again.read_bytes() == out.read_bytes()
    code, told, err = run("study", "create", "drawn", "--title", "T", "--study-file", out)
    assert (code, err) == (0, "")
    assert "6 items, 12 answers of 2 systems" in told


def test_doctor_looks_at_everything(run: Run) -> None:
    run("db", "upgrade")
    _, out, _ = run("doctor", "--lang", "zh")
    for told in ("SQLite", "数据库", "中文字体", "可选组件", "可写"):
        assert told in out


def test_starting_a_command_loads_nothing_heavy() -> None:
    code = (
        "import sys; from cbt_core.cli import main; main(['study', '--help']); "
        "heavy = {'torch', 'streamlit', 'pandas', 'numpy', 'scipy', 'sqlalchemy'}; "
        "sys.exit(len(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cbt_core", "study", "list", "--database",
         f"sqlite:///{tmp_path / 'none.db'}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("There is no database yet.")
    assert not (tmp_path / "none.db").exists()
