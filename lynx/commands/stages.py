"""One command per stage of the DAG; a rule's shell line is that command, nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lynx.commands.options import (
    HERE,
    BenchmarkName,
    ConfigFiles,
    Group,
    Overrides,
    Ranks,
    Root,
    Variant,
    load,
    read_pairs,
)
from lynx.errors import InputError
from lynx.ranks.launch import on_ranks

app = typer.Typer()


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
    """Train the demo's tiny base model from nothing (about an hour on one core)."""
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
    ranks: Ranks = None,
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Stage 1: token moments and mean keys and values of ordinary video, training scenes only."""
    project = load(config, sets, root, group=group)

    def work() -> None:
        from lynx.align.stage import run_reference

        run_reference(project, group)

    on_ranks(project.experiment, ranks, work)


@app.command()
def geometry(config: ConfigFiles = [], sets: Overrides = [], root: Root = HERE) -> None:  # noqa: B006
    """Where word embeddings and frames lie in the base's input space, from training clips."""
    from lynx.align.measures import run_geometry

    run_geometry(load(config, sets, root))


@app.command()
def stability(config: ConfigFiles = [], sets: Overrides = [], root: Root = HERE) -> None:  # noqa: B006
    """How far the references of all groups differ, layer by layer."""
    from lynx.align.measures import run_stability

    run_stability(load(config, sets, root))


@app.command()
def align(
    name: Annotated[str, typer.Option(help="A group, or a benchmark; -<variant> for its own.")],
    ranks: Ranks = None,
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Stage 2: train the vision adapter on X alone, without pairs or labels. Resumable."""
    project = load(config, sets, root, alignment=name)

    def work() -> None:
        from lynx.align.stage import run_align

        run_align(project, name)

    on_ranks(project.experiment, ranks, work)


@app.command()
def features(
    benchmark: BenchmarkName,
    split: Annotated[str, typer.Option(help="A split that a run reads, e.g. train or val.")],
    stream: Annotated[str, typer.Option(help="video, aligned (X, adapter on) or plain (X, off).")],
    variant: Annotated[
        str, typer.Option(help="Whose vision adapter reads an aligned stream.")
    ] = "lynx",
    ranks: Ranks = None,
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Encode one token stream of one split once, and store it if the site's disk allows."""
    from typing import get_args

    from lynx.config.files import Stream

    known: dict[str, Stream] = {name: name for name in get_args(Stream)}
    if stream not in known:
        raise InputError(f"--stream {stream}: no such stream, expected one of {', '.join(known)}")
    project = load(config, sets, root, encoded=benchmark, variant=variant)

    def work() -> None:
        from lynx.features.stage import run_features

        run_features(project, benchmark, split, known[stream], variant)

    on_ranks(project.experiment, ranks, work)


@app.command()
def sft(
    variant: Variant,
    benchmark: BenchmarkName,
    ranks: Ranks = None,
    config: ConfigFiles = [],  # noqa: B006
    sets: Overrides = [],  # noqa: B006
    root: Root = HERE,
) -> None:
    """Stage 3: train the language adapter of a variant from its token streams. Resumable."""
    project = load(config, sets, root, variant=variant, trainer=benchmark)

    def work() -> None:
        from lynx.sft.stage import run_sft

        run_sft(project, variant, benchmark)

    on_ranks(project.experiment, ranks, work)


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
