"""A full, read-only, busy or damaged storage: the person is told, and nothing old is lost."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from starlette.applications import Starlette
from starlette.testclient import TestClient

from cbt_core.errors import NotSaved
from cbt_core.http import routes
from cbt_core.routes.common import COOKIE
from cbt_core.services.desk import desk_task
from cbt_core.settings import Settings
from db import check, engine, tasks
from db.engine import Database
from tests import making
from tests.conftest import NOW
from tests.reliability.desk import SLUG, Desk, prepared, sign_in
from tests.reliability.http_desk import Browser, Refusal, served_desk
from tests.reliability.power import build, compiler
from tests.reliability.small_disk import fill, make_read_only, small_disk

HERE = "http://127.0.0.1:8501"
MEGABYTES = 80  # an import asks for 50 free
COOKIES: dict[str, str] = {}
"""The rater's session, by database."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", MEGABYTES) as mounted:
        yield mounted


def view_of(desk: Desk, task: int = 0) -> dict[str, Any]:
    rater = desk.raters["R01"]
    with desk.database.reading():
        return dict(desk_task.open_task(
            desk.database, rater, slug=SLUG, token=desk.tasks["R01"][task], now=NOW))


def save(desk: Desk, view: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = making.press(view, entries=making.entries(view, **more))
    return dict(desk_task.save(desk.database, desk.raters["R01"], body=body, now=NOW))


def acknowledged(desk: Desk) -> int:
    """Return the revision of the first task as a reader finds it."""
    with desk.database.reading() as connection:
        assert check.faults(connection) == []
        row = tasks.find(connection, desk.tasks["R01"][0])
    assert row is not None
    return row.revision


def ask(desk: Desk, view: dict[str, Any]) -> tuple[int, dict[str, str]]:
    """Save through the route; return status and error."""
    token = COOKIES[desk.database.url]
    app = Starlette(routes=routes(desk.database, Settings(database=desk.database.url)))
    with TestClient(app, base_url=HERE, cookies={COOKIE: token}) as client:
        answer = client.post(
            "/api/sheet/save", json=making.press(view), headers={"Origin": HERE})
    return answer.status_code, answer.json()["error"]


def started(folder: Path) -> tuple[Desk, dict[str, Any], dict[str, Any]]:
    """Return a desk with one acknowledged save, and two opened tasks to try next."""
    desk = prepared(folder, raters=1)
    COOKIES[desk.database.url] = sign_in(desk.database, desk.raters["R01"].id)
    save(desk, view_of(desk))
    return desk, view_of(desk, 1), view_of(desk, 2)


def is_told(desk: Desk, view: dict[str, Any], *codes: str) -> None:
    """Check that service and route refuse the save with one of these codes, and with a sentence."""
    with pytest.raises(NotSaved) as refused:
        save(desk, view)
    assert refused.value.code in codes
    status, error = ask(desk, view)
    assert status == 503
    assert error["code"] in codes
    assert error["message"] == NotSaved(error["code"]).say("zh")


def test_a_full_disk_is_told_and_works_again_once_there_is_room(disk: Path) -> None:
    desk, view, later = started(disk)
    ballast = fill(disk)
    is_told(desk, view, "storage.full")
    assert acknowledged(desk) == 1
    ballast.unlink()
    assert save(desk, view)["saved"]["revision"] == 1
    assert save(desk, later)["saved"]["revision"] == 1
    assert acknowledged(desk) == 1
    desk.database.close()


def test_a_read_only_disk_is_told_and_works_again(disk: Path) -> None:
    desk, view, _ = started(disk)
    desk.database.close()
    make_read_only(disk, read_only=True)
    is_told(desk, view, "storage.read_only", "storage.cannot_open")
    make_read_only(disk, read_only=False)
    assert acknowledged(desk) == 1
    assert save(desk, view)["saved"]["revision"] == 1
    desk.database.close()


def overwrite_head(file: Path) -> None:
    with file.open("r+b") as raw:
        raw.write(os.urandom(100))


def overwrite_pages(file: Path) -> None:
    size = file.stat().st_size
    with file.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xa5" * (size - 4096))


@pytest.mark.parametrize("damage", [overwrite_head, overwrite_pages])
def test_a_damaged_file_is_told_and_a_backup_works_again(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    desk, view, _ = started(tmp_path)
    desk.database.close()
    shutil.copy(desk.database.path, tmp_path / "backup.db")
    damage(desk.database.path)
    is_told(desk, view, "storage.damaged")
    desk.database.close()
    shutil.copy(tmp_path / "backup.db", desk.database.path)
    assert acknowledged(desk) == 1
    assert save(desk, view)["saved"]["revision"] == 1
    desk.database.close()


def test_a_database_held_by_another_program_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, view, _ = started(tmp_path)
    monkeypatch.setattr(engine, "WAIT_SECONDS", 0.2)
    with FileLock(f"{desk.database.path}.wlock"):
        is_told(desk, view, "storage.busy")
    assert save(desk, view)["saved"]["revision"] == 1
    desk.database.close()


@contextmanager
def served_with_a_disk_that_fills(desk: Desk, folder: Path) -> Iterator[tuple[Browser, Path]]:
    """Serve the app with writes that fail while a file named `full` exists."""
    sign = folder / "full"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LD_PRELOAD", str(build(folder)))
        patch.setenv("CONCORD_RECORD", str(desk.database.path))
        patch.setenv("CONCORD_RECORD_FULL", str(sign))
        patch.setenv("CONCORD_LANG", "zh")
        with served_desk(desk.database, folder) as served:
            patch.undo()
            yield Browser(served.port, COOKIES[desk.database.url]), sign


@pytest.mark.slow
@pytest.mark.skipif(compiler() is None, reason="no C compiler for the failing disk")
def test_the_served_app_tells_of_a_full_disk_and_goes_on(tmp_path: Path) -> None:
    desk, view, _ = started(tmp_path)
    with served_with_a_disk_that_fills(desk, tmp_path) as (browser, sign):
        body = making.press(view)
        sign.touch()
        with pytest.raises(Refusal) as refused:
            browser.post("/api/sheet/save", body)
        assert (refused.value.status, refused.value.code) == (503, "storage.full")
        assert "未保存" in refused.value.sentence
        assert browser.post(
            "/api/sheet/open", {"study": SLUG, "task": None})["view"]["state"] == "task"
        sign.unlink()
        assert browser.post("/api/sheet/save", body)["saved"]["revision"] == 1
        assert browser.post("/api/sheet/save", body)["saved"]["repeated"] is True
    assert acknowledged(desk) == 1
    desk.database.close()


def test_a_sound_database_has_its_settings(tmp_path: Path) -> None:
    made = Database(f"sqlite:///{tmp_path / 'concord.db'}")
    found = made.settings()
    assert found["journal_mode"] == "wal"
    assert found["synchronous"] == "2"  # FULL
    assert found["foreign_keys"] == "1"
    version = tuple(int(part) for part in found["version"].split("."))
    assert engine.sqlite_is_safe(version[:3])  # type: ignore[arg-type]
    made.close()
