"""The browser's task kit: its own tests under Node, and the shape of its modules."""

import re
import shutil
import subprocess
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from cbt_core.routes import kit

ROOT = Path(__file__).resolve().parents[2]
FACES = ("rating_sheet", "span_marker", "adjudicator")


def test_what_needs_no_browser_passes_under_node() -> None:
    node = shutil.which("node")
    assert node, "Install Node 18 or newer (Debian: nodejs); .ci/system-packages does."
    files = sorted(map(str, (ROOT / "tests" / "js").glob("*.test.mjs")))
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]


def test_the_kit_imports_no_face_and_no_module_goes_in_circles() -> None:
    imports = {
        name: set(kit.needed(name)) - {name} for name in kit.modules() if name != "task/loader.js"
    }
    list(TopologicalSorter(imports).static_order())  # raises CycleError
    for name, needed in imports.items():
        if name.startswith("task/"):
            assert all(other.startswith("task/") for other in needed), name


@pytest.mark.parametrize("face", FACES)
def test_a_browser_asks_at_once_for_all_a_face_needs_and_no_more(face: str) -> None:
    needed = kit.needed(f"{face}/face.js")
    own = {name for name in kit.modules() if name.startswith(f"{face}/")}
    common = {name for name in kit.modules() if name.startswith("task/")} - {"task/loader.js"}
    assert own | common <= set(needed)
    for name in needed:
        script = kit.modules()[name].decode()
        assert "import(" not in script  # nothing comes later, after an upgrade perhaps
        assert len(re.findall(r"\bfrom \"", script)) == len(re.findall(r"^import \{", script, re.M))
