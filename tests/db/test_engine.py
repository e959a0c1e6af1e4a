"""The engine: settings read back, one queue in order of arrival, readers that cannot write."""

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from cbt_core.errors import NotSaved
from db.engine import Database, Queue, sqlite_is_safe


def test_the_settings_that_durability_rests_on_read_back(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("SQLite's own settings")
    found = database.settings()
    assert found["journal_mode"] == "wal"
    assert found["synchronous"] == "2"  # FULL
    assert found["foreign_keys"] == "1"


def test_a_reader_cannot_write(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("query_only is SQLite's")
    with pytest.raises(NotSaved), database.reading() as connection:
        connection.execute(text("DELETE FROM throttle"))


@pytest.mark.parametrize(
    ("version", "safe"),
    [((3, 40, 1), False), ((3, 44, 5), False), ((3, 44, 6), True), ((3, 50, 6), False),
     ((3, 50, 7), True), ((3, 51, 2), False), ((3, 51, 3), True), ((3, 53, 4), True)],
)
def test_releases_with_the_wal_reset_race_are_known(
    version: tuple[int, int, int], safe: bool
) -> None:
    # sqlite.org/wal.html: fixed in 3.51.3 with backports 3.44.6 and 3.50.7
    assert sqlite_is_safe(version) is safe


def test_writers_are_served_in_order_of_arrival() -> None:
    queue, served = Queue(), []
    begun = threading.Event()

    def wait(number: int) -> None:
        with queue.turn(5):
            served.append(number)

    with queue.turn(5):
        threads = []
        for number in range(20):
            thread = threading.Thread(target=wait, args=(number,))
            threads.append(thread)
            thread.start()
            while len(queue._waiting) < number + 2:
                time.sleep(0.001)
        begun.set()
    for thread in threads:
        thread.join()
    assert served == list(range(20))


def test_who_gives_up_leaves_the_queue() -> None:
    queue = Queue()
    with queue.turn(1), pytest.raises(TimeoutError), queue.turn(0.01):
        raise AssertionError
    with queue.turn(0.5):
        pass


def test_a_folder_that_does_not_exist_is_a_sentence_not_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises((NotSaved, OSError)):
        Database(f"sqlite:///{tmp_path / 'file' / 'concord.db'}").settings()
