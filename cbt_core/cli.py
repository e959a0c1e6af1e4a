"""The terminal door: ``python -m cbt_core COMMAND``.

Exit 0 done, 1 refused with one clear message, 2 wrong usage. Never a traceback.
"""

import os
import sys
from collections.abc import Sequence

import click

from cbt_core.commands import (
    analysis,
    dataset,
    detect,
    generate,
    judge,
    labels,
    operations,
    person,
    run,
    score,
    source,
    study,
    study_plan,
    train,
)
from cbt_core.commands.common import PROGRAM, Desk, Group
from cbt_core.errors import StudyError
from cbt_core.settings import language_of
from cbt_core.words import say

DONE, REFUSED, USAGE = 0, 1, 2


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Concord: a study desk for expert evaluation of CBT-style answers (a research tool)."""


for add_to in (
    operations.add_to, operations.add_doctor_to, operations.add_demo_to, person.add_to,
    study.add_to, analysis.add_to, operations.add_audit_to, labels.add_to, score.add_to,
    generate.add_to, source.add_to, study_plan.add_to, dataset.add_to, train.add_to,
    detect.add_to, judge.add_to,
    run.add_to,
):
    add_to(cli)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if os.environ.get("CONCORD_HUB") != "download":  # a second wall: no library asks the hub
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    desk = Desk(language=language_of(os.environ))
    try:
        cli.main(args=arguments, prog_name=PROGRAM, standalone_mode=False, obj=desk)
    except click.UsageError as error:
        error.show()
        return USAGE
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.Abort:
        click.echo(say("cli.stopped", desk.language), err=True)
        return REFUSED
    except (StudyError, click.ClickException) as error:
        click.echo(_sentence(error, desk.language), err=True)
        return REFUSED
    except BrokenPipeError:  # the reader of a pipe has enough
        sys.stderr.close()
        return REFUSED
    except Exception as error:  # the last net: one sentence with an id, details without text
        click.echo(_unexpected(error, desk.language), err=True)
        return REFUSED
    return DONE


def _sentence(error: Exception, language: str) -> str:
    return error.say(language) if isinstance(error, StudyError) else str(error)


def _unexpected(error: Exception, language: str) -> str:
    from cbt_core.error_log import record

    if isinstance(error, OSError) and error.filename:
        return say("cli.os_error", language, file=error.filename, cause=error.strerror)
    error_id, file = record(error)
    return say("cli.unexpected", language, id=error_id, file=file)
