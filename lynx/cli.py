"""The command `lynx`: one command per stage; a rule's shell line is that command, nothing else."""

from __future__ import annotations

import atexit
import logging
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lynx.attempt_log import attempt_log
from lynx.errors import InputError

if TYPE_CHECKING:
    from lynx.project import Project

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


@app.callback()
def common(
    log: Annotated[
        Path | None,
        typer.Option(help="Keep what is printed: x.log links to x.1.log, x.2.log, ... by attempt."),
    ] = None,
) -> None:
    """Options of every command."""
    if log is not None:
        # Closed when the interpreter ends, so that the log holds a traceback too.
        opened = ExitStack()
        opened.enter_context(attempt_log(log))
        atexit.register(opened.close)


ConfigFiles = Annotated[
    list[Path],
    typer.Option("--config", help="Main configuration; repeat to overlay. [config/config.yaml]"),
]
Overrides = Annotated[
    list[str],
    typer.Option("--set", help="A key of the main configuration, e.g. `--set scale=0.5b`; repeat."),
]
Root = Annotated[Path, typer.Option("--root", help="The project's folder.")]
Group = Annotated[str, typer.Option(help="Benchmarks that share frames and reference, e.g. 3d.")]
BenchmarkName = Annotated[str, typer.Option("--benchmark", help="E.g. scanqa.")]
Variant = Annotated[str, typer.Option(help="E.g. lynx: a name of config/variants.yaml.")]

HERE = Path()


def load(files: list[Path], overrides: list[str], root: Path, **names: str) -> Project:
    """Read the configuration that the options name; `names` (kind: name) must be in it."""
    from lynx.config.names import require_names
    from lynx.project import Project

    project = Project.load(root, files, read_pairs(overrides))
    require_names(project.experiment, names)
    return project


def read_pairs(overrides: list[str]) -> dict[str, object]:
    """`key=value` texts by key."""
    pairs: dict[str, object] = {}
    for item in overrides:
        key, separator, value = item.partition("=")
        if not separator:
            raise InputError(f"--set {item}: no '=' found, expected key=value, e.g. seed=1")
        pairs[key] = value
    return pairs


@app.command()
def world(
    name: Annotated[str, typer.Option(help="A world of the scale, e.g. rooms.")],
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Render one of the demo's synthetic worlds and its questions as raw data.

    Writes `runs/<scale>/world/<name>/`: for rooms, scans in ScanNet's export layout with ScanQA's
    and SQA3D's JSON.
    """
    from lynx.demo.stage import run_world

    run_world(load(config, sets, root), name)


@app.command("train-base")
def train_base(
    target: Annotated[Path, typer.Option(help="Folder to write the base into.")],
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Train the demo's tiny base model from nothing (about 45 minutes on one core)."""
    from lynx.demo.stage import run_train_base

    run_train_base(load(config, sets, root), target)


@app.command()
def base(config: ConfigFiles = [], sets: Overrides = [], root: Root = HERE) -> None:  # noqa: B006
    """Check the base model's folder and record the hash of each file."""
    from lynx.model.stage import run_base

    run_base(load(config, sets, root))


@app.command()
def data(
    benchmark: BenchmarkName,
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Read a benchmark's raw annotation into checked sample tables, one per split."""
    from lynx.benchmarks.stage import run_data

    run_data(load(config, sets, root, source=benchmark), benchmark)


@app.command()
def frames(
    group: Group,
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Prepare what a group's clips are read from: square frames of scenes, a list of videos."""
    from lynx.benchmarks.stage import group_clips
    from lynx.media.stage import run_frames

    project = load(config, sets, root, frames=group)
    run_frames(project, group, group_clips(project, group))


@app.command()
def reference(
    group: Group,
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Stage 1: token moments and mean keys and values of ordinary video, training scenes only."""
    from lynx.align.stage import run_reference

    run_reference(load(config, sets, root, group=group), group)


@app.command()
def align(
    name: Annotated[str, typer.Option(help="A group, or a benchmark; -<variant> for its own.")],
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Stage 2: train the vision adapter on X alone, without pairs or labels. Resumable."""
    from lynx.align.stage import run_align

    run_align(load(config, sets, root, alignment=name), name)


@app.command()
def features(
    benchmark: BenchmarkName,
    split: Annotated[str, typer.Option(help="A split that a run reads, e.g. train or val.")],
    stream: Annotated[str, typer.Option(help="video, aligned (X, adapter on) or plain (X, off).")],
    variant: Annotated[
        str, typer.Option(help="Whose vision adapter reads an aligned stream.")
    ] = "lynx",
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Encode one token stream of one split once, and store it if the site's disk allows."""
    from typing import get_args

    from lynx.config.experiment import Stream
    from lynx.features.stage import run_features

    known: dict[str, Stream] = {name: name for name in get_args(Stream)}
    if stream not in known:
        raise InputError(f"--stream {stream}: no such stream, expected one of {', '.join(known)}")
    project = load(config, sets, root, encoded=benchmark, variant=variant)
    run_features(project, benchmark, split, known[stream], variant)


@app.command()
def sft(
    variant: Variant,
    benchmark: BenchmarkName,
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Stage 3: train the language adapter of a variant from its token streams. Resumable."""
    from lynx.sft.stage import run_sft

    project = load(config, sets, root, variant=variant, trainer=benchmark)
    run_sft(project, variant, benchmark)


@app.command()
def predict(
    variant: Variant,
    benchmark: BenchmarkName,
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Answer the evaluation split greedily. Resumable per clip."""
    from lynx.evaluate.stage import run_predict

    project = load(config, sets, root, variant=variant, benchmark=benchmark)
    run_predict(project, variant, benchmark)


@app.command()
def score(
    variant: Variant,
    benchmark: BenchmarkName,
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Score a run's answers over every annotated item; writes its metrics.json."""
    from lynx.evaluate.stage import run_score

    project = load(config, sets, root, variant=variant, benchmark=benchmark)
    run_score(project, variant, benchmark)


@app.command("lmms-eval")
def lmms_eval(
    variant: Variant,
    benchmark: Annotated[str, typer.Option(help="videomme, mvbench or mlvu.")],
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Let lmms-eval score a trained variant by its own tasks, on local data. Resumable per clip."""
    from lynx.evaluate.lmms.stage import run_lmms

    project = load(config, sets, root, variant=variant, benchmark=benchmark)
    run_lmms(project, variant, benchmark, config, read_pairs(sets))


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


@app.command()
def headline(
    benchmark: BenchmarkName,
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Write `results/<benchmark>/metrics.json`: lynx beside the controls it is compared with."""
    from lynx.evaluate.stage import run_headline

    run_headline(load(config, sets, root, benchmark=benchmark), benchmark)


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
    write: Annotated[bool, typer.Option("--write", help="Write results/tables/ too.")] = False,
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
    the adapter was trained with.
    """
    import json

    from lynx.evaluate.ask import ask as answer

    answers = answer(load(config, sets, root), adapter, [clip, *view], questions, option)
    if as_json:
        rows = zip(questions, answers, strict=True)
        typer.echo(json.dumps([{"question": one, "answer": two} for one, two in rows], indent=1))
    elif len(questions) == 1:
        typer.echo(answers[0])
    else:
        for question, text in zip(questions, answers, strict=True):
            typer.echo(f"{question}\n  {text}")


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


def main() -> None:
    """Run the command line; wrong input is one sentence and exit code 2."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx", "transformers", "accelerate"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no network in a job (design, rule 12)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        app()
    except InputError as error:
        typer.echo(f"lynx: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        typer.echo(f"lynx: {error.filename or 'a file'}: {error.strerror or error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
