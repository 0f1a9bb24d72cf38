"""What to run, and where things are: the main file, scales, variants, benchmarks, the site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import Field

from lynx.config.stages import AlignSettings, Recipe, ViewSettings
from lynx.config.strict import Positive, Strict

Dtype = Literal["float32", "bfloat16"]
Device = Literal["auto", "cpu", "cuda"]
Stream = Literal["video", "aligned", "plain"]
"""The RGB stream, or the X stream with the vision adapter on (`aligned`) or off (`plain`)."""


class MainConfig(Strict):
    """`config/config.yaml`: the one file that a user edits to choose what runs."""

    scale: str
    recipe: str | None = Field(description="null takes the scale's own recipe")
    seed: Annotated[int, Field(ge=0)]
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        min_length=1, description="seeds that `rule tables` reports mean and spread of"
    )
    benchmarks: tuple[str, ...] = Field(min_length=1, description="what runs, in table order")
    compare_with: tuple[str, ...] | None = Field(
        description="variants shown beside lynx in results/<benchmark>; null takes the scale's own"
    )
    overrides: dict[str, object] = Field(
        description="dotted recipe keys and their values, applied to every benchmark"
    )


class WorldConfig(Strict):
    """A rendered, synthetic world of the demo scale; a scene of it becomes one clip."""

    seed: Annotated[int, Field(ge=0)]
    train_scenes: Positive
    val_scenes: Positive
    test_scenes: Positive
    frames_per_scene: Positive


class ScaleConfig(Strict):
    """`config/scales/<name>.yaml`: a base model and what goes with it."""

    base: str = Field(description="a folder under models/, in Hugging Face layout")
    hub: str = Field(description="where the base model comes from")
    recipe: str
    dtype: Dtype
    gpus: Annotated[int, Field(ge=0)] = Field(description="GPUs that a computing job asks for")
    compare_with: tuple[str, ...]
    worlds: dict[str, WorldConfig] = Field(
        description="render these worlds as raw data; empty where data come from the site"
    )


class VariantConfig(Strict):
    """Which streams a variant sees and whether its language adapter is trained."""

    x: Literal["none", "aligned", "plain", "repeat"]
    sft: bool

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams that the language model is shown, in the order of the sequence."""
        shown: dict[str, tuple[Stream, ...]] = {"none": (), "repeat": ("video",)}
        return ("video", *shown.get(self.x, (cast(Stream, self.x),)))


class BenchmarkConfig(Strict):
    """`config/benchmarks/<name>.yaml`."""

    group: str = Field(description="benchmarks of one group share frames and alignment")
    annotations: str = Field(description="key of site.data that holds the annotation files")
    clips: str = Field(description="key of site.data that holds the clips")
    world: str = Field(description="the rendered world that stands in for it at the demo scale")
    trained_on: str | None = Field(
        default=None,
        description="the benchmark of the group that its adapters are trained on; null: itself",
    )
    splits: tuple[str, ...] = Field(
        min_length=1,
        description="splits a recipe may name; the first one is for training, unless that is "
        "another benchmark's (`trained_on`)",
    )
    headline: tuple[str, ...] = Field(
        description="metrics shown first, in this order; none of a training set"
    )
    main_metric: str = Field(
        description="the one metric that tables over seeds show; of a training set, empty"
    )
    main_groups: str | None = Field(
        description="the grouping of questions that is shown beside it: `type` or a tag; or null"
    )


class SiteConfig(Strict):
    """`config/site.yaml`: facts about this machine; none of them changes a result."""

    data: dict[str, Path] = Field(description="raw data roots by name")
    models: Path = Field(description="the folder that holds the base models")
    feature_disk_gb: float = Field(
        ge=0.0, description="features are stored up to this size, streamed above it"
    )
    device: Device
    threads: Positive = Field(description="CPU threads of one job")
    workers: Positive = Field(description="processes that prepare data")


class Experiment(Strict):
    """Everything resolved for one configured scale, checked before the DAG is built."""

    main: MainConfig
    scale_name: str
    scale: ScaleConfig
    recipe_name: str
    recipes: dict[str, Recipe] = Field(description="by benchmark, exactly those of main.benchmarks")
    align_names: dict[str, str] = Field(
        description="benchmark, of main.benchmarks or trained on for one -> name of its alignment: "
        "the group's, or its own"
    )
    variants: dict[str, VariantConfig]
    benchmarks: dict[str, BenchmarkConfig] = Field(
        description="those of main.benchmarks and those whose training data they take"
    )
    site: SiteConfig

    @property
    def base_folder(self) -> Path:
        """Where the base model of this scale lies."""
        return self.site.models / self.scale.base

    @property
    def synthetic(self) -> bool:
        """Whether the raw data are rendered by this project."""
        return bool(self.scale.worlds)

    def world_of(self, benchmark: str) -> str | None:
        """The rendered world that a benchmark's raw data come from, if any is."""
        return self.benchmarks[benchmark].world if self.synthetic else None

    @property
    def compare_with(self) -> tuple[str, ...]:
        """Variants shown beside `lynx`."""
        return self.scale.compare_with if self.main.compare_with is None else self.main.compare_with

    def group_benchmarks(self, group: str) -> list[str]:
        """Benchmarks of one group, in name order: configured ones and sources of training clips."""
        return sorted(name for name, item in self.benchmarks.items() if item.group == group)

    def group_recipe(self, group: str) -> Recipe:
        """The recipe whose frames and reference sections hold for a whole group.

        Its align section does not: a benchmark may have an alignment of its own (`align_settings`).
        """
        return self.recipes[next(n for n in self.group_benchmarks(group) if n in self.recipes)]

    def align_settings(self, align: str) -> AlignSettings:
        """What decides the alignment artefact of this name (a value of `align_names`)."""
        return self.recipes[self._aligned(align)].align

    def align_group(self, align: str) -> str:
        """The group whose frames and reference an alignment is trained on."""
        return self.benchmarks[self._aligned(align)].group

    def trainer_of(self, benchmark: str) -> str:
        """The benchmark whose training split its adapters are trained on: most often itself."""
        return self.benchmarks[benchmark].trained_on or benchmark

    def training_split(self, benchmark: str) -> str:
        """The name of that split, in the benchmark that it belongs to."""
        return self.benchmarks[self.trainer_of(benchmark)].splits[0]

    def training_recipe(self, benchmark: str) -> Recipe:
        """The recipe whose sft section holds for all that are trained on the same benchmark."""
        trainer = self.trainer_of(benchmark)
        return self.recipes[next(n for n in self.recipes if self.trainer_of(n) == trainer)]

    def view_of(self, benchmark: str, split: str) -> ViewSettings:
        """What is shown of a split: the training split is seen as sft sees it, others as scored."""
        if self.is_training(benchmark, split):
            return self.training_recipe(benchmark).sft.view
        return self.recipes[benchmark].evaluate.view

    def is_training(self, benchmark: str, split: str) -> bool:
        """Whether a benchmark's split is one that adapters are trained on."""
        item = self.benchmarks[benchmark]
        return item.trained_on is None and split == item.splits[0]

    def splits_used(self, benchmark: str) -> tuple[str, ...]:
        """The splits that a run reads: its own training split, if any, and the one it scores."""
        item = self.benchmarks[benchmark]
        recipe = self.recipes.get(benchmark)  # None for a mere source of training data
        train = item.splits[:1] if item.trained_on is None else ()
        return train if recipe is None else (*train, recipe.evaluate.split)

    def _aligned(self, align: str) -> str:
        return next(name for name, used in self.align_names.items() if used == align)
