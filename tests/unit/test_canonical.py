"""Digests written down by earlier versions: a study, a run, a press must be known again.

The values were computed by version 0.1.0 before its six ways to write canonical JSON became one.
"""

import tomllib
from pathlib import Path

from cbt_core.canonical import canonical, digest, digest_of
from cbt_core.generation.run.journal import config_digest
from cbt_core.generation.tasks.prompts import load_prompt
from cbt_core.instruments import load_scheme
from cbt_core.version import VERSION


def test_the_audit_chain_writes_what_it_always_wrote() -> None:
    payload = {"task": 1, "scores": [["A", 7, "relevance", 2, None]], "中": "文"}
    assert canonical(payload) == '{"scores":[["A",7,"relevance",2,null]],"task":1,"中":"文"}'


def test_a_press_is_known_again_even_with_half_a_surrogate_pair() -> None:
    sent = {"scores": {"A": {"relevance": 2}}, "comment": "好\ud800"}
    assert digest_of("task-1", sent) == (
        "587ce540d5fd738f0e71850b47ee02c4804168077d4a348b957789e232e371ae")


def test_instruments_and_schemes_keep_their_digest() -> None:
    assert digest({"b": "中", "a": [1, None, True]}) == (
        "48da924c016011147e58051ebc2802cf5d84cb6a94602073d375034c5525a681")
    assert load_scheme("burns-12").digest == (
        "f103eb1e1834dcd6923923aa7cf30871f13a9b8b7a086eef686b54ea45a115a6")


def test_a_run_begun_earlier_can_be_resumed() -> None:
    assert config_digest({"model": "m", "temperature": 0.7, "提示": "用"}) == (
        "96c88a45b7b8c83c7f9027fb7dfa892825dd4681508f411e836cbe90ddd6094b")
    assert load_prompt("cbt", "zh").hash(load_scheme("burns-12")) == (
        "2a64a30f4e587c9691651ef940763b75c5cfae25cad48237663deafa0ad817ac")


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION
