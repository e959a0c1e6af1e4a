"""``generate``: questions to answers with provenance, resumable at any moment."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

import click

from cbt_core.commands.common import command, desk, named_database, now, path_type, warn
from cbt_core.commands.generate_progress import ProgressLine
from cbt_core.domain.people import TERMINAL
from cbt_core.errors import StudyError
from cbt_core.settings import Settings
from cbt_core.words import say

if TYPE_CHECKING:
    from cbt_core.generation.backend.catalogue import Tuning
    from cbt_core.generation.run.outcome import Outcome
    from cbt_core.generation.tasks.answers import Plan, Wish
    from db.engine import Database


POSITIVE: Final = click.FloatRange(min=0, min_open=True)
COUNT: Final = click.IntRange(min=1)
EXAMPLE: Final = (
    "generate --questions questions.jsonl --system cbt-model --backend openai --model MODEL "
    "--base-url http://127.0.0.1:8000/v1 --out answers.jsonl"
)


def add_to(parent: click.Group) -> None:
    """Add this command to the program."""
    command(parent, "generate", example=EXAMPLE)(generate)


@click.option("--questions", type=path_type(), required=True, help="Questions file, or PsyQA.")
@click.option("--system", required=True, help="Name of the system in the answers file.")
@click.option("--backend", type=click.Choice(["openai", "transformers", "echo"]), required=True)
@click.option("--model", default="", help="Model: a name at the host, a folder, a hub id, GGUF.")
@click.option("--adapter", default="", metavar="DIR", help="LoRA adapter (transformers).")
@click.option("--prompt", default="cbt", show_default=True, help="cbt, plain, cbt-llm or a file.")
@click.option("--out", type=path_type(), required=True, help="Answers file (JSONL) to write.")
@click.option("--resume", is_flag=True, help="Go on with a run; rows on disk are not repeated.")
@click.option("--base-url", default="", metavar="URL", help="Address of an OpenAI-compatible API.")
@click.option("--lang-prompt", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--scheme", default="burns-12", show_default=True, help="Distortions: id or file.")
@click.option("--temperature", type=click.FloatRange(0, 2), default=0.0, show_default=True)
@click.option("--top-p", type=click.FloatRange(0, 1, min_open=True), default=1.0)
@click.option("--max-new-tokens", type=COUNT, default=1536, show_default=True)
@click.option("--repetition-penalty", type=POSITIVE, default=1.0, help="For transformers.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--limit", type=COUNT, help="Only the first questions of the file.")
@click.option("--concurrency", type=click.IntRange(1, 512), help="Calls at once.")
@click.option("--rpm", type=POSITIVE, help="At most so many calls a minute.")
@click.option("--tpm", type=POSITIVE, help="At most so many tokens a minute.")
@click.option("--timeout", type=POSITIVE, default=180.0, help="Seconds for one call.")
@click.option("--tries", type=COUNT, default=6, help="Calls for one question before it waits.")
@click.option("--budget", type=POSITIVE, help="Money the run may cost; needs the prices.")
@click.option("--budget-tokens", type=COUNT, help="Tokens the run may take.")
@click.option("--price-in", type=click.FloatRange(0), help="Money for a million prompt tokens.")
@click.option("--price-out", type=click.FloatRange(0), help="Money for a million reply tokens.")
@click.option("--batch", is_flag=True, help="Use the Batch API of the host.")
@click.option("--poll-seconds", type=POSITIVE, default=30.0, help="How often a batch is asked for.")
@click.option("--delay", type=click.FloatRange(0), default=0.0, help="Seconds a reply (echo).")
@click.option("--revision", default="", help="Commit of a hub model.")
@click.option("--device", default="auto", help="cpu, cuda … (transformers).")
@click.option("--dtype", default="auto", help="Number format (transformers).")
@click.option("--rows", type=click.IntRange(0), default=0, help="Rows answered together.")
@click.option("--trust-remote-code", is_flag=True, help="Let the model's own code run.")
@click.option("--encoding", metavar="NAME", help="Encoding of a CSV file, if not UTF-8.")
@click.option("--sheet", metavar="NAME", help="Sheet of a workbook with several.")
@click.option("--yes", is_flag=True, help="Send without asking (for scripts).")
def generate(*, resume: bool, yes: bool, **given: object) -> None:
    """Let a model answer questions; every row is on disk before it counts."""
    from cbt_core.generation.run.runner import require_place
    from cbt_core.services.runs import model_run

    require_place(Path(str(given["out"])), resume=resume)
    settings = Settings.from_environment()
    database = existing_database() if given["backend"] == "openai" else None
    planned = model_run.plan(wish_of(given), settings=settings, database=database, now=now())
    warn(planned.warnings)
    if planned.host and planned.waiting:
        confirm(planned, yes=yes)
    line = ProgressLine(desk().language)
    with interruptible() as stop:
        outcome = model_run.generate(
            planned, settings=settings, database=database, person=TERMINAL, now=now(),
            resume=resume, on_progress=line.show, stop=stop,
        )
    line.end()
    _tell(outcome)


def wish_of(given: Mapping[str, object]) -> "Wish":
    """Return the wish the options state.

    Raises:
        StudyError: a model is missing, or a budget has no prices.
    """
    from cbt_core.generation.backend.exchange import Decoding
    from cbt_core.generation.tasks.answers import Wish
    from cbt_core.generation.tasks.questions import Questions

    text = {name: str(value or "") for name, value in given.items()}
    if not text["model"] and text["backend"] != "echo":
        raise StudyError("generation.no_model")
    return Wish(
        questions=Questions(
            Path(text["questions"]), encoding=text["encoding"] or None,
            sheet=text["sheet"] or None, limit=_whole(given["limit"]),
        ),
        system=text["system"], backend=text["backend"], model=text["model"] or "echo",
        out=Path(text["out"]), adapter=text["adapter"], prompt=text["prompt"],
        prompt_language=text["lang_prompt"], scheme=text["scheme"], base_url=text["base_url"],
        decoding=Decoding(
            max_new_tokens=_whole(given["max_new_tokens"]) or 1,
            temperature=_real(given["temperature"]) or 0.0, top_p=_real(given["top_p"]) or 1.0,
            repetition_penalty=_real(given["repetition_penalty"]) or 1.0,
            seed=_whole(given["seed"]) or 0,
        ),
        tuning=_tuning(given),
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


def existing_database() -> "Database | None":
    """Return the database when there is one: generating needs none, but what is sent is audited."""
    from cbt_core.services.operations import storage

    found = named_database()
    if not storage.exists(found):
        return None
    storage.require_current(found)
    return found


def confirm(planned: "Plan", *, yes: bool) -> None:
    """Show what would leave, and where to; ask, unless told not to."""
    language = desk().language
    cost = planned.likely_cost
    sources = ", ".join(name or say("generation.unnamed", language) for name in planned.sources)
    click.echo(say(
        "generation.about_to_send", language, texts=planned.waiting, host=planned.host,
        sources=sources, tokens=planned.likely_prompt_tokens,
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
def interruptible() -> Iterator[threading.Event]:
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


def _tell(outcome: "Outcome") -> None:
    """Say what the run came to.

    Raises:
        StudyError: it stopped before the end, or no question got a usable reply.
    """
    if not outcome.finished:
        raise StudyError(f"generation.ended_{outcome.ended}", file=outcome.out, rows=outcome.rows)
    language = desk().language
    causes = ", ".join(f"{name} {count}" for name, count in sorted(outcome.causes.items()))
    if not outcome.rows:
        raise StudyError(
            "generation.all_failed", file=outcome.out, count=outcome.failed, causes=causes)
    if outcome.failed:
        click.echo(say(
            "generation.some_failed", language, count=outcome.failed, causes=causes,
            file=outcome.out,
        ), err=True)
    click.echo(say("generation.done", language, rows=outcome.rows, file=outcome.out))
