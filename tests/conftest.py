"""Fixtures on real databases: a temporary SQLite file, or PostgreSQL when a server is named."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, text

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


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Yield an empty database at the current version."""
    server = os.environ.get("CONCORD_TEST_DATABASE", "")
    if server:
        yield from _on_postgresql(server)
        return
    made = Database(f"sqlite:///{tmp_path / 'concord.db'}")
    migrate.upgrade(made)
    yield made
    made.close()


def _on_postgresql(server: str) -> Iterator[Database]:
    schema = f"t{uuid4().hex}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    made = Database(f"{server}?options=-csearch_path%3D{schema}")
    migrate.upgrade(made)
    yield made
    made.close()
    with admin.connect() as connection:
        connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
    admin.dispose()
