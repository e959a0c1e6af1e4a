"""Fixtures on real databases: a temporary SQLite file, or PostgreSQL when a server is named."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import URL, create_engine, make_url, text

from db import migrate
from db.engine import Database

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)

# A busy machine is no fault of an example: hypothesis judges what is true, not how long it took.
settings.register_profile(
    "busy", settings.get_profile(settings.get_current_profile_name()), deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("busy")


@pytest.fixture
def now() -> datetime:
    """Return the moment at which tests happen."""
    return NOW


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | URL]:
    """Yield an empty database at the current version that is copied, never opened again."""
    server = os.environ.get("CONCORD_TEST_DATABASE", "")
    if server:
        with _on_postgresql(make_url(server)) as place:
            _migrate(place.render_as_string(hide_password=False)).close()
            yield place
        return
    file = tmp_path_factory.mktemp("blank") / "concord.db"
    _migrate(f"sqlite:///{file}").close()
    assert not Path(f"{file}-wal").exists()  # nothing is left beside the file
    yield file


@pytest.fixture
def database(blank: Path | URL, tmp_path: Path) -> Iterator[Database]:
    """Yield an empty database at the current version."""
    if isinstance(blank, URL):
        with _on_postgresql(blank, template=blank.database) as place:
            made = Database(place.render_as_string(hide_password=False))
            yield made
            made.close()
        return
    made = Database(f"sqlite:///{shutil.copyfile(blank, tmp_path / 'concord.db')}")
    yield made
    made.close()


def _migrate(url: str) -> Database:
    made = Database(url)
    migrate.upgrade(made)
    return made


@contextmanager
def _on_postgresql(server: URL, template: str | None = None) -> Iterator[URL]:
    name, like = f"t{uuid4().hex}", f'TEMPLATE "{template}"' if template else ""
    admin = create_engine(server.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" {like}'))
    yield server.set(database=name)
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    admin.dispose()
