"""Commands that show scores, and that let a trained adapter answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lynx.commands.options import HERE, ConfigFiles, Overrides, Root, load, read_pairs

app = typer.Typer()


@app.command()
def table(
    benchmark: Annotated[str, typer.Argument(help="E.g. scanqa.")],
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Print a benchmark's metrics, lynx beside its controls, and where to look next."""
    from lynx.report.terminal import print_table

    print_table(load(config, sets, root, benchmark=benchmark), benchmark)


@app.command()
def seeds(
    benchmark: Annotated[str, typer.Argument(help="E.g. scanqa.")],
    write: Annotated[
        bool,
        typer.Option(
            "--write", help="Write those of the configured variants and seeds to results/tables/."
        ),
    ] = False,
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Print mean and spread over all seeds that have been run, by variant and question group."""
    from lynx.report.seeds import print_seeds, write_seeds

    project = load(config, sets, root, benchmark=benchmark)
    print_seeds(project, benchmark)
    if write:
        write_seeds(project, benchmark)


@app.command()
def tables(
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Write the publication's tables, ours beside theirs, to results/tables/.

    As CSV, Markdown, LaTeX and HTML, from the metrics.json files below results/ alone. A cell
    without a run says so; what is missing, and runs that stand in no table, are named at the end.
    """
    from lynx.report.paper.files import write_tables

    project = load(config, sets, root)
    found = write_tables(project)
    for table in found.tables:
        ran = sum(row.costs is not None for row in table.rows)
        typer.echo(f"{project.layout.tables / table.stem}: {table.title}, {ran} rows of ours")
    missing = dict.fromkeys(each for table in found.tables for each in table.missing)
    for sentence in (*found.unplaced, *(f"missing: {each}" for each in missing)):
        typer.echo(sentence)


@app.command()
def figures(
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Draw the figures to results/figures/, as PNG and PDF.

    From the metrics.json files and training curves below results/ alone: radar, trained parameters
    against score, score against rank, what X gives, and curves of training.
    """
    from lynx.report.figures.files import write_figures

    for stem in write_figures(load(config, sets, root)):
        typer.echo(f"{stem}.png, {stem}.pdf")


@app.command()
def samples(
    benchmark: Annotated[str, typer.Argument(help="E.g. scanqa.")],
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Draw a page of sample questions: frames, X as drawn, and what each variant answered.

    To results/figures/, as PNG and PDF, of the configured scale and seed, and as JSON, of which the
    report is laid out. The page says how its questions are chosen; they are not typical.
    """
    from lynx.report.samples.files import write_samples_page

    stem = write_samples_page(load(config, sets, root, benchmark=benchmark), benchmark)
    typer.echo(f"{stem}.png, {stem.name}.pdf and {stem.name}.json")


@app.command()
def report(
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Write results/report.html: tables, figures, samples, workflow and runs in one file.

    From what lies below results/ alone; draw the figures first. It opens without a network.
    """
    from lynx.report.page import write_report

    typer.echo(write_report(load(config, sets, root)))


@app.command()
def curve(
    artefact: Annotated[Path, typer.Argument(help="A trained artefact, e.g. runs/.../seed0.")],
    target: Annotated[Path, typer.Argument(help="The CSV file to write.")],
) -> None:
    """Write the curve of a training as CSV: loss, its terms, learning rate, by step."""
    from lynx.report.curves import write_curve

    write_curve(artefact, target)


@app.command()
def compare(
    scores: Annotated[
        list[Path],
        typer.Argument(help="Two or more metrics.json or their folders; the first is the base."),
    ],
    samples: Annotated[
        bool, typer.Option("--samples", help="List the questions on which they differ too.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Questions that are listed. [20; all of them as JSON]"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Annotated[
        Path | None,
        typer.Option("--root", help="The project's folder. [the nearest with config/config.yaml]"),
    ] = None,
) -> None:
    """Lay runs of one benchmark beside each other, with 95 % intervals over its questions.

    `lynx compare results/demo/lynx/scanqa/seed0 results/demo/video-only/scanqa/seed0 --samples`.
    10,000 times the questions are drawn anew, the same ones for every run, and all runs are scored
    on them. A difference whose interval excludes zero (\\*) is larger than this choice of questions
    explains; another seed may still undo it, see `lynx seeds`. The answers below `runs/` and the
    questions that they answer must be there. Exit code 2 if the runs cannot be compared.
    """
    import json

    from rich.console import Console

    from lynx.report.comparison.compare import as_dict
    from lynx.report.comparison.compare import compare as lay_beside
    from lynx.report.comparison.table import print_comparison, print_questions

    found = lay_beside(scores, root, config, read_pairs(sets))
    if as_json:
        typer.echo(json.dumps(as_dict(found, limit), indent=1, ensure_ascii=False))
        return
    console = Console()
    print_comparison(found, console)
    if samples:
        print_questions(found, limit, console)


@app.command()
def ask(
    clip: Annotated[Path, typer.Argument(help="A video, or a folder of posed RGB-D frames.")],
    questions: Annotated[list[str], typer.Argument(help="What to ask; several are answered.")],
    adapter: Annotated[Path, typer.Option(help="A trained adapter, e.g. runs/.../seed0.")],
    view: Annotated[
        list[Path], typer.Option(help="Another camera's video of the same moments; repeat.")
    ] = [],  # noqa: B006
    option: Annotated[
        list[str], typer.Option(help="An answer to choose from, for letter benchmarks; repeat.")
    ] = [],  # noqa: B006
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Answer questions about a file of your own with a trained adapter.

    `lynx ask --adapter runs/demo/sft/lynx/scanqa/seed0 my_scan "How large is this room?"`. The clip
    is encoded once, whatever the number of questions; what is drawn of it beside the video is what
    the adapter was trained with. The configuration need not run what the adapter was trained on.
    """
    import json

    from lynx.evaluate.ask import ask as answer
    from lynx.evaluate.ask import project_of

    project = project_of(adapter, root, config, read_pairs(sets))
    answers = answer(project, adapter, [clip, *view], questions, option)
    if as_json:
        rows = zip(questions, answers, strict=True)
        typer.echo(json.dumps([{"question": one, "answer": two} for one, two in rows], indent=1))
    elif len(questions) == 1:
        typer.echo(answers[0])
    else:
        for question, text in zip(questions, answers, strict=True):
            typer.echo(f"{question}\n  {text}")


@app.command("lmms-tasks")
def lmms_tasks(
    benchmark: Annotated[str, typer.Option(help="videomme, mvbench or mlvu.")],
    data: Annotated[Path, typer.Option(help="The hub dataset's files on this machine.")],
    target: Annotated[Path, typer.Option(help="The folder to write the tasks into.")],
) -> None:
    """Write lmms-eval's tasks for data of this machine, and print the command that runs them."""
    from lynx.evaluate.lmms.layouts import read_layout
    from lynx.evaluate.lmms.local_tasks import prepare
    from lynx.evaluate.lmms.run import usage

    found = read_layout(benchmark, data, target)
    prepare(found, target)
    typer.echo(usage(found.tables, target))
