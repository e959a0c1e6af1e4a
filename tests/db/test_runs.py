"""What a run's row keeps is still said after the words it names were renamed."""

import pytest

from cbt_core.services.runs.browser_run import watched
from db import runs
from db.engine import Database
from db.runs import Message
from tests.services.peopled import NOW


@pytest.mark.parametrize(
    "code", ["runs.not_started", "generation.no_credit", "export.cannot_write", "runs.token"]
)
def test_the_message_of_a_run_under_a_former_code_is_said(database: Database, code: str) -> None:
    with database.writing() as connection:
        runs.add(connection, code="g1", actor="L01", config={}, folder="", total=1, now=NOW)
        waiting = runs.by_code(connection, "g1")
        assert waiting is not None
        message = Message(code, {"cause": "", "host": "h", "file": "f"})
        runs.end(connection, waiting, status="failed", now=NOW, message=message)
        ended = runs.by_code(connection, "g1")
    assert ended is not None
    assert all(watched(ended, NOW).told(language) for language in ("en", "zh"))


def test_a_run_without_a_message_says_nothing(database: Database) -> None:
    with database.writing() as connection:
        runs.add(connection, code="g1", actor="L01", config={}, folder="", total=1, now=NOW)
        waiting = runs.by_code(connection, "g1")
    assert waiting is not None
    assert watched(waiting, NOW).told("en") == ""
