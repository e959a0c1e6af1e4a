"""Saves under the recorder: the real engine, the real service, two raters at once.

Run as: python -m tests.reliability.recorded PLANS (a pickled list of plans; run with LD_PRELOAD)
"""

import os
import pickle
import sys
from pathlib import Path

from sqlalchemy import event

from db.engine import Database
from tests.reliability.writer import Plan, in_threads


def main() -> None:
    """Do the plans, then close as a server that is told to stop does."""
    plans: list[Plan] = pickle.loads(Path(sys.argv[1]).read_bytes())  # noqa: S301 - our parent's
    database = Database(plans[0].url)
    if weaker := os.environ.get("CONCORD_CONTROL"):
        weaken(database, weaker)
    in_threads(plans, database)
    database.close()


def weaken(database: Database, setting: str) -> None:
    """Set another `synchronous`: the control that must lose."""

    def configure(raw: object, _record: object) -> None:
        raw.execute(f"PRAGMA synchronous={setting}")  # type: ignore[attr-defined]

    event.listen(database._writer, "connect", configure)


if __name__ == "__main__":
    main()
