"""The plan, frozen before the first rating: its text, its digest, the audit, too late."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cbt_core.cli import main
from cbt_core.domain.people import TERMINAL
from cbt_core.errors import Refused, StudyError
from cbt_core.files.protocol import parse_protocol
from cbt_core.services.results import study_results
from cbt_core.services.studies import registration
from db import audit
from db.engine import Database
from tests import making
from tests.making import Made

PROTOCOL = """
[design]
overlap = 2
[analysis]
baseline = "baseline"
primary = {scale = "structure", system = "zebra-lora"}
planned = ["position bias"]
exclude = ["raters below the pass mark"]
"""


@pytest.fixture
def study(database: Database, tmp_path: Path, now: datetime) -> Made:
    return making.make_study(database, tmp_path, now, protocol=PROTOCOL)


def register(database: Database, now: datetime, language: str = "en") -> registration.Frozen:
    return registration.register(database, TERMINAL, slug="trial", language=language, now=now)


def test_the_text_holds_the_plan_and_the_whole_protocol(
    database: Database, study: Made, now: datetime
) -> None:
    found = register(database, now)
    assert "Primary comparison: zebra-lora against the baseline on structure." in found.text
    assert "- position bias" in found.text
    assert "raters below the pass mark" in found.text
    assert found.digest in found.text
    protocol = found.text.split("````toml\n")[1].split("\n````")[0]
    assert parse_protocol(protocol).digest == found.digest


def test_the_plan_speaks_chinese(database: Database, study: Made, now: datetime) -> None:
    text = register(database, now, "zh").text
    assert "主要比较：zebra-lora 与基线在 structure 上的比较" in text
    assert "没有期中查看" in text


def test_registering_is_audited_and_shown_by_the_analysis(
    database: Database, study: Made, now: datetime
) -> None:
    found = register(database, now)
    making.rate_all(database, study.raters["R01"], "trial", now + timedelta(hours=1))
    with database.reading() as connection:
        entry = next(one for one in audit.entries(connection, study.study_id)
                     if one.action == "study.register")
        assert audit.verify(connection, study.study_id) is None
    assert json.loads(entry.payload)["protocol"] == found.digest
    assert json.loads(entry.payload)["text"] == found.text_digest
    told = study_results.analyse(
        database, TERMINAL, slug="trial", now=now, bootstrap=0
    ).registered
    assert (told.declared_at, told.declared_digest) == (found.at, found.digest)


def test_after_the_first_rating_it_is_too_late(
    database: Database, study: Made, now: datetime
) -> None:
    making.rate_all(database, study.raters["R01"], "trial", now)
    with pytest.raises(StudyError, match="too late"):
        register(database, now)


def test_only_a_lead_registers(database: Database, study: Made, now: datetime) -> None:
    with pytest.raises(Refused):
        registration.register(
            database, study.raters["R01"], slug="trial", language="en", now=now
        )


@pytest.mark.skipif(
    bool(os.environ.get("CONCORD_TEST_DATABASE")), reason="names its own database file"
)
def test_the_command_writes_the_plan_and_refuses_later(
    database: Database, study: Made, now: datetime, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, out = str(database.url), tmp_path / "prereg.md"
    ask = ["--database", url, "study", "register", "trial", "--out", str(out)]
    assert main(ask) == 0
    assert out.read_text("utf-8").startswith("# Analysis plan: ")
    assert "frozen" in capsys.readouterr().out
    making.rate_all(database, study.raters["R01"], "trial", now)
    assert main(ask) == 1
    assert "too late" in capsys.readouterr().err
