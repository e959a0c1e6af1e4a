"""CPU seconds and memory of reading and screening a study, each form in a process of its own.

    python benchmarks/make_corpus.py --out /tmp/corpus
    python benchmarks/import_files.py /tmp/corpus

"read" parses and validates everything; "screen" looks for risk, leaks, privacy, likeness.
Peak RSS is that of the whole process (``ru_maxrss``); "start" is what it was before reading.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FORMS = (
    "study.jsonl",
    "study.csv",
    "study.xlsx",
    "study-shared.xlsx",
    "questions.jsonl + answers.jsonl",
)


def measure(folder: Path, form: str) -> dict[str, float]:
    """Read and screen one form in this process."""
    sys.path.insert(0, str(ROOT))
    from cbt_core.files.screen_words import screen
    from cbt_core.files.study import read_study

    start_mb = _peak_mb()
    began = time.process_time()
    first, *others = [folder / name for name in form.split(" + ")]
    roles: dict[str, Any] = {"questions": first, "answers": others} if others else {}
    study = read_study(**(roles or {"study_file": first}))
    read = time.process_time()
    read_mb = _peak_mb()
    screening = screen(study)
    done = time.process_time()
    return {
        "size_mb": sum((folder / name).stat().st_size for name in form.split(" + ")) / 1e6,
        "items": len(study.items),
        "read_s": read - began,
        "screen_s": done - read,
        "start_mb": start_mb,
        "read_mb": read_mb,
        "peak_mb": _peak_mb(),
        "warnings": len(study.warnings) + len(screening.warnings),
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print one line per form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--form", choices=FORMS, help="measure one form here, print JSON")
    options = parser.parse_args()
    if options.form:
        sys.stdout.write(json.dumps(measure(options.folder, options.form)))
        return
    sys.stdout.write("| form | MB | items | read CPU-s | screen CPU-s | start MB | peak MB |\n")
    sys.stdout.write("|---|---|---|---|---|---|---|\n")
    for form in FORMS:
        command = [sys.executable, __file__, str(options.folder), "--form", form]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        row = json.loads(output)
        sys.stdout.write(
            f"| {form} | {row['size_mb']:.0f} | {row['items']:,.0f} | {row['read_s']:.2f} "
            f"| {row['screen_s']:.2f} | {row['start_mb']:.0f} | {row['peak_mb']:.0f} |\n"
        )


if __name__ == "__main__":
    main()
