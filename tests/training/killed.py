"""Runs a training in a process of its own; argument 4 kills it, without warning, at that step."""

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.training.small_run import described
from training.train import Wishes, train


def main() -> None:
    """Train on the model of argument 1 into the folder of argument 2."""
    deadly = int(sys.argv[4])

    def tell(key: str, values: dict[str, object]) -> None:
        if key == "step":
            sys.stdout.write(f"{values['step']} ")
            sys.stdout.flush()
        if key == "step" and values["step"] == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    wishes = Wishes(resume=sys.argv[3] == "resume")
    settings = described(Path(sys.argv[1]), Path(sys.argv[2]))
    train(settings, wishes, tell=tell, now=datetime.now(UTC))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
