"""From 22,327 PsyQA-form questions to a dataset folder, its splits, and a study: wall and CPU time.

    python benchmarks/dataset.py [--items 22327] [--keep FOLDER]

The questions are synthetic (no PsyQA text): situations and thoughts recombined, as long as
PsyQA's on average, with a known number of repeats and unclean texts among them. Answers come from
the `echo` backend. Targets: cleaning and near-duplicates of 22,327 texts in at most 30 CPU-s; the
folder in at most 180 s; then `study create` from it.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.make_corpus import ADVICE, ITEMS, items  # noqa: E402

SAME, NEAR, SHORT, FOREIGN, ADVERTS = 200, 200, 50, 50, 300
REFERENCES = 3
KEYWORDS = ("情绪", "人际关系", "恋爱", "家庭", "职场", "学习压力", "自我成长", "睡眠")
ADVERT = "<p>加微信 abc{number:05d} 免费领取资料。</p>"


def psyqa(count: int, seed: int = 1) -> Iterator[dict[str, object]]:
    """Yield records in PsyQA's form: `count` good ones, and those that cleaning must drop."""
    dice = random.Random(seed)
    good = [(item.question, item.description) for item in items(count, seed)]
    asked = list(good)
    asked += [dice.choice(good) for _ in range(SAME)]
    asked += [(question, _touched(description, dice)) for question, description in
              (dice.choice(good) for _ in range(NEAR))]
    asked += [("怎么办？", "")] * SHORT
    asked += [(f"What should I do about my boss, number {number}?", "He shouts at me every day.")
              for number in range(FOREIGN)]
    for number, (question, description) in enumerate(asked):
        tail = ADVERT.format(number=number) if number < ADVERTS else ""
        yield {
            "questionID": number + 1, "question": question, "description": description + tail,
            "keywords": ",".join(dice.sample(KEYWORDS, 3)),
            "answers": [_reference(dice) for _ in range(REFERENCES)],
        }


def _touched(text: str, dice: random.Random) -> str:
    """Change one character, as a second posting of the same question does."""
    place = dice.randrange(len(text))
    return f"{text[:place]}嗯{text[place + 1 :]}"


def _reference(dice: random.Random) -> dict[str, object]:
    text = "，".join(dice.choices(ADVICE, k=45)) + "。"
    return {"answer_text": text, "has_label": False, "labels_sequence": None}


def main() -> None:
    """Run the commands one after the other and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--keep", type=Path, help="folder to leave everything in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = options.keep or Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        source = folder / "psyqa.json"
        source.write_text(json.dumps(list(psyqa(options.items)), ensure_ascii=False), "utf-8")
        print(f"{source.stat().st_size / 1e6:.0f} MB of questions")
        data = folder / "cbt-qa"
        _timed("build", ["dataset", "build", "--questions", source, "--backend", "echo",
                         "--out", data], folder)
        _timed("stats", ["dataset", "stats", data / "dataset.jsonl"], folder)
        _timed("split", ["dataset", "split", data / "dataset.jsonl", "--out", folder / "split",
                         "--seed", "7", "--shares", "0.8,0.1,0.1"], folder)
        _timed("study", ["study", "create", "large", "--title", "Large", "--questions",
                         data / "questions.jsonl", "--answers", data / "answers.jsonl",
                         "--protocol", _single(folder)], folder)


def _single(folder: Path) -> Path:
    """Write a protocol for one system: pairs need two."""
    path = folder / "single.toml"
    path.write_text('[design]\npanel = "single"\n', "utf-8")
    return path


def _timed(name: str, words: Sequence[object], folder: Path) -> None:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "cbt_core", *map(str, words)], cwd=ROOT, text=True,
        capture_output=True, check=False,
        env={**os.environ, "CONCORD_DATABASE": f"sqlite:///{folder}/concord.db"},
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"\n== {name}: exit {done.returncode}, {wall:.1f} s, {cpu:.1f} CPU-s, "
          f"{after.ru_maxrss / 1024:.0f} MB at most so far")
    print("\n".join([*done.stdout.splitlines()[:60], *done.stderr.splitlines()[-12:]]))


if __name__ == "__main__":
    main()
