"""The commands for files print their main figures, as they stand in the JSON they write."""

import json
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from cbt_core.cli import cli


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    draw, file = Random(1), tmp_path / "ratings.csv"
    lines = ["item_id,system,rater,relevance,empathy"]
    lines += [
        f"q{item},{system},{rater},{draw.randint(0, 2)},{draw.randint(0, 2)}"
        for item in range(12) for system in ("a", "b") for rater in ("x", "y", "z")
    ]
    file.write_text("\n".join(lines), "utf-8")
    return file


def told(*arguments: object) -> str:
    done = CliRunner().invoke(cli, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_agreement_prints_percent_alpha_and_gwet(ratings: Path, tmp_path: Path) -> None:
    out = tmp_path / "agreement.json"
    said = told("agreement", ratings, "--out", out, "--bootstrap", 20)
    body = json.loads(out.read_text("utf-8"))["scales"]["relevance"]["ALL"]
    line = next(one for one in said.splitlines() if "all systems" in one)
    assert line.startswith("relevance")
    assert f"{100 * body['percent_agreement']['value']:.1f}% [" in line
    for key in ("alpha_ordinal", "ac2_quadratic"):
        one = body[key]
        assert f"{one['value']:.2f} [{one['low']:.2f}, {one['high']:.2f}]" in line
    assert "Written:" in said


def test_a_nominal_scale_prints_nominal_alpha_and_ac1(ratings: Path, tmp_path: Path) -> None:
    out = tmp_path / "agreement.json"
    said = told("agreement", ratings, "--out", out, "--bootstrap", 20, "--scales", "empathy",
                "--nominal", "empathy", "--values", "0,1,2")
    body = json.loads(out.read_text("utf-8"))["scales"]["empathy"]["ALL"]
    line = next(one for one in said.splitlines() if "all systems" in one)
    for key in ("alpha_nominal", "ac1"):
        assert f"{body[key]['value']:.2f} [" in line


def test_a_figure_without_limits_has_its_reason_below(ratings: Path, tmp_path: Path) -> None:
    one = tmp_path / "one.csv"
    one.write_text("\n".join(ratings.read_text("utf-8").splitlines()[:2]), "utf-8")
    said = told("--lang", "zh", "agreement", one, "--out", tmp_path / "one.json",
                "--bootstrap", 5)
    assert "原因" in said
    assert "量表" in said


def test_compare_prints_both_differences_with_p(ratings: Path, tmp_path: Path) -> None:
    out = tmp_path / "compare.json"
    said = told("compare", ratings, "--baseline", "a", "--out", out, "--bootstrap", 20)
    (body,) = json.loads(out.read_text("utf-8"))["scales"]["relevance"]["comparisons"]
    line = next(one for one in said.splitlines() if one.startswith("relevance"))
    assert f"{body['difference']['value']:+.2f} [" in line
    assert f"{body['permutation_p']:.3f}" in line
    assert f"{body['difference_crossed']['p']:.3f}" in line


def test_blinding_prints_the_indices(tmp_path: Path) -> None:
    counts, out = tmp_path / "counts.csv", tmp_path / "blinding.json"
    counts.write_text("guess,actual_a,actual_b\na,30,10\nb,12,28\ndont_know,8,12\n", "utf-8")
    said = told("blinding", counts, "--out", out)
    found = json.loads(out.read_text("utf-8"))
    assert f"{found['james']['value']:.2f} [" in said
    assert f"{found['bang']['a']['value']:.2f} [" in said
