"""The house: fixed first level, empty package files, lean imports, one way down."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("package", ["cbt_core", "db", "pages"])
def test_a_package_file_holds_a_docstring_and_nothing_else(package: str) -> None:
    body = ast.parse((ROOT / package / "__init__.py").read_text("utf-8")).body
    assert len(body) == 1
    assert ast.get_docstring(ast.Module(body, [])) is not None


def test_the_first_level_is_there() -> None:
    for name in ("app.py", "pages", "cbt_core", "db", "training", "tests", "requirements.txt"):
        assert (ROOT / name).exists()


@pytest.mark.parametrize("module", ["app", "cbt_core.cli"])
def test_opening_the_app_imports_no_torch(module: str, tmp_path: Path) -> None:
    code = (
        f"import sys, {module}; "
        "heavy = {'torch', 'transformers', 'peft', 'bert_score', 'sacrebleu'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False,
        env={"CONCORD_DATABASE": f"sqlite:///{tmp_path / 'c.db'}", "PATH": "/usr/bin:/bin",
             "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr[-400:]


def test_the_routes_of_raters_import_no_statistics(tmp_path: Path) -> None:
    code = (
        "import sys, cbt_core.http; "
        "heavy = {'pandas', 'scipy', 'pyarrow', 'altair', 'openpyxl'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr[-400:]


def test_no_file_outside_the_screens_imports_streamlit() -> None:
    for folder in ("cbt_core", "db", "training"):
        for path in (ROOT / folder).rglob("*.py"):
            assert "import streamlit" not in path.read_text("utf-8"), path


def test_no_part_of_the_pipeline_is_a_server() -> None:
    """Models are served by vLLM, llama.cpp's server and their like; ours is a double for tests."""
    for folder in ("cbt_core/generation", "cbt_core/services", "cbt_core/commands", "training"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text("utf-8")
            assert not {"uvicorn", "starlette"} & set(re.findall(r"\w+", text)), path
