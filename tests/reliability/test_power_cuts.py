"""The power goes during saves: nothing acknowledged is lost, the file is never damaged."""

import os
import pickle
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from cbt_core.errors import NotSaved
from db.engine import Database
from tests.reliability.counts import CUTS, keep
from tests.reliability.desk import prepared
from tests.reliability.journal import History, add
from tests.reliability.judge import Verdict, judge
from tests.reliability.power import JOURNAL, Act, Disk, Step, apply, build, compiler, steps
from tests.reliability.writer import Plan

ROOT = Path(__file__).resolve().parents[2]
SAVES = 120
"""Each of two raters: enough for the write-ahead log to be folded back more than once."""

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C compiler for the recorder")


@dataclass(frozen=True)
class Recording:
    """What was asked of the disk, and the files before it."""

    before: Path
    steps: list[Step]


def record(folder: Path, *, control: str = "") -> Recording:
    """Save under the recorder, from a database that was closed before."""
    desk = prepared(folder, raters=2)
    desk.database.close()
    file, before = desk.database.path, folder / "before.db"
    shutil.copy(file, before)
    if (log := Path(f"{file}-wal")).exists():
        shutil.copy(log, f"{before}-wal")
    # one journal for both: acknowledgements stand in the record in the order they were given
    plans = [
        Plan(desk.database.url, who, desk.tasks[code], Path(f"{file}.journal"), folder / "stop",
             seed=number, most=SAVES)
        for number, (code, who) in enumerate(desk.raters.items())
    ]
    (folder / "plans").write_bytes(pickle.dumps(plans))
    environment = os.environ | {
        "LD_PRELOAD": str(build(folder)), "CONCORD_RECORD": str(file),
        "CONCORD_RECORD_LOG": str(folder / "log"), "CONCORD_CONTROL": control,
    }
    subprocess.run(
        [sys.executable, "-m", "tests.reliability.recorded", str(folder / "plans")],
        cwd=ROOT, env=environment, check=True, timeout=300,
    )
    return Recording(before, steps(folder / "log"))


def verdicts(recording: Recording, folder: Path, cuts: int, seed: int) -> list[Verdict]:
    """Cut the power at random places and judge what is found each time."""
    dice, disk, found = random.Random(seed), Disk(recording.before), []
    folder.mkdir()
    at = 0
    for cut in sorted(dice.randrange(len(recording.steps)) for _ in range(cuts)):
        for step in recording.steps[at:cut]:
            disk.play(step)
        at = cut
        history = History()
        add(history, disk.journal)
        database = Database(f"sqlite:///{disk.crashed(dice, folder)}")
        found.append(judged(database, history))
        database.close()
    return found


def judged(database: Database, history: History) -> Verdict:
    """Judge what is left; a file that cannot be read at all has lost everything."""
    try:
        return judge(database, history)
    except (NotSaved, DBAPIError) as error:
        told = tuple(history.told)
        return Verdict(len(told), lost=told, faults=(f"unreadable: {type(error).__name__}",))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return record(tmp_path_factory.mktemp("recording"))


@pytest.mark.slow
def test_no_power_cut_loses_an_acknowledged_save(recording: Recording, tmp_path: Path) -> None:
    found = verdicts(recording, tmp_path / "found", CUTS, seed=11)
    bad = [one for one in found if not one.is_clean]
    keep("power", cuts=CUTS, acknowledged_at_the_last_cut=found[-1].acknowledged,
         lost=sum(len(one.lost) for one in found), damaged=sum(bool(one.faults) for one in found))
    assert found[-1].acknowledged > SAVES
    assert not bad, bad[0]


@pytest.mark.slow
def test_every_acknowledged_save_was_synced_first(recording: Recording) -> None:
    syncs = acknowledged = 0
    is_open = False  # something was written to the log since its last sync
    for step in recording.steps:
        if step.file == JOURNAL and b'"ack"' in step.data:
            acknowledged += 1
            assert syncs >= acknowledged
        elif step.file == 1:
            syncs += step.act is Act.SYNC and is_open
            is_open = step.act is Act.WRITE or (is_open and step.act is not Act.SYNC)
    assert acknowledged == 2 * SAVES
    keep("syncs", acknowledged=acknowledged, syncs_of_the_log=syncs)


@pytest.mark.slow
def test_the_log_was_folded_back_while_recording(recording: Recording) -> None:
    assert sum(step.file == 0 and step.act is Act.SYNC for step in recording.steps) > 1


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["NORMAL", "OFF"])
def test_a_weaker_setting_is_found_out(tmp_path: Path, setting: str) -> None:
    folder = tmp_path / "weak"
    folder.mkdir()
    found = verdicts(record(folder, control=setting), tmp_path / "found", 20, seed=5)
    assert sum(bool(one.lost) for one in found) > len(found) / 2


def test_a_write_after_the_last_sync_may_be_gone(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "none.db")
    for step in (Step(Act.WRITE, 0, 0, 3, b"abc"), Step(Act.SYNC, 0, 0, 0, b""),
                 Step(Act.WRITE, 0, 1, 1, b"X")):
        disk.play(step)
    states = {disk.crashed(random.Random(seed), tmp_path).read_bytes() for seed in range(40)}
    assert states == {b"abc", b"aXc"}


def test_a_cut_shortens_and_lengthens() -> None:
    content = bytearray(b"abcdef")
    apply(content, Step(Act.CUT, 0, 0, 2, b""))
    apply(content, Step(Act.CUT, 0, 0, 4, b""))
    assert content == b"ab\0\0"
