"""What a run may take of a paid host: money and tokens, and calls a minute.

Prices are the user's. When a call may start follows from requests and tokens a minute, and from the
pauses the host asks for.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from cbt_core.generation.backend.exchange import Request

SPREAD: Final = 0.25
"""Waits are shortened by up to this share, so that not everybody calls again at once."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """How failed calls are repeated: up to `tries` calls, waiting `first` seconds, doubled.

    A host's own Retry-After is honoured up to `longest` seconds.
    """

    tries: int = 6
    first: float = 0.5
    longest: float = 60.0


class Pace:
    """Spaces calls evenly; everybody waits when the host asks for a pause."""

    def __init__(self, *, per_minute: float | None, tokens_per_minute: float | None) -> None:
        """Set the limits; None is no limit."""
        self._call_seconds = 60.0 / per_minute if per_minute else 0.0
        self._token_seconds = 60.0 / tokens_per_minute if tokens_per_minute else 0.0
        self._next = 0.0
        self._next_tokens = 0.0
        self._paused_until = 0.0

    async def turn(self, tokens: int) -> None:
        """Wait for a turn of a call with about so many tokens."""
        now = time.monotonic()
        at = max(now, self._next, self._next_tokens)
        self._next = at + self._call_seconds
        self._next_tokens = at + tokens * self._token_seconds
        while (wait := max(at, self._paused_until) - time.monotonic()) > 0:
            await asyncio.sleep(wait)

    def pause(self, seconds: float) -> None:
        """Let no call start for so long."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)


def backoff(retrying: Retrying, failed: int, dice: Random) -> float:
    """Return the seconds to wait after the n-th failed call: doubled each time, up to 25 % less."""
    wait: float = min(retrying.longest, retrying.first * 2.0 ** (failed - 1))
    return wait * (1 - SPREAD * dice.random())


MILLION: Final = 1_000_000
OVERHEAD_TOKENS: Final = 16
"""What a chat template adds to a message, at most, in the families we know."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Money for a million tokens, in whatever currency the user thinks in; None: not known."""

    prompt: float | None = None
    reply: float | None = None

    def of(self, prompt_tokens: int, reply_tokens: int) -> float | None:
        """Return the price of a call, or None without prices."""
        if self.prompt is None and self.reply is None:
            return None
        total = prompt_tokens * (self.prompt or 0.0) + reply_tokens * (self.reply or 0.0)
        return total / MILLION


@dataclass(frozen=True, slots=True)
class Budget:
    """The most a run may spend over all its sessions; None: no limit of this kind."""

    money: float | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """What is set aside for a call under way, at worst."""

    money: float
    tokens: int


class Account:
    """Sets the worst case aside before each call, so that a budget is never overdrawn."""

    def __init__(self, prices: Prices, budget: Budget) -> None:
        """Start with nothing spent."""
        self.prices = prices
        self.money = 0.0
        self.tokens = 0
        self._budget = budget
        self._held_money = 0.0
        self._held_tokens = 0
        self._calls = 0
        self._settled = asyncio.Condition()

    def carry(self, money: float, tokens: int) -> None:
        """Take over what earlier sessions have spent."""
        self.money += money
        self.tokens += tokens

    async def hold(self, request: Request) -> Hold | None:
        """Set aside what a call may take; wait for calls under way; None: the budget is spent."""
        _, held = await self.hold_some([request])
        return held

    async def hold_some(self, requests: Sequence[Request]) -> tuple[int, Hold | None]:
        """Set aside what the first requests may take together; return how many they are.

        As long as other calls are under way it waits for room for all of them.
        """
        async with self._settled:
            while (count := self._fitting(requests)) < len(requests) and self._calls:
                await self._settled.wait()
            if count == 0:
                return 0, None
            worst = [self._worst(request) for request in requests[:count]]
            held = Hold(sum(one.money for one in worst), sum(one.tokens for one in worst))
            self._held_money += held.money
            self._held_tokens += held.tokens
            self._calls += 1
        return count, held

    async def settle(self, hold: Hold, tokens: int, money: float | None) -> None:
        """Book what a call took in place of what was set aside for it."""
        async with self._settled:
            self._held_money -= hold.money
            self._held_tokens -= hold.tokens
            self._calls -= 1
            self.tokens += tokens
            self.money += money or 0.0
            self._settled.notify_all()

    def _worst(self, request: Request) -> Hold:
        prompt = most_tokens(request)
        reply = request.decoding.max_new_tokens
        return Hold(self.prices.of(prompt, reply) or 0.0, prompt + reply)

    def _fitting(self, requests: Sequence[Request]) -> int:
        """Return how many of these requests, in their order, the budget still bears at worst."""
        money, tokens = self.money + self._held_money, self.tokens + self._held_tokens
        for count, request in enumerate(requests):
            worst = self._worst(request)
            money, tokens = money + worst.money, tokens + worst.tokens
            if (self._budget.money is not None and money > self._budget.money) or (
                self._budget.tokens is not None and tokens > self._budget.tokens
            ):
                return count
        return len(requests)


def most_tokens(request: Request) -> int:
    """Return the most tokens the messages can have: one a byte, in every byte-level tokenizer."""
    return sum(
        len(one.content.encode("utf-8", "replace")) + OVERHEAD_TOKENS for one in request.messages
    )


def likely_tokens(request: Request) -> int:
    """Return about how many tokens the messages have: one a Chinese character, 4 ASCII letters."""
    total = 0
    for message in request.messages:
        narrow = len(message.content.encode("ascii", "ignore"))
        total += len(message.content) - narrow + narrow // 4
    return total
