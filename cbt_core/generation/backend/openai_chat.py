"""Replies from any OpenAI-compatible host, through the official client.

What a host takes is learnt from its refusals and remembered for the run.
"""

import asyncio
import logging
import os
import re
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Final

from cbt_core.errors import StudyError
from cbt_core.generation.backend.allowance import (
    Account,
    Budget,
    Pace,
    Prices,
    Retrying,
    backoff,
    likely_tokens,
)
from cbt_core.generation.backend.exchange import Cause, Failure, Finish, Reply, Request
from cbt_core.generation.backend.hosts import Host, require_host

if TYPE_CHECKING:
    import httpx2
    from openai import APIStatusError, AsyncOpenAI

FINISHES: Final[Mapping[str, Finish]] = {
    "stop": "stop", "length": "length", "content_filter": "filter",
}
CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
KEPT_CHARACTERS: Final = 20_000
"""How much of an unusable reply is kept in the run's own file."""

NO_CREDIT: Final = frozenset({"insufficient_quota", "insufficient_balance"})
FILTERED: Final = frozenset({
    "content_filter", "data_inspection_failed", "content_policy_violation",
})
"""Codes of hosts (OpenAI, Azure, DashScope) that will not answer this text, asked again or not."""


def from_completion(key: str, completion: object) -> Reply | Failure:
    """Return the reply in what the client gives; nothing about its form is taken for granted."""
    if isinstance(completion, str):  # 200 with another content type: the client returns the body
        return Failure(key, "not_json", "200 without JSON", completion[:KEPT_CHARACTERS])
    choices = getattr(completion, "choices", None)
    if not isinstance(choices, list) or not choices:
        return Failure(key, "wrong_schema", "200 without choices")
    message = getattr(choices[0], "message", None)
    refusal, content = getattr(message, "refusal", None), getattr(message, "content", None)
    finish = FINISHES.get(str(getattr(choices[0], "finish_reason", "")), "unknown")
    if (isinstance(refusal, str) and refusal) or (finish == "filter" and not content):
        words = refusal[:KEPT_CHARACTERS] if isinstance(refusal, str) else ""
        return Failure(key, "refused_by_host", "refused", words, passing=False)
    if not isinstance(content, str):
        return Failure(key, "wrong_schema", "200 without content")
    if not content.strip():
        return Failure(key, "empty", f"empty, {finish}")
    usage = getattr(completion, "usage", None)
    model = getattr(completion, "model", None)
    return Reply(
        key=key, text=content, finish=finish, model=model if isinstance(model, str) else "",
        prompt_tokens=_count(getattr(usage, "prompt_tokens", None)),
        reply_tokens=_count(getattr(usage, "completion_tokens", None)),
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def from_status(key: str, status: int, code: str, host: str) -> Failure:
    """Return the failure that an HTTP status stands for.

    Raises:
        StudyError: no request can succeed: the key, the model or the credit is refused.
    """
    if code in NO_CREDIT or status == 402:
        raise StudyError("generation.no_credit", host=host)
    if status in {401, 403}:
        raise StudyError("generation.not_authorised", host=host, status=status)
    if status == 404:
        raise StudyError("generation.not_there", host=host)
    if code in FILTERED:
        return Failure(key, "refused_by_host", f"{status} {code}", passing=False)
    detail = f"{status} {code}".strip()
    passing = status in {408, 409, 429} or status >= 500
    return Failure(key, _cause(status), detail, passing=passing)


def _cause(status: int) -> Cause:
    if status == 429:
        return "rate_limited"
    if status == 408:
        return "timed_out"
    return "server_error" if status >= 500 or status == 409 else "bad_request"


def code_of(error: object) -> str:
    """Return the host's code for an error if it is one word, else '': never its message."""
    for name in ("code", "type"):
        value = getattr(error, name, None)
        if isinstance(value, str) and CODE.fullmatch(value):
            return value
    return ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a host asks to wait, or None."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:  # absent, or a date: hosts of models give seconds
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    return None


FORMS: Final = ("json_schema", "json_object", "plain")
"""Ways to ask for JSON, best first: enforced by the host, promised by it, asked for in words."""

LEFT_OUT: Final = ("temperature", "top_p", "seed")
"""Settings some hosts refuse; without them the host's own stand, and the manifest says so."""

SCHEMA_NAME: Final = "reply"
REFUSED: Final = frozenset({400, 422})
BROKEN: Final = frozenset({500, 501})
BROKE_OFTEN: Final = 3
"""So many server errors before the first JSON reply: it is the form, not the weather."""


class Offer:
    """The arguments a host takes. `form` is how JSON is asked for; `left_out` what it refused."""

    def __init__(self) -> None:
        """Begin with the best form and every setting."""
        self.form = FORMS[0]
        self.left_out: list[str] = []
        self._limit_name = "max_tokens"
        self._proven = False
        self._broke = 0

    def arguments(self, request: Request, model: str) -> dict[str, object]:
        """Return what is sent for a request."""
        decoding = request.decoding
        settings: dict[str, object] = {"temperature": decoding.temperature}
        if decoding.temperature > 0:
            settings |= {"top_p": decoding.top_p, "seed": decoding.seed}
        body: dict[str, object] = {
            "model": model,
            "messages": [{"role": one.role, "content": one.content} for one in request.messages],
            self._limit_name: decoding.max_new_tokens,
            **{name: value for name, value in settings.items() if name not in self.left_out},
        }
        if request.schema is not None and self.form != "plain":
            body["response_format"] = _format(self.form, request.schema)
        return body

    def worked(self, sent: Mapping[str, object]) -> None:
        """Note that the host answered: later refusals are not about the form."""
        if "response_format" in sent:
            self._proven = True

    def learn(self, sent: Mapping[str, object], status: int, message: str) -> bool:
        """Learn from a refusal what to leave out; True when asking in another way may help.

        `message` is the name of the parameter and the message of the host, for looking only.
        """
        if status in REFUSED and self._learn_setting(sent, message):
            return True
        if "response_format" not in sent or self._proven or not self._is_about_form(status):
            return False
        if _form_of(sent) == self.form:  # others may have stepped down for us already
            self.form = FORMS[FORMS.index(self.form) + 1]
            self._broke = 0
        return True

    def _is_about_form(self, status: int) -> bool:
        """Tell whether a status may mean that the form is not offered; llama.cpp says so by 500."""
        if status not in BROKEN:
            return status in REFUSED
        self._broke += 1
        return self._broke >= BROKE_OFTEN

    def _learn_setting(self, sent: Mapping[str, object], message: str) -> bool:
        if "max_tokens" in sent and "max_completion_tokens" in message:
            self._limit_name = "max_completion_tokens"
            return True
        for name in LEFT_OUT:
            if name in sent and name in message:
                if name not in self.left_out:
                    self.left_out.append(name)
                return True
        return False


def _format(form: str, schema: Mapping[str, object]) -> dict[str, object]:
    if form == "json_object":
        return {"type": "json_object"}
    named = {"name": SCHEMA_NAME, "schema": dict(schema), "strict": True}
    return {"type": "json_schema", "json_schema": named}


def _form_of(sent: Mapping[str, object]) -> str:
    response_form = sent.get("response_format")
    return str(response_form.get("type")) if isinstance(response_form, Mapping) else "plain"


OPENAI: Final = "https://api.openai.com/v1"
KEY_VARIABLES: Final = ("CONCORD_API_KEY", "OPENAI_API_KEY")
NO_KEY: Final = "none"
"""Servers on this machine ask for no key; the client wants one all the same."""

CONNECT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where replies come from and how politely they are asked for.

    `allowed` is the server's list of hosts. `per_minute` and `tokens_per_minute` bound the calls.
    `timeout` is seconds for one call.
    """

    base_url: str = OPENAI
    allowed: Collection[str] = ()
    concurrency: int = 8
    timeout: float = 180.0
    per_minute: float | None = None
    tokens_per_minute: float | None = None
    prices: Prices = field(default_factory=Prices)
    budget: Budget = field(default_factory=Budget)
    retrying: Retrying = field(default_factory=Retrying)


class OpenAIBackend:
    """Chat completions of one model at one host."""

    name = "openai"
    batch_size = 1

    def __init__(
        self, model: str, endpoint: Endpoint, environment: Mapping[str, str] | None = None
    ) -> None:
        """Check the host and the key; nothing is sent.

        Raises:
            StudyError: the host is not listed, there is no key for it, or the client is missing.
        """
        self.model = model
        self.concurrency = endpoint.concurrency
        self.host = require_host(endpoint.base_url, endpoint.allowed)
        self.client = new_client(endpoint, self.host, environment)
        self.account = Account(endpoint.prices, endpoint.budget)
        self.pace = Pace(
            per_minute=endpoint.per_minute, tokens_per_minute=endpoint.tokens_per_minute
        )
        self._retrying = endpoint.retrying
        self._offer = Offer()
        self._dice = Random(0)  # spreads retries in time; no reply depends on it

    async def reply(self, batch: Sequence[Request]) -> Sequence[Reply | Failure]:
        """Answer these requests.

        Raises:
            StudyError: the host refuses the key, the model or for want of credit.
        """
        return await asyncio.gather(*(self._one(request) for request in batch))

    def carry(self, cost: float, tokens: int) -> None:
        """Take over what earlier sessions of the run have spent."""
        self.account.carry(cost, tokens)

    def describe(self) -> Mapping[str, object]:
        """Return what the manifest says: host, and what it took; never a key."""
        return {
            "name": self.name, "model": self.model, "host": self.host.shown,
            "json_asked_as": self._offer.form, "settings_left_out": list(self._offer.left_out),
        }

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()

    async def _one(self, request: Request) -> Reply | Failure:
        hold = await self.account.hold(request)
        if hold is None:
            return Failure(request.key, "budget_spent", passing=True, attempts=0)
        tokens, cost = 0, None
        try:
            outcome = await self._patiently(request)
            if isinstance(outcome, Reply):
                tokens, cost = self._spent(request, outcome)
                outcome = replace(outcome, cost=cost)
        finally:
            await self.account.settle(hold, tokens, cost)
        return outcome

    def _spent(self, request: Request, reply: Reply) -> tuple[int, float | None]:
        """Return tokens and price of a reply; a host that counts no tokens is estimated."""
        prompt = reply.prompt_tokens
        prompt = likely_tokens(request) if prompt is None else prompt
        reply_tokens = len(reply.text) if reply.reply_tokens is None else reply.reply_tokens
        return prompt + reply_tokens, self.account.prices.of(prompt, reply_tokens)

    async def _patiently(self, request: Request) -> Reply | Failure:
        """Call until there is a reply, the tries are used up, or calling again is no use."""
        calls = failed = 0
        while True:
            await self.pace.turn(likely_tokens(request) + request.decoding.max_new_tokens)
            calls += 1
            arguments = self._offer.arguments(request, self.model)
            outcome = await self._call(request.key, arguments)
            if isinstance(outcome, Reply):
                self._offer.worked(arguments)
                return replace(outcome, attempts=calls)
            if outcome.again_at_once:
                continue
            failed += 1
            if not outcome.failure.passing or failed >= self._retrying.tries:
                return replace(outcome.failure, attempts=calls)
            if not await self._wait(outcome.wait, failed):
                return replace(outcome.failure, attempts=calls)

    async def _wait(self, asked: float | None, failed: int) -> bool:
        """Wait before the next call; False when the host asks for more patience than we have."""
        if asked is None:
            await asyncio.sleep(backoff(self._retrying, failed, self._dice))
            return True
        if asked > self._retrying.longest:
            return False
        self.pace.pause(asked)
        return True

    async def _call(self, key: str, arguments: Mapping[str, object]) -> "Reply | Refusal":
        """Make one call."""
        import openai

        start = time.monotonic()
        try:
            completion: object = await self.client.chat.completions.create(
                **arguments  # type: ignore[call-overload]
            )
        except openai.APIStatusError as error:
            return self._refused(key, arguments, error)
        except openai.APITimeoutError:
            return Refusal(Failure(key, "timed_out", "no reply in time"))
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, StudyError):  # a host that is not listed
                raise error.__cause__ from error
            return Refusal(Failure(key, "no_connection", "connection failed or was cut"))
        except (openai.OpenAIError, ValueError, TypeError, AttributeError) as error:
            return Refusal(Failure(key, "not_json", type(error).__name__))
        outcome = from_completion(key, completion)
        if isinstance(outcome, Failure):
            return Refusal(outcome)
        return replace(outcome, seconds=time.monotonic() - start)

    def _refused(
        self, key: str, arguments: Mapping[str, object], error: "APIStatusError"
    ) -> "Refusal":
        message = f"{getattr(error, 'param', '')} {error.message}".lower()
        code = code_of(error)
        if code != "context_length_exceeded" and self._offer.learn(
            arguments, error.status_code, message
        ):
            return Refusal(Failure(key, "bad_request"), again_at_once=True)
        failure = from_status(key, error.status_code, code, self.host.shown)
        return Refusal(failure, wait=retry_after(error.response.headers))


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call without a reply: why, the wait the host asks for, or that another way was learnt."""

    failure: Failure
    wait: float | None = None
    again_at_once: bool = False


def new_client(
    endpoint: Endpoint, host: Host, environment: Mapping[str, str] | None = None
) -> "AsyncOpenAI":
    """Return the client of a host: no retries, redirects or proxies of its own.

    Each request is checked against the list again on its way out: a redirect, or a setting of
    the client we do not know, must not carry a text elsewhere.

    Raises:
        StudyError: there is no key for a host beyond this machine, or no client is installed.
    """
    try:
        from openai import AsyncOpenAI, DefaultAsyncHttpx2Client, Timeout
    except ImportError as error:
        raise StudyError("generation.no_client") from error

    for name in ("openai", "httpx2", "httpcore2"):  # OPENAI_LOG=debug would log what is sent
        logging.getLogger(name).setLevel(logging.WARNING)

    async def checked(request: "httpx2.Request") -> None:
        require_host(str(request.url), endpoint.allowed)

    timeout = Timeout(endpoint.timeout, connect=CONNECT_SECONDS)
    http = DefaultAsyncHttpx2Client(
        follow_redirects=False, trust_env=False, timeout=timeout, event_hooks={"request": [checked]}
    )
    return AsyncOpenAI(
        api_key=_key(host, environment), base_url=endpoint.base_url, max_retries=0,
        timeout=timeout, http_client=http,
    )


def _key(host: Host, environment: Mapping[str, str] | None) -> str:
    variables = os.environ if environment is None else environment
    key = next((variables[name] for name in KEY_VARIABLES if variables.get(name)), "")
    if not key and not host.loopback:
        raise StudyError("generation.no_key", host=host.shown)
    return key or NO_KEY
