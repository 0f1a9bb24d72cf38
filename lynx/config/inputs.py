"""The inputs of each rule, decided by the configuration: manifests, and files that a user gives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lynx.config.experiment import MAIN_VARIANT, Experiment
from lynx.config.files import Stream
from lynx.config.layout import Layout, manifest
from lynx.config.streams import stream_folder, vision_parent
from lynx.config.training_sets import tables_read

ANNOTATIONS = ("*.json", "*/*.json", "*/*.parquet", "*/*.srt")
"""Where annotation files lie below their root: in it, or one folder down."""


def data_inputs(experiment: Experiment, benchmark: str) -> list[str]:
    """The rendered world, or the annotation files of the site."""
    world = experiment.world_of(benchmark)
    if world is not None:
        return [manifest(Layout(Path(), experiment.scale_name).world(world))]
    root = experiment.site.data.get(experiment.benchmarks[benchmark].annotations)
    names = (path for pattern in ANNOTATIONS for path in root.glob(pattern)) if root else ()
    return sorted(map(str, names))


def base_inputs(experiment: Experiment) -> list[str]:
    """The base's configuration and weights: one that is not there stops before anything runs."""
    folder = experiment.base_folder
    return [str(path) for path in (folder / "config.json", *sorted(folder.glob("*.safetensors")))]


def frames_inputs(experiment: Experiment, group: str) -> list[str]:
    """The sample tables whose scenes are prepared."""
    layout = Layout(Path(), experiment.scale_name)
    return [manifest(layout.data(name)) for name in experiment.framed(group)]


def reference_inputs(experiment: Experiment, group: str) -> list[str]:
    """Base, frames, and the tables that name the training scenes."""
    layout = Layout(Path(), experiment.scale_name)
    tables = [layout.data(name) for name in experiment.group_recipe(group).reference.sources]
    return [manifest(folder) for folder in (layout.base, layout.frames(group), *tables)]


def geometry_inputs(experiment: Experiment) -> list[str]:
    """Base, and what the references of all groups are made from."""
    inputs = (reference_inputs(experiment, group) for group in experiment.groups)
    return list(dict.fromkeys(path for paths in inputs for path in paths))


def stability_inputs(experiment: Experiment) -> list[str]:
    """Base, and the references of all groups."""
    layout = Layout(Path(), experiment.scale_name)
    folders = (layout.base, *(layout.reference(group) for group in experiment.groups))
    return [manifest(folder) for folder in folders]


def align_inputs(experiment: Experiment, name: str) -> list[str]:
    """Base, frames, references, and the tables that name the training scenes."""
    layout, alignment = Layout(Path(), experiment.scale_name), experiment.alignments[name]
    references = [layout.reference(group) for group in alignment.references]
    tables = [layout.data(source) for source in alignment.settings.sources]
    folders = (layout.base, layout.frames(alignment.group), *references, *tables)
    return [manifest(folder) for folder in folders]


def features_inputs(
    experiment: Experiment, benchmark: str, stream: str, variant: str = MAIN_VARIANT
) -> list[str]:
    """Base, table, frames, and the variant's vision adapter of an aligned stream."""
    layout = Layout(Path(), experiment.scale_name)
    frames = layout.frames(experiment.frames_of(benchmark))
    folders = [layout.base, layout.data(benchmark), frames]
    if stream == "aligned":
        folders.append(vision_parent(experiment, layout, variant, benchmark)[1])
    return [manifest(folder) for folder in folders]


def stream_inputs(
    experiment: Experiment, variant: str, benchmark: str, split: str, streams: Sequence[Stream]
) -> list[str]:
    """Streams of a variant, of one split."""
    layout = Layout(Path(), experiment.scale_name)
    return [
        manifest(stream_folder(experiment, layout, variant, benchmark, split, each))
        for each in dict.fromkeys(streams)
    ]


def sft_inputs(experiment: Experiment, variant: str, benchmark: str) -> list[str]:
    """Base, table and training streams; frames where X is encoded in training itself."""
    layout, train = Layout(Path(), experiment.scale_name), experiment.training_split(benchmark)
    own = [manifest(layout.base), manifest(layout.data(benchmark))]
    settings = experiment.variants[variant]
    if settings.x == "joint":
        own.append(manifest(layout.frames(experiment.frames_of(benchmark))))
    return own + stream_inputs(experiment, variant, benchmark, train, settings.training_streams)


def predict_inputs(experiment: Experiment, variant: str, benchmark: str) -> list[str]:
    """Base, table, evaluation streams, the language adapter of a trained variant, and the tables
    of all that its adapters met, which are held against what is asked about."""
    layout, seed = Layout(Path(), experiment.scale_name), experiment.main.seed
    split = experiment.recipes[benchmark].evaluate.split
    own = [manifest(folder) for folder in (layout.base, *_tables(experiment, variant, benchmark))]
    if experiment.variants[variant].sft:
        own.append(manifest(layout.sft(variant, experiment.trainer_of(benchmark), seed)))
    streams = experiment.variants[variant].streams
    return own + stream_inputs(experiment, variant, benchmark, split, streams)


def samples_inputs(experiment: Experiment, benchmark: str) -> list[str]:
    """Table, frames, and the answers of lynx and of the variants beside it."""
    layout, seed = Layout(Path(), experiment.scale_name), experiment.main.seed
    answers = [
        layout.predictions(variant, benchmark, seed) for variant in experiment.shown_variants
    ]
    shown = [layout.data(benchmark), layout.frames(experiment.frames_of(benchmark))]
    return [manifest(folder) for folder in (*shown, *answers)]


def lmms_inputs(experiment: Experiment, variant: str, benchmark: str) -> list[str]:
    """Base, tables of the benchmark and of all that its adapters met, the language adapter, the
    features that it was trained on, which name their vision adapter, and that one."""
    layout, seed = Layout(Path(), experiment.scale_name), experiment.main.seed
    trainer = experiment.trainer_of(benchmark)
    folders = [layout.base, *_tables(experiment, variant, benchmark)]
    folders.append(layout.sft(variant, trainer, seed))
    inputs = [manifest(folder) for folder in folders]
    if experiment.variants[variant].x != "aligned":
        return inputs
    split = experiment.training_split(benchmark)
    inputs += stream_inputs(experiment, variant, trainer, split, ("video", "aligned"))
    return [*inputs, manifest(vision_parent(experiment, layout, variant, benchmark)[1])]


def _tables(experiment: Experiment, variant: str, benchmark: str) -> list[Path]:
    """A benchmark's table, and those that the adapters of a run met."""
    layout = Layout(Path(), experiment.scale_name)
    return [layout.data(name) for name in tables_read(experiment, variant, benchmark)]
