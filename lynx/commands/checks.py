"""Commands that say what is there: raw data, artefacts, the machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lynx.commands.options import HERE, ConfigFiles, Overrides, Root, load, read_pairs

OtherRoot = Annotated[
    Path | None,
    typer.Option("--root", help="The project's folder. [the nearest one with config/config.yaml]"),
]

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
    artefacts: Annotated[
        list[Path], typer.Argument(help="A manifest.json or its folder, or a file below results/.")
    ],
    deep: Annotated[
        bool, typer.Option(help="Hash every file and compute every score again.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: OtherRoot = None,
) -> None:
    """Check artefacts or scores, and all that they were made from, down to the raw inventory.

    Files against manifests, parents against what their children were made from, settings against
    the configuration, versions against the code. Exit code 2 if anything is wrong.
    """
    from lynx.report.verification import as_dict, lines, verify

    links = verify(artefacts, deep=deep, root=root, files=config, overrides=read_pairs(sets))
    problems = [problem for link in links for problem in link.problems]
    if as_json:
        typer.echo(json.dumps(as_dict(links), indent=1, ensure_ascii=False))
    else:
        for line in lines(links):
            typer.echo(line)
        for problem in problems:
            typer.echo(f"lynx: {problem}", err=True)
    raise typer.Exit(2 if problems else 0)


@app.command()
def explain(
    a: Annotated[Path, typer.Argument(help="An artefact or a metrics.json.")],
    b: Annotated[Path, typer.Argument(help="The other one, perhaps of another project.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    root: OtherRoot = None,
    root_b: Annotated[
        Path | None, typer.Option("--root-b", help="The project's folder of B. [as --root]")
    ] = None,
) -> None:
    """Say why two results differ: the first stage at which they part, and by what.

    By a key of the settings, a seed, a stage's version, a file; or, where all these are equal, by
    package versions, device or Git revision. What the manifests record is compared: `lynx verify`
    says whether the files are still so.
    """
    from lynx.report.explanation import as_dict, explain, lines

    found = explain(a, b, root, root_b or root)
    if as_json:
        typer.echo(json.dumps(as_dict(found), indent=1, ensure_ascii=False))
    else:
        for line in lines(found):
            typer.echo(line)


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
