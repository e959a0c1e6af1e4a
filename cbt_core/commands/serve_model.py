"""``serve-model``: a local model as an OpenAI-compatible endpoint on this machine."""

import click

from cbt_core.commands.common import command, desk
from cbt_core.words import say


def add_to(parent: click.Group) -> None:
    """Add this command to the program."""
    command(parent, "serve-model", example="serve-model tiny --port 8600")(serve_model)


@click.argument("model")
@click.option("--adapter", default="", help="Folder of an adapter laid over the model.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, show_default=True,
              help="Port on 127.0.0.1; 0 takes a free one.")
@click.option("--revision", default="", help="Commit of a model at the hub.")
@click.option("--trust-remote-code", is_flag=True, help="Run the model's own code.")
def serve_model(
    *, model: str, adapter: str, port: int, revision: str, trust_remote_code: bool
) -> None:
    """Serve MODEL (profile, folder, GGUF file or hub id) to programs of this machine."""
    from cbt_core.services.runs import tuned_model

    def ready(url: str) -> None:
        click.echo(say("local_model.serving", desk().language, model=model, url=url))

    tuned_model.serve_model(
        model, adapter=adapter, port=port, revision=revision,
        trust_remote_code=trust_remote_code, ready=ready,
    )
