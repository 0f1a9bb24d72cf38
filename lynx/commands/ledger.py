"""Commands of the DVC ledger: render it, record in it, restore from it."""

from __future__ import annotations

from typing import Annotated

import typer

from lynx.commands.options import HERE, ConfigFiles, Root

app = typer.Typer()
ledger = typer.Typer(
    no_args_is_help=True,
    help="The DVC ledger: which results were made from what, and where their bytes are.",
)
app.add_typer(ledger, name="ledger")


@ledger.command()
def render(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 2 if the files differ.")
    ] = False,
    config: ConfigFiles = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Write dvc.yaml and params.yaml from Snakemake's own job list."""
    from lynx.ledger.render import check_ledger, write_ledger

    if check:
        check_ledger(root, config)
    else:
        write_ledger(root, config)


@ledger.command()
def settings(config: ConfigFiles = [], root: Root = HERE) -> None:  # noqa: B006
    """Write params.yaml alone: what `dvc repro` calls when config/ has changed."""
    from lynx.ledger.render import write_settings

    write_settings(root, config)


@ledger.command()
def record(config: ConfigFiles = [], root: Root = HERE) -> None:  # noqa: B006
    """Record in dvc.lock and the DVC cache what Snakemake has made and holds for up to date."""
    from lynx.ledger.record import record as record_results

    done = record_results(root, config)
    typer.echo(
        f"dvc.lock: {done.new} stages recorded, {done.same} were already, {done.absent} have no "
        "current result; keep them with `git add -f dvc.lock params.yaml results` and `dvc push`"
    )


@app.command()
def restore(
    stages: Annotated[
        list[str] | None, typer.Argument(help="Stages of dvc.yaml. [all that are recorded]")
    ] = None,
    local: Annotated[
        bool, typer.Option("--local", help="Take them from the DVC cache; ask no remote.")
    ] = False,
    config: ConfigFiles = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Bring recorded results back, check every byte, and tell Snakemake that they are there.

    For use after `git clone` or `git switch`, in place of `dvc pull` and `dvc checkout`.
    """
    from lynx.ledger.restore import restore as restore_results

    count = restore_results(root, stages or (), remote=not local, files=config)
    typer.echo(f"{count} stages as recorded; Snakemake has nothing to do for them")
