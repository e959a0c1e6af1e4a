"""Imported text never reaches Markdown or HTML: no call with anything but our own words."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([ROOT / "app.py", *(ROOT / "pages").rglob("*.py")])
MARKUP = {"markdown", "write", "html", "latex"}
STYLE_ONLY = {"chrome.py"}


def own_words(node: ast.expr) -> bool:
    """Tell whether an expression is a literal or a call of t(...) alone."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t":
        return all(isinstance(k.value, ast.Constant) or is_number(k.value) for k in node.keywords)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr == "join" and all(own_words(arg) for arg in node.args)
    if isinstance(node, ast.GeneratorExp):
        return own_words(node.elt)
    if isinstance(node, ast.JoinedStr):
        return all(
            own_words(part.value) if isinstance(part, ast.FormattedValue) else True
            for part in node.values
        )
    return False


def is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {
        "len", "int", "round"
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_markup_is_made_of_our_own_words_only(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        assert not any(keyword.arg == "unsafe_allow_html" for keyword in node.keywords)
        is_markup = isinstance(node.func, ast.Attribute) and node.func.attr in MARKUP
        if is_markup and path.name not in STYLE_ONLY and node.args:
            assert own_words(node.args[0]), f"{path.name}:{node.lineno}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "pages" / "ui" / "components").rglob("*.js")), ids=lambda path: path.name
)
def test_scripts_never_turn_text_into_markup(path: Path) -> None:
    script = path.read_text("utf-8")
    for trap in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert trap not in script
