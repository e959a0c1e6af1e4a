"""`study plan`: printed assumptions and errors, files, a pilot, refusals; no database is needed."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from cbt_core.cli import main
from cbt_core.stats.planning.simulation import ASSUMED, Size, drawn, drawn_design

PLAN = ("study", "plan", "--items", "60", "--raters", "5", "--overlap", "3",
        "--difference", "0.2", "--simulations", "200")  # fmt: skip


def test_it_prints_assumptions_errors_plot_and_advice(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(PLAN) == 0
    told = capsys.readouterr().out
    for part in ("-0.90 / 0.30", "assumed", "Monte Carlo error", "●", "hours per rater",
                 "Recommendation", "We plan 60 items, 5 raters"):  # fmt: skip
        assert part in told


def test_it_speaks_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("--lang", "zh", *PLAN)) == 0
    assert "本研究计划使用 60 道题目" in capsys.readouterr().out


def test_it_writes_json_and_plots_beside_it(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "plan.json"
    assert main((*PLAN, "--sd-item-system", "0.4", "--out", str(out))) == 0
    found = json.loads(out.read_text("utf-8"))
    for test in ("item_level", "crossed"):
        assert 0 < found["power"][test]["value"] < 1
        assert 0 < found["power"][test]["mc_error"] < 0.04
    assert found["precision"]["alpha_ordinal"]["width"] > 0
    assert found["assumptions"]["sd_item_system"] == {"value": 0.4, "source": "given"}
    assert found["assumptions"]["sd_noise"]["source"] == "assumed"
    assert set(found["sentence"]) == {"en", "zh"}
    assert out.with_suffix(".svg").read_text("utf-8").startswith("<svg")
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for out in (first, second):
        assert main((*PLAN, "--out", str(out))) == 0
    assert (first / "plan.json").read_bytes() == (second / "plan.json").read_bytes()
    assert (first / "plan.svg").read_bytes() == (second / "plan.svg").read_bytes()


def pilot_csv(folder: Path) -> Path:
    random = np.random.default_rng(1)
    batch, _ = drawn(
        drawn_design(Size(40, 5, 5), 0.0, random), ASSUMED, 0.3, studies=1, random=random
    )
    file = folder / "pilot.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["item_id", "system", "rater", "relevance", "helpfulness"])
        for name, scores in (("base", batch.baseline[0]), ("new", batch.system[0])):
            for (item, rater), score in np.ndenumerate(scores):
                rows.writerow([f"q{item}", name, f"R{rater}", score, score])
    return file


def test_a_pilot_gives_the_variances(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "plan.json"
    given = (*PLAN, "--pilot", str(pilot_csv(tmp_path)), "--baseline", "base",
             "--scale", "relevance", "--out", str(out))  # fmt: skip
    assert main(given) == 0
    found = json.loads(out.read_text("utf-8"))
    assert found["assumptions"]["sd_item"]["source"] == "pilot"
    assert found["assumptions"]["sd_item"]["value"] != ASSUMED.sd_item
    assert "estimated from a pilot" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        (("--pilot", "PILOT", "--baseline", "base"), "several scales"),
        (("--pilot", "PILOT", "--scale", "relevance"), "--baseline"),
        (("--pilot", "PILOT", "--baseline", "base", "--scale", "relevance", "--skew", "none"),
         "leave --skew"),
        (("--pilot", "nowhere.csv", "--baseline", "base"), "nowhere.csv"),
        (("--skew", "none", "--shares", "0.5,0.5"), "not both"),
        (("--shares", "0.5,half"), "not a list of numbers"),
        (("--shares", "0.5,0.9"), "adding up to 1"),
        (("--overlap", "9"), "from 1 to the number of raters"),
        (("--difference", "3"), "does not fit"),
        (("--sd-noise", "-1"), "from 0 to 10"),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_refused_in_one_sentence(
    extra: tuple[str, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pilot = str(pilot_csv(tmp_path))
    assert main((*PLAN, *(pilot if part == "PILOT" else part for part in extra))) == 1
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error


def test_five_values_can_be_planned(tmp_path: Path) -> None:
    assert main((*PLAN, "--shares", "0.1,0.2,0.3,0.2,0.2", "--out", str(tmp_path))) == 0
    found = json.loads((tmp_path / "plan.json").read_text("utf-8"))
    assert found["shares"]["baseline"] == pytest.approx([0.1, 0.2, 0.3, 0.2, 0.2])
