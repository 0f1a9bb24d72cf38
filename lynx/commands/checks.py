"""Commands that say what is there: raw data, artefacts, the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lynx.commands.options import HERE, ConfigFiles, Overrides, Root, load, read_pairs

app = typer.Typer()


@app.command()
def inventory(
    benchmark: Annotated[str, typer.Argument(help="E.g. avqa.")],
    hashes: Annotated[bool, typer.Option("--hashes", help="Hash the clips too: hours.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Say what raw data of a benchmark is there, what is missing, and what to sign to get it.

    Splits are counted against the published numbers. Exit code 0 if a run could start with it.
    """
    import json

    from rich.console import Console

    from lynx.config.loading import configured_with
    from lynx.report.inventory import as_dict, take_inventory
    from lynx.report.inventory_table import print_inventory

    # Asked before anything is configured to run, so the benchmark need not be among what runs.
    chosen = [*sets, f"benchmarks=[{configured_with(root, benchmark)}]"]
    found = take_inventory(load(config, chosen, root, source=benchmark), benchmark, hashes)
    if as_json:
        typer.echo(json.dumps(as_dict(found), indent=1))
    else:
        print_inventory(found, Console())
    raise typer.Exit(0 if found.complete else 1)


@app.command()
def verify(
    manifest: Annotated[Path, typer.Argument(help="A manifest.json or its folder.")],
    deep: Annotated[bool, typer.Option(help="Hash every file, not only compare sizes.")] = False,
) -> None:
    """Check an artefact's files against its manifest."""
    from lynx.artifacts.manifest import MANIFEST_NAME
    from lynx.artifacts.verify import verify_files

    folder = manifest.parent if manifest.name == MANIFEST_NAME else manifest
    found = verify_files(folder, deep=deep)
    typer.echo(f"{folder}: {found.stage}, {len(found.files)} files as published")


@app.command()
def schema(
    folder: Annotated[Path, typer.Option(help="Where the schemas go.")] = Path("config/schema"),
) -> None:
    """Write the JSON Schemas of the configuration files."""
    from lynx.config.schema import write_schemas

    write_schemas(folder)


@app.command()
def doctor(config: ConfigFiles = [], sets: Overrides = [], root: Root = HERE) -> None:  # noqa: B006
    """Say what is installed, which accelerator there is, what is missing and how to get it."""
    from lynx.doctor import main_doctor

    raise typer.Exit(main_doctor(root, config, read_pairs(sets)))
