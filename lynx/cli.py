"""The command `lynx`."""

from __future__ import annotations

import atexit
import gc
import logging
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from lynx.attempt_log import attempt_log
from lynx.commands import checks, ledger, results, stages
from lynx.errors import InputError
from lynx.memory import keep_freed_blocks
from lynx.ranks.launch import hand_over
from lynx.ranks.place import STORE

app = typer.Typer(
    name="lynx",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""LynX: a new sense for a frozen video LLM, through the interface it already sees with.

Each command below runs one stage of the DAG. You rarely type them: ask Snakemake for a result,
`snakemake --profile local results/scanqa/metrics.json`, and it calls them in order. They are here
to run, read and debug a stage by itself; every one reads `config/` and finds its inputs under
`runs/`.
""",
)


for group in (stages, results, checks, ledger):
    app.add_typer(group.app)

CLOSED_ADVICE = (
    ", expected a file or folder that is open to this user; change its permissions or its mount "
    "and run the same command again"
)
_logs: list[Path] = []  # of this attempt, if it keeps one


@app.callback()
def common(
    log: Annotated[
        Path | None,
        typer.Option(help="Keep what is printed: x.log links to x.1.log, x.2.log, ... by attempt."),
    ] = None,
) -> None:
    """Options of every command."""
    if log is not None and STORE not in os.environ:  # a rank prints into its launcher's
        # Closed when the interpreter ends, so that the log holds a traceback too.
        opened = ExitStack()
        _logs.append(opened.enter_context(attempt_log(log)))
        atexit.register(opened.close)


def main() -> None:
    """Run the command line; wrong input is one sentence and exit code 2."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx", "transformers", "accelerate", "numexpr"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    # No network in a job (architecture, rule 12), whatever the shell says.
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    # A stage imports some million objects that stay; to look for garbage among them again and again
    # took a tenth of its start.
    gc.set_threshold(100_000, 20, 20)
    # Nor is there any at the end, where Python would look through all of them once more.
    atexit.register(gc.freeze)
    keep_freed_blocks()
    try:
        app()
    except InputError as error:
        if not hand_over(str(error)):
            _name_log()
            typer.echo(f"lynx: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        from lynx.artifacts.publish import CLOSED  # and what it imports, which no help text needs

        _name_log()
        closed = error.errno in CLOSED
        said = f"{error.filename or 'a file'}: {error.strerror or error}"
        typer.echo(f"lynx: {said}{CLOSED_ADVICE if closed else ''}", err=True)
        sys.exit(2 if closed else 1)
    except Exception:
        _name_log()
        raise


def _name_log() -> None:
    """Snakemake names the link, which the next attempt moves on."""
    for log in _logs:
        typer.echo(f"lynx: the log of this attempt is {log}", err=True)


if __name__ == "__main__":
    main()
