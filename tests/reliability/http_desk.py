"""The real app on a port, asked by raters' browsers that are threads here."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cbt_core.errors import StudyError
from db.engine import Database
from tests.browser.conftest import Served, free_port
from tests.reliability.desk import SLUG
from tests.reliability.writer import Open, Save

GONE = (OSError, http.client.HTTPException, ValueError)
"""What a browser meets while the server is dead or dying: no answer, or half of one."""

PATIENCE_SECONDS = 60.0


class Refusal(StudyError):
    """An answer other than 200: its code and the sentence a person would read."""

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        """Keep status and sentence beside the code."""
        super().__init__(str(error["code"]))
        self.status = status
        self.sentence = str(error["message"])


@contextmanager
def served_desk(database: Database, folder: Path) -> Iterator[Served]:
    """Serve a database that already holds a study."""
    port = free_port()
    served = Served(f"http://127.0.0.1:{port}", port, database, None, folder / "server.log")  # type: ignore[arg-type]
    served.start()
    try:
        yield served
    finally:
        served.kill()


class Browser:
    """What a sheet does with its routes, over one connection that is opened again when lost."""

    def __init__(self, port: int, token: str) -> None:
        """Be signed in by a cookie."""
        self._port, self._token = port, token
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def post(self, path: str, body: object) -> dict[str, Any]:
        """POST JSON once.

        Raises:
            Refusal: the server answered with an error.
        """
        self._connection.request(
            "POST", path, json.dumps(body),
            {"Content-Type": "application/json", "Cookie": f"concord_session={self._token}",
             "Origin": f"http://127.0.0.1:{self._port}"},
        )
        answer = self._connection.getresponse()
        content: dict[str, Any] = json.loads(answer.read())
        if answer.status != 200:
            raise Refusal(answer.status, content["error"])
        return content

    def insist(self, path: str, body: object) -> dict[str, Any]:
        """POST the same until the server has answered, as the sheet does."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.post(path, body)
            except GONE:
                self._connection.close()
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def doors(self) -> tuple[Open, Save]:
        """Return how a writer opens and saves through this browser."""

        def open_task(task: str) -> dict[str, Any]:
            found: dict[str, Any] = self.insist(
                "/api/sheet/open", {"study": SLUG, "task": task})["view"]
            return found

        def save(body: Mapping[str, Any]) -> int:
            return int(self.insist("/api/sheet/save", body)["saved"]["revision"])

        return open_task, save
