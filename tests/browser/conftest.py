"""The real app on a real port, and a real browser in front of it."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from db import migrate
from db.engine import Database

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CONCORD_CHROMIUM", "/usr/bin/chromium")
WAIT_MS = 30_000
"""How long a browser test waits for what has to come. Nobody waits less: machines are busy.

Playwright's own default is this for presses and pages, and five seconds for `expect`.
"""
expect.set_options(timeout=WAIT_MS)


@dataclass
class Served:
    """A running server with its database; `restart` stands for a crash."""

    url: str
    port: int
    database: Database
    process: subprocess.Popen[bytes]
    log: Path

    def start(self) -> None:
        """Start the server and wait until it is well."""
        environment = {
            **os.environ,
            "CONCORD_DATABASE": self.database.url,
            "CONCORD_PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)],
            cwd=ROOT, env=environment, stdout=self.log.open("ab"), stderr=subprocess.STDOUT,
        )
        for _ in range(240):
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.25)
        raise RuntimeError(f"the app did not start; see {self.log}")

    def kill(self) -> None:
        """End the server as a power cut would: no goodbye."""
        self.process.kill()
        self.process.wait()


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(folder: Path, *, prefix: str = "") -> Iterator[Served]:
    """Yield a served, empty database; `prefix` is the path before every address of the app."""
    database = Database(f"sqlite:///{folder / 'concord.db'}")
    migrate.upgrade(database)
    port = free_port()
    url = f"http://127.0.0.1:{port}{prefix}"
    served = Served(url, port, database, None, folder / "server.log")  # type: ignore[arg-type]
    served.start()
    yield served
    served.kill()
    database.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Yield the app on an empty database, one per test module."""
    yield from serve(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Yield one Chromium for all tests."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()
