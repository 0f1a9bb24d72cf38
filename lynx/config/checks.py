"""Checks across files: what each model alone cannot see."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from lynx.config.experiment import MAIN_VARIANT, Experiment
from lynx.config.explain import Locate, unknown_name
from lynx.config.files import BenchmarkConfig
from lynx.config.stages import Recipe, RgbdFrames
from lynx.errors import InputError


def check_experiment(
    experiment: Experiment, known: Collection[str], places: Mapping[str, Locate]
) -> None:
    """Raise `InputError` about the first thing on which two configuration files disagree.

    `known` are all benchmarks there are; `places` tells where a value of a recipe stands.
    """
    _check_names(experiment)
    for name, recipe in experiment.recipes.items():
        item = experiment.benchmarks[name]
        _check_split(name, recipe, item, places[name])
        check_sources(item.group, recipe, experiment, known, places[name])
        check_world(name, recipe, experiment, places[name])
    if not experiment.synthetic:
        check_site(experiment, experiment.benchmarks)


def check_chosen_variants(experiment: Experiment) -> None:
    """Raise `InputError` about a variant that is to be shown and cannot run."""
    for variant in experiment.seed_variants:
        if variant in experiment.faults:
            raise InputError(experiment.faults[variant])


def _check_names(experiment: Experiment) -> None:
    if MAIN_VARIANT not in experiment.variants:
        raise InputError(
            f"config/variants.yaml: has no variant '{MAIN_VARIANT}', which every result starts "
            "from; add it"
        )
    for name, item in experiment.benchmarks.items():
        if item.group in experiment.benchmarks:  # both name alignments
            raise InputError(
                f"config/benchmarks/{name}.yaml: group '{item.group}' is also the name of a "
                "benchmark; rename the group"
            )


def _check_split(name: str, recipe: Recipe, item: BenchmarkConfig, locate: Locate) -> None:
    train, others = item.splits[:1], item.splits[1:]
    if item.trained_on is not None:
        train, others = (), item.splits
    file, key = locate(("evaluate", "split"))
    split = recipe.evaluate.split
    if split in train:
        raise InputError(
            f"{file}: key '{key}' is '{split}', but evaluation refuses a training split; "
            f"choose one of {', '.join(others)}"
        )
    if split not in others:
        raise InputError(
            f"{file}: key '{key}' is '{split}', which {name} does not have; "
            f"choose one of {', '.join(others)}"
        )


def check_sources(
    group: str, recipe: Recipe, experiment: Experiment, known: Collection[str], locate: Locate
) -> None:
    """A group's reference and alignment take training clips of its own benchmarks alone."""
    chosen = {"reference": recipe.reference.sources, "align": recipe.align.sources}
    for section, sources in chosen.items():
        file, key = locate((section, "sources"))
        for source in sources:
            if source not in known:
                raise unknown_name(f"{file}: {key}", "benchmark", source, known)
            if experiment.benchmarks[source].trained_on is not None:
                raise InputError(
                    f"{file}: key '{key}' names '{source}', which has no training split; name "
                    f"'{experiment.trainer_of(source)}', which it is trained on"
                )
            if experiment.benchmarks[source].group != group:
                raise InputError(
                    f"{file}: key '{key}' names '{source}' of group "
                    f"'{experiment.benchmarks[source].group}', expected benchmarks of '{group}'"
                )


def check_world(name: str, recipe: Recipe, experiment: Experiment, locate: Locate) -> None:
    """The rendered world of a benchmark exists and has the frames that its recipe takes."""
    scale_file = f"config/scales/{experiment.scale_name}.yaml"
    world_name = experiment.world_of(name)
    if world_name is None:
        return
    world = experiment.scale.worlds.get(world_name)
    if world is None:
        raise InputError(
            f"{scale_file}: key 'worlds.{world_name}' is missing, but "
            f"config/benchmarks/{name}.yaml takes its data from that rendered world; add it"
        )
    frames = recipe.frames
    if isinstance(frames, RgbdFrames) and frames.per_scene > world.frames_per_scene:
        file, key = locate(("frames", "per_scene"))
        raise InputError(
            f"{file}: key '{key}' is {frames.per_scene}, but a scene of the rendered world "
            f"has {world.frames_per_scene} frames ({scale_file}, "
            f"worlds.{world_name}.frames_per_scene); lower one or raise the other"
        )


def check_site(experiment: Experiment, names: Collection[str]) -> None:
    """The site says where the raw data of these benchmarks lie."""
    data = experiment.site.data
    for name in names:
        item = experiment.benchmarks[name]
        for field, key in {"annotations": item.annotations, "clips": item.clips}.items():
            if key not in data:
                raise InputError(
                    f"config/site.yaml: key 'data.{key}' is missing, but "
                    f"config/benchmarks/{name}.yaml takes its {field} from there; add the folder"
                )
