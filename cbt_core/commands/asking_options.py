"""What `labels detect`, `judge` and `study judge` share: a model's options, asking, the end."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import click

from cbt_core.commands.common import desk
from cbt_core.commands.generate_group import COUNT, POSITIVE, wish_of
from cbt_core.errors import StudyError
from cbt_core.words import say

if TYPE_CHECKING:
    from cbt_core.generation.run.outcome import Outcome
    from cbt_core.generation.tasks.model_task import Asking, Model


BLANK: Final[dict[str, object]] = {
    "questions": "", "encoding": "", "sheet": "", "limit": None, "system": "", "prompt": "",
    "lang_prompt": "", "scheme": "", "out": "", "top_p": 1.0, "repetition_penalty": 1.0,
}
"""What a wish to generate has and a wish to ask has not."""

OPTIONS: Final = (
    click.option("--backend", type=click.Choice(["openai", "transformers", "echo"]),
                 required=True),
    click.option("--model", default="", help="Model: a name at the host, a folder, a hub id."),
    click.option("--adapter", default="", metavar="DIR", help="LoRA adapter (transformers)."),
    click.option("--base-url", default="", metavar="URL",
                 help="Address of an OpenAI-compatible API."),
    click.option("--resume", is_flag=True, help="Go on with a run; rows on disk stay."),
    click.option("--temperature", type=click.FloatRange(0, 2), default=0.0, show_default=True),
    click.option("--max-new-tokens", type=COUNT, default=1024, show_default=True),
    click.option("--seed", type=int, default=1, show_default=True),
    click.option("--concurrency", type=click.IntRange(1, 512), help="Calls at once."),
    click.option("--rpm", type=POSITIVE, help="At most so many calls a minute."),
    click.option("--tpm", type=POSITIVE, help="At most so many tokens a minute."),
    click.option("--timeout", type=POSITIVE, default=180.0, help="Seconds for one call."),
    click.option("--tries", type=COUNT, default=6, help="Calls for one text before it waits."),
    click.option("--budget", type=POSITIVE, help="Money the run may cost; needs the prices."),
    click.option("--budget-tokens", type=COUNT, help="Tokens the run may take."),
    click.option("--price-in", type=click.FloatRange(0), help="Money for a million tokens sent."),
    click.option("--price-out", type=click.FloatRange(0), help="Money for a million in replies."),
    click.option("--batch", is_flag=True, help="Use the Batch API of the host."),
    click.option("--poll-seconds", type=POSITIVE, default=30.0, help="How often to ask for it."),
    click.option("--delay", type=click.FloatRange(0), default=0.0, help="Seconds a reply (echo)."),
    click.option("--revision", default="", help="Commit of a hub model."),
    click.option("--device", default="auto", help="cpu, cuda … (transformers)."),
    click.option("--dtype", default="auto", help="Number format (transformers)."),
    click.option("--rows", type=click.IntRange(0), default=0, help="Rows answered together."),
    click.option("--trust-remote-code", is_flag=True, help="Let the model's own code run."),
    click.option("--yes", is_flag=True, help="Send without asking (for scripts)."),
)


def asks_a_model(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a model to a command."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def model_of(given: Mapping[str, object]) -> "Model":
    """Return the model that the options state.

    Raises:
        StudyError: a model is missing, or a budget has no prices.
    """
    from cbt_core.generation.tasks.model_task import Model

    wish = wish_of({**BLANK, **given})
    return Model(
        backend=wish.backend, model=wish.model, adapter=wish.adapter, base_url=wish.base_url,
        decoding=wish.decoding, tuning=wish.tuning,
    )


def confirm(asking: "Asking", *, resume: bool, yes: bool) -> None:
    """Show what would leave, and where to; ask, unless told not to.

    Raises:
        StudyError: the file is taken, or the person does not agree.
    """
    from cbt_core.generation.run.runner import require_place

    require_place(asking.place, resume=resume)
    if not (asking.host and asking.waiting):
        return
    language, cost = desk().language, asking.likely_cost
    names = [name or say("generation.unnamed", language) for name in asking.task.sources]
    click.echo(say(
        "generation.about_to_send", language, texts=asking.waiting, host=asking.host,
        sources=", ".join(names), tokens=asking.likely_prompt_tokens,
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


def require_end(outcome: "Outcome", some_failed: str) -> None:
    """Say how many texts failed; `some_failed` is the code of that sentence.

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
            some_failed, desk().language, count=outcome.failed, causes=causes, file=outcome.out,
        ), err=True)
