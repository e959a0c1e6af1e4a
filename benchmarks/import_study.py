"""CPU seconds and memory of importing a study into a database, each form in its own process.

    python benchmarks/make_corpus.py --out /tmp/corpus
    python benchmarks/import_study.py /tmp/corpus

"import" is the whole of `create_study` (read, check, screen, digest, insert); "insert" the
transaction alone. Peak RSS is that of the whole process (``ru_maxrss``). Targets: import without
screening at most 10 CPU-s (XLSX 20), screening at most 10, memory below 500 MB.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FORMS = ("study.jsonl", "study.csv", "study.xlsx", "questions.jsonl + answers.jsonl")


def measure(folder: Path, form: str) -> dict[str, float]:
    """Import one form into a new SQLite database in this process."""
    sys.path.insert(0, str(ROOT))
    from cbt_core.domain.people import TERMINAL
    from cbt_core.services.studies import creation
    from cbt_core.services.studies.creation import StudyFiles
    from db import migrate
    from db.engine import Database

    first, *others = [folder / name for name in form.split(" + ")]
    files = StudyFiles(questions=first, answers=others) if others else StudyFiles(study_file=first)
    with tempfile.TemporaryDirectory() as place:
        database = Database(f"sqlite:///{place}/concord.db")
        migrate.upgrade(database)
        began, wall = time.process_time(), time.perf_counter()
        with _writing_time(database) as spent:
            done = creation.create_study(
                database, TERMINAL, slug="large", title="Large", files=files,
                now=datetime.now(UTC),
            )
        total, waited = time.process_time() - began, time.perf_counter() - wall
        size = database.path.stat().st_size
        database.close()
    return {
        "items": done.counts.items, "answers": done.counts.answers, "import_s": total,
        "insert_s": spent[0], "wall_s": waited, "database_mb": size / 1e6,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


@contextmanager
def _writing_time(database: object) -> Iterator[list[float]]:
    """Sum up the CPU seconds spent inside write transactions."""
    spent = [0.0]
    inner = type(database).writing  # type: ignore[attr-defined]

    @contextmanager
    def timed(self: object, scope: int = 0) -> Iterator[object]:
        began = time.process_time()
        with inner(self, scope) as connection:
            yield connection
        spent[0] += time.process_time() - began

    type(database).writing = timed  # type: ignore[attr-defined]
    yield spent
    type(database).writing = inner  # type: ignore[attr-defined]


def main() -> None:
    """Print one line per form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--form", choices=FORMS, help="measure one form here, print JSON")
    options = parser.parse_args()
    if options.form:
        sys.stdout.write(json.dumps(measure(options.folder, options.form)))
        return
    heads = ("form", "items", "import CPU-s", "insert CPU-s", "wall s", "database MB", "peak MB")
    sys.stdout.write(f"| {' | '.join(heads)} |\n")
    sys.stdout.write("|---|---|---|---|---|---|---|\n")
    for form in FORMS:
        command = [sys.executable, __file__, str(options.folder), "--form", form]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        row = json.loads(output)
        sys.stdout.write(
            f"| {form} | {row['items']:,.0f} | {row['import_s']:.2f} | {row['insert_s']:.2f} "
            f"| {row['wall_s']:.1f} | {row['database_mb']:.0f} | {row['peak_mb']:.0f} |\n"
        )


if __name__ == "__main__":
    main()
