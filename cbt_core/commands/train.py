"""``train CONFIG.toml`` and ``train merge``: LoRA tuning on this machine's hardware."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import click

from cbt_core.commands.common import Group, command, desk, named_database, now, path_type
from cbt_core.words import say

RUN: Final = "run"


class TrainGroup(Group):
    """A group that takes a configuration file where others take a command's name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the hidden command `run` before a configuration file or an option of it."""
        named = args and (args[0] in self.commands or args[0] in ctx.help_option_names)
        if args and not named:
            args = [RUN, *args]
        return super().parse_args(ctx, args)


def add_to(parent: click.Group) -> None:
    """Add these commands to the program."""
    parent.add_command(train)
    shown = command(train, RUN, example="train training/configs/tiny.toml")(run)
    shown.hidden = True
    command(train, "merge", example="train merge data/training/tiny --out data/models/tiny-cbt")(
        merge
    )


@click.group(
    cls=TrainGroup,
    options_metavar="CONFIG.toml [--resume] [--estimate] [--out DIR] [--allow-leakage]",
    subcommand_metavar="| merge ADAPTER --out DIR",
    epilog="\b\nExample:\n  python -m cbt_core train training/configs/tiny.toml\n"
           "  python -m cbt_core train training/configs/baichuan-7b.toml --estimate\n"
           "  accelerate launch -m cbt_core train training/configs/qwen3-4b.toml",
)
def train() -> None:
    """LoRA tuning of a local model on a dataset; merging of an adapter."""


@click.argument("config", type=path_type())
@click.option("--resume", is_flag=True, help="Go on from the last whole checkpoint.")
@click.option("--estimate", is_flag=True, help="Print the memory needed and stop.")
@click.option("--out", type=path_type(), help="Folder of the adapter, instead of the file's.")
@click.option("--allow-leakage", is_flag=True,
              help="Train although rows stand in a study; the model card will say so.")
def run(*, config: Path, resume: bool, estimate: bool, out: Path | None,
        allow_leakage: bool) -> None:
    """Tune a model as CONFIG says."""
    from cbt_core.services.runs import tuned_model

    if estimate:
        _tell("needs", tuned_model.memory_needed(config))
        return
    asked = tuned_model.Asked(folder=out, resume=resume, allow_leakage=allow_leakage)
    folder = tuned_model.train_file(
        named_database(), config, asked, tell=_speaker(), now=now()
    )
    _speaker()("done", {"folder": folder})


@click.argument("adapter", type=path_type())
@click.option("--out", type=path_type(), required=True, help="Folder to write.")
@click.option("--base", default="", help="Base model of an adapter that was not made here.")
@click.option("--revision", default="", help="Commit of the base model at the hub.")
@click.option("--trust-remote-code", is_flag=True, help="Run the base model's own code.")
def merge(*, adapter: Path, out: Path, base: str, revision: str, trust_remote_code: bool) -> None:
    """Write adapter and base model as one folder."""
    from cbt_core.services.runs import tuned_model

    difference = tuned_model.merge_adapter(
        adapter, out, base=base, revision=revision, trust_remote_code=trust_remote_code
    )
    _tell("merged", {"folder": out, "difference": f"{difference:.1e}"})


def _tell(key: str, values: Mapping[str, object]) -> None:
    click.echo(say(f"training.{key}", desk().language, **values))


def _silent(_key: str, _values: Mapping[str, object]) -> None:
    """Say nothing: of several processes, one speaks."""


def _speaker() -> Callable[[str, Mapping[str, object]], None]:
    """Return who speaks: under `accelerate launch` only the first process does."""
    return _tell if os.environ.get("RANK", "0") == "0" else _silent
