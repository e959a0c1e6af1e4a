"""The echo backend: repeatable, and as varied as a test needs."""

import asyncio
import json

from cbt_core.generation.backend.echo import EchoBackend
from cbt_core.generation.backend.exchange import REPLY, STEPS, Decoding, Message, Reply, Request
from cbt_core.generation.tasks.reply_reader import Parsed, parse_reply
from cbt_core.instruments import load_scheme

SCHEME = load_scheme("burns-12")
NAMES = [label.name.zh for label in SCHEME.labels]


def replies(count: int = 40, *, schema: bool = True, seed: int = 1, heat: float = 0.0) -> list[str]:
    requests = [
        Request(f"q{number}", (Message("user", f"问题{number}，他们一定都不喜欢我。"),),
                Decoding(seed=seed, temperature=heat), REPLY if schema else None)
        for number in range(count)
    ]
    found = asyncio.run(EchoBackend(labels=NAMES).reply(requests))
    return [reply.text for reply in found if isinstance(reply, Reply)]


def test_the_same_questions_get_the_same_replies() -> None:
    assert replies() == replies()


def test_a_seed_matters_only_when_replies_are_drawn() -> None:
    assert replies(seed=1) == replies(seed=2)
    assert replies(seed=1, heat=0.7) != replies(seed=2, heat=0.7)


def test_replies_have_the_form_that_is_asked_for() -> None:
    parsed = [parse_reply(text, "json", SCHEME) for text in replies()]
    assert all(isinstance(one, Parsed) and tuple(one.steps) == STEPS for one in parsed)
    assert not any(text.startswith("{") for text in replies(schema=False))


def test_evidence_is_quoted_from_the_question_and_names_are_of_the_scheme() -> None:
    found = [json.loads(text)["distortions"] for text in replies()]
    named = [one[0] for one in found if one]
    assert 5 < len(named) < 35
    assert all(one["name"] in NAMES for one in named)
    assert all("他们一定都不喜欢我。".endswith(one["evidence"][-6:]) for one in named)


def test_answers_are_not_all_alike() -> None:
    assert len(set(replies(schema=False))) > 1
