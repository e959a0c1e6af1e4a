"""A process that bears writers: forked from one that has imported everything, so dying is cheap.

Spoken to by lines: a pickled plan in hexadecimal comes in, the id of the new process goes out.
"""

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.reliability.writer import Plan, write

ROOT = Path(__file__).resolve().parents[2]


class Nursery:
    """Writers of this test: born here, killed here by their id."""

    def __enter__(self) -> Self:
        """Start the process that forks."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.nursery"], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        self._alive: set[int] = set()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End whoever is left."""
        for pid in list(self._alive):
            self.kill(pid)
        self._process.communicate()

    def bear(self, plan: Plan) -> int:
        """Start a writer and return its id."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the nursery has no pipes")
        self._process.stdin.write(pickle.dumps(plan).hex() + "\n")
        self._process.stdin.flush()
        pid = int(self._process.stdout.readline())
        self._alive.add(pid)
        return pid

    def kill(self, *pids: int) -> None:
        """End writers as a power cut would, and wait until they are gone."""
        for pid in pids:
            if is_running(pid):
                os.kill(pid, signal.SIGKILL)
        self.wait(*pids, seconds=30)

    def wait(self, *pids: int, seconds: float) -> None:
        """Wait until writers have ended."""
        until = time.monotonic() + seconds
        while any(is_running(pid) for pid in pids):
            if time.monotonic() > until:
                raise TimeoutError("writers still run")
            time.sleep(0.002)
        self._alive -= set(pids)


def is_running(pid: int) -> bool:
    """Tell whether a process still exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def main() -> None:
    """Fork a writer for every line read."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody stays behind as a zombie
    for line in sys.stdin:
        plan = pickle.loads(bytes.fromhex(line))  # noqa: S301 - from our own parent's pipe
        if not isinstance(plan, Plan):
            raise TypeError("not a plan")
        pid = os.fork()
        if pid == 0:
            write(plan)
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
