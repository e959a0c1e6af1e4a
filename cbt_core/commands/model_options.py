"""What every command that asks a model shares: its options, made once, and a run to its end."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final, TypeVar

import click

from cbt_core.commands.common import desk, named_database, now
from cbt_core.domain.people import TERMINAL
from cbt_core.errors import StudyError
from cbt_core.generation.backend import BACKENDS, LOCAL
from cbt_core.words import say

if TYPE_CHECKING:
    from cbt_core.generation.backend.catalogue import Options, Tuning
    from cbt_core.generation.run.journal import Outcome, Progress
    from cbt_core.generation.tasks.task import Task
    from cbt_core.services.runs.model_run import Plan
    from cbt_core.settings import Settings
    from db.engine import Database


POSITIVE: Final = click.FloatRange(min=0, min_open=True)
COUNT: Final = click.IntRange(min=1)
LINE_SECONDS: Final = 30.0
"""How often a plain line is printed where there is no terminal."""

Function = TypeVar("Function", bound=Callable[..., None])

MODEL: Final = (
    click.option("--backend", type=click.Choice(BACKENDS),
                 required=True),
    click.option("--model", default="", help="Model: a name at the host, a folder, a hub id."),
    click.option("--adapter", default="", metavar="DIR", help="LoRA adapter (transformers)."),
    click.option("--base-url", default="", metavar="URL",
                 help="Address of an OpenAI-compatible API."),
    click.option("--resume", is_flag=True, help="Go on with a run; rows on disk stay."),
    click.option("--temperature", type=click.FloatRange(0, 2), default=0.0, show_default=True),
    click.option("--max-new-tokens", type=COUNT, default=1024, show_default=True),
    click.option("--seed", type=int, default=1, show_default=True),
)
PACE: Final = (
    click.option("--concurrency", type=click.IntRange(1, 512), help="Calls at once."),
    click.option("--rpm", type=POSITIVE, help="At most so many calls a minute."),
    click.option("--tpm", type=POSITIVE, help="At most so many tokens a minute."),
    click.option("--timeout", type=POSITIVE, default=180.0, help="Seconds for one call."),
    click.option("--tries", type=COUNT, default=6, help="Calls for one text before it waits."),
    click.option("--budget", type=POSITIVE, help="Money the run may cost; needs the prices."),
    click.option("--budget-tokens", type=COUNT, help="Tokens the run may take."),
    click.option("--price-in", type=click.FloatRange(0), help="Money for a million prompt tokens."),
    click.option("--price-out", type=click.FloatRange(0), help="Money for a million reply tokens."),
    click.option("--batch", is_flag=True, help="Use the Batch API of the host."),
    click.option("--poll-seconds", type=POSITIVE, default=30.0,
                 help="How often a batch is asked for."),
    click.option("--delay", type=click.FloatRange(0), default=0.0, help="Seconds a reply (echo)."),
    click.option("--revision", default="", help="Commit of a hub model."),
    click.option("--device", default="auto", help="cpu, cuda … (transformers)."),
    click.option("--dtype", default="auto", help="Number format (transformers)."),
    click.option("--rows", type=click.IntRange(0), default=0, help="Rows answered together."),
    click.option("--trust-remote-code", is_flag=True, help="Let the model's own code run."),
)
YES: Final = click.option("--yes", is_flag=True, help="Send without asking (for scripts).")


def paced(function: Function) -> Function:
    """Add the options of how fast, how dear and on what a model works."""
    for option in reversed(PACE):
        function = option(function)
    return function


def asks_a_model(function: Function) -> Function:
    """Add every option of a model to a command."""
    function = paced(YES(function))
    for option in reversed(MODEL):
        function = option(function)
    return function


def options_of(given: Mapping[str, object], *, resume: bool) -> "Options":
    """Return what the options state.

    Raises:
        StudyError: a model is missing, or a budget has no prices.
    """
    from cbt_core.generation.backend.catalogue import Options
    from cbt_core.generation.backend.exchange import Decoding

    backend, model = str(given["backend"]), str(given["model"] or "")
    if not model and backend != "echo":
        raise StudyError("generation.no_model")
    return Options(
        backend=backend, model=model or "echo", adapter=str(given["adapter"] or ""),
        base_url=str(given["base_url"] or ""), resume=resume, tuning=_tuning(given),
        decoding=Decoding(
            max_new_tokens=_whole(given["max_new_tokens"]) or 1,
            temperature=_real(given["temperature"]) or 0.0,
            top_p=_real(given.get("top_p")) or 1.0,
            repetition_penalty=_real(given.get("repetition_penalty")) or 1.0,
            seed=_whole(given["seed"]) or 0,
        ),
    )


def _tuning(given: Mapping[str, object]) -> "Tuning":
    from cbt_core.generation.backend.allowance import Budget, Prices, Retrying
    from cbt_core.generation.backend.catalogue import Tuning

    budget = Budget(_real(given["budget"]), _whole(given["budget_tokens"]))
    prices = Prices(_real(given["price_in"]), _real(given["price_out"]))
    if budget.money is not None and (prices.prompt is None or prices.reply is None):
        raise StudyError("generation.budget_without_prices")
    return Tuning(
        concurrency=_whole(given["concurrency"]) or 0, per_minute=_real(given["rpm"]),
        tokens_per_minute=_real(given["tpm"]), timeout=_real(given["timeout"]) or 180.0,
        prices=prices, budget=budget, retrying=Retrying(tries=_whole(given["tries"]) or 1),
        batch=bool(given["batch"]), poll_seconds=_real(given["poll_seconds"]) or 30.0,
        delay=_real(given["delay"]) or 0.0, revision=str(given["revision"]),
        device=str(given["device"]), dtype=str(given["dtype"]), rows=_whole(given["rows"]) or 0,
        trust_remote_code=bool(given["trust_remote_code"]),
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _real(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def noted_in(given: Mapping[str, object]) -> "Database | None":
    """Return the database in which what leaves this machine is noted, if there is one."""
    return None if given["backend"] in LOCAL else existing_database()


def existing_database() -> "Database | None":
    """Return the database when there is one: files need none."""
    from cbt_core.services.operations import storage

    store = named_database()
    if not storage.exists(store):
        return None
    storage.require_current(store)
    return store


def carried_out(
    plan: "Plan[Task]", settings: "Settings", database: "Database | None", *, yes: bool
) -> "Outcome":
    """Ask whether texts may leave, run a plan, show how far it is; Ctrl-C stops it.

    Raises:
        StudyError: the file is taken, the person does not agree, or see `model_run.ask`.
    """
    from cbt_core.generation.run.runner import require_place
    from cbt_core.services.runs import model_run

    require_place(plan.place, resume=plan.options.resume)
    if plan.host and plan.waiting:
        _confirm(plan, yes=yes)
    line = ProgressLine(desk().language)
    with _interruptible() as stop:
        outcome = model_run.ask(
            plan, settings=settings, database=database, person=TERMINAL, now=now(),
            on_progress=line.show, stop=stop,
        )
    line.end()
    return outcome


def _confirm(plan: "Plan[Task]", *, yes: bool) -> None:
    """Show what would leave, and where to; ask, unless told not to."""
    language, cost = desk().language, plan.likely_cost
    names = [name or say("generation.unnamed", language) for name in plan.task.sources]
    click.echo(say(
        "generation.about_to_send", language, texts=plan.waiting, host=plan.host,
        sources=", ".join(names), tokens=plan.likely_prompt_tokens,
        cost="?" if cost is None else f"{cost:.2f}",
    ), err=True)
    if yes:
        return
    try:
        agreed = click.confirm(say("generation.send", language), err=True)
    except click.Abort as error:
        raise StudyError("generation.not_confirmed") from error
    if not agreed:
        raise StudyError("generation.not_confirmed")


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Let the first Ctrl-C ask the run to stop; a second one ends the program at once."""
    stop = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def asked(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            signal.default_int_handler(number, frame)
        stop.set()
        click.echo(say("generation.stopping", desk().language), err=True)

    signal.signal(signal.SIGINT, asked)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def require_end(outcome: "Outcome", section: str) -> None:
    """Say how many texts failed, in the words of a section.

    Raises:
        StudyError: the run stopped before its end, or no text got a usable reply.
    """
    if not outcome.finished:
        raise StudyError(f"generation.ended_{outcome.ended}", file=outcome.out, rows=outcome.rows)
    causes = ", ".join(f"{name} {count}" for name, count in sorted(outcome.causes.items()))
    if not outcome.rows:
        raise StudyError(
            "generation.all_failed", file=outcome.out, count=outcome.failed, causes=causes)
    if outcome.failed:
        click.echo(say(
            f"{section}.some_failed", desk().language, count=outcome.failed, causes=causes,
            file=outcome.out,
        ), err=True)


class ProgressLine:
    """Shows where a run stands on stderr: a line rewritten on a terminal, plain lines elsewhere."""

    def __init__(self, language: str) -> None:
        """Look whether somebody watches."""
        self._language = language
        self._rewrites = sys.stderr.isatty()
        self._last = time.monotonic()
        self._width = 0

    def show(self, progress: "Progress") -> None:
        """Show a state."""
        if self._rewrites:
            text = self._text(progress)
            click.echo("\r" + text + " " * max(self._width - len(text), 0), nl=False, err=True)
            self._width = len(text)
        elif time.monotonic() - self._last >= LINE_SECONDS:
            self._last = time.monotonic()
            click.echo(self._text(progress), err=True)

    def end(self) -> None:
        """Leave the line."""
        if self._width:
            click.echo(err=True)

    def _text(self, progress: "Progress") -> str:
        cost, left = progress.cost, progress.seconds_left
        return say(
            "generation.progress", self._language, done=progress.done,
            total="?" if progress.total is None else progress.total, failed=progress.failed,
            rate=f"{progress.rate:.1f}", cost="–" if cost is None else f"{cost:.2f}",
            left="–" if left is None else _clock(left),
        )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
