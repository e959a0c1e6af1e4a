"""Replies from any OpenAI-compatible host, through the official client."""

import asyncio
import logging
import os
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Final

from cbt_core.errors import StudyError
from cbt_core.generation.account import Account, Budget, Prices, likely_tokens
from cbt_core.generation.backend import Failure, Reply, Request
from cbt_core.generation.hosts import Host, require_host
from cbt_core.generation.openai_offer import Offer
from cbt_core.generation.openai_replies import code_of, from_completion, from_status, retry_after
from cbt_core.generation.pacing import Pace, Retrying, backoff

if TYPE_CHECKING:
    import httpx2
    from openai import APIStatusError, AsyncOpenAI

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
            found = await self._patiently(request)
            if isinstance(found, Reply):
                tokens, cost = self._spent(request, found)
                found = replace(found, cost=cost)
        finally:
            await self.account.settle(hold, tokens, cost)
        return found

    def _spent(self, request: Request, reply: Reply) -> tuple[int, float | None]:
        """Return tokens and price of a reply; a host that counts no tokens is estimated."""
        prompt = reply.prompt_tokens
        prompt = likely_tokens(request) if prompt is None else prompt
        said = len(reply.text) if reply.reply_tokens is None else reply.reply_tokens
        return prompt + said, self.account.prices.of(prompt, said)

    async def _patiently(self, request: Request) -> Reply | Failure:
        """Call until there is a reply, the tries are used up, or calling again is no use."""
        calls = failed = 0
        while True:
            await self.pace.turn(likely_tokens(request) + request.decoding.max_new_tokens)
            calls += 1
            arguments = self._offer.arguments(request, self.model)
            found = await self._call(request.key, arguments)
            if isinstance(found, Reply):
                self._offer.worked(arguments)
                return replace(found, attempts=calls)
            if found.again_at_once:
                continue
            failed += 1
            if not found.failure.passing or failed >= self._retrying.tries:
                return replace(found.failure, attempts=calls)
            if not await self._wait(found.wait, failed):
                return replace(found.failure, attempts=calls)

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
        found = from_completion(key, completion)
        if isinstance(found, Failure):
            return Refusal(found)
        return replace(found, seconds=time.monotonic() - start)

    def _refused(
        self, key: str, arguments: Mapping[str, object], error: "APIStatusError"
    ) -> "Refusal":
        said = f"{getattr(error, 'param', '')} {error.message}".lower()
        code = code_of(error)
        if code != "context_length_exceeded" and self._offer.learn(
            arguments, error.status_code, said
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
        raise StudyError("generating.no_client") from error

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
    found = os.environ if environment is None else environment
    key = next((found[name] for name in KEY_VARIABLES if found.get(name)), "")
    if not key and not host.loopback:
        raise StudyError("generating.no_key", host=host.shown)
    return key or NO_KEY
