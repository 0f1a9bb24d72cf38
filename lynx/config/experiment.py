"""What to run, and where things are: the main file, scales, variants, benchmarks, the site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import Field, model_validator

from lynx.config.gpu_targets import GpuTargetName
from lynx.config.stages import (
    AlignSettings,
    FrameSettings,
    LoraSettings,
    Recipe,
    SftSettings,
    ViewSettings,
)
from lynx.config.strict import Fraction, Positive, Strict
from lynx.errors import InputError

MAIN_VARIANT = "lynx"
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
    val_scenes: Annotated[int, Field(ge=0)]
    test_scenes: Annotated[int, Field(ge=0)]
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
    """Which streams a variant sees, which of its adapters is trained, and with what numbers."""

    x: Literal["none", "aligned", "plain", "repeat", "joint"]
    sft: bool
    recipe: dict[str, object] = Field(
        default={},
        description="dotted recipe keys and their values, laid over each benchmark's recipe",
    )

    @model_validator(mode="after")
    def _joint_is_trained(self) -> VariantConfig:
        if self.x == "joint" and not self.sft:
            raise ValueError(
                "x: joint trains the vision adapter in stage 3, but sft is false; set it to true"
            )
        return self

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams that the language model is shown, in the order of the sequence."""
        shown: dict[str, tuple[Stream, ...]] = {
            "none": (),
            "repeat": ("video",),
            "joint": ("aligned",),
        }
        return ("video", *shown.get(self.x, (cast(Stream, self.x),)))

    @property
    def training_streams(self) -> tuple[Stream, ...]:
        """Those that stage 3 reads as features: the X of `joint` is encoded in its steps."""
        return ("video",) if self.x == "joint" else self.streams


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
    allow_missing: Fraction = Field(
        default=0.0,
        description="share of the training questions that may be unusable, such as empty ones; "
        "above it the data rule fails",
    )
    headline: tuple[str, ...] = Field(
        description="metrics shown first, in this order; none of a training set"
    )
    main_metric: str = Field(
        description="the one metric that tables over seeds show; of a training set, empty"
    )
    main_groups: tuple[str, ...] = Field(
        description="the groupings of questions that are shown beside it: `type`, or tags"
    )


class SlurmConfig(Strict):
    """The cluster of `--profile slurm`; what is null is left to the cluster's own defaults."""

    account: str | None = Field(default=None, description="who is charged")
    partition: str | None = Field(default=None, description="where jobs go")
    gpu_model: str | None = Field(
        default=None, description="type of the GPUs that jobs ask for; null: any"
    )


class SiteConfig(Strict):
    """`config/site.yaml`: facts about this machine; none of them changes a result."""

    data: dict[str, Path] = Field(description="raw data roots by name")
    models: Path = Field(description="the folder that holds the base models")
    feature_disk_gb: float = Field(
        ge=0.0, description="features are stored up to this size, streamed above it"
    )
    gpu_target: GpuTargetName = Field(
        default="cpu", description="the environment of the jobs and how they compute attention"
    )
    device: Device
    threads: Positive = Field(description="CPU threads of one job")
    workers: Positive = Field(description="processes that prepare data")
    zero: Literal[2, 3] | None = Field(
        default=2,
        description="DeepSpeed's ZeRO stage of trainings on several GPUs: 2 divides moments and "
        "gradients over them, 3 the base model too; null: neither",
    )
    slurm: SlurmConfig = Field(
        default_factory=SlurmConfig, description="the cluster that jobs are sent to"
    )


class Alignment(Strict):
    """What decides one vision adapter of stage 2, whoever reads its tokens."""

    group: str = Field(description="whose frames it is trained on")
    settings: AlignSettings
    references: tuple[str, ...] = Field(description="groups whose references it meets, pooled")

    def equals(self, other: Alignment) -> bool:
        """Whether both give the same adapter; references may be named in several ways."""
        own, others = (
            item.settings.model_copy(update={"references": item.references})
            for item in (self, other)
        )
        return (self.group, own) == (other.group, others)


class VariantPlan(Strict):
    """What the recipe keys of a variant come to."""

    recipes: dict[str, Recipe] = Field(description="by benchmark, those of main.benchmarks")
    align_names: dict[str, str] = Field(
        description="benchmark that is trained on -> an alignment of its own; others are lynx's"
    )


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
    alignments: dict[str, Alignment] = Field(description="by name: lynx's and its variants'")
    variants: dict[str, VariantConfig]
    plans: dict[str, VariantPlan] = Field(description="of the variants that have recipe keys")
    faults: dict[str, str] = Field(
        description="variants that cannot run with these recipes, and the sentence that says why"
    )
    benchmarks: dict[str, BenchmarkConfig] = Field(
        description="those of main.benchmarks, those whose training data they take, and those "
        "whose video a reference of another group takes"
    )
    pooled: dict[str, Recipe] = Field(
        description="group of which nothing runs but its reference -> a recipe of it"
    )
    pooled_splits: dict[str, str] = Field(
        description="benchmark of such a group -> the split that a run of it scores: its tables "
        "are the same whoever reads them"
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

    @property
    def shown_variants(self) -> tuple[str, ...]:
        """`lynx`, and those beside it."""
        return tuple(dict.fromkeys((MAIN_VARIANT, *self.compare_with)))

    def frames_of(self, benchmark: str) -> str:
        """The frames artefact with a benchmark's clips: its group's, or its own if it only scores.

        So scoring one benchmark more leaves what was trained as it is.
        """
        item = self.benchmarks[benchmark]
        return item.group if item.trained_on is None else benchmark

    def framed(self, frames: str) -> list[str]:
        """Benchmarks whose clips stand in one frames artefact, in name order."""
        return sorted(name for name in self.benchmarks if self.frames_of(name) == frames)

    def frame_settings(self, frames: str) -> FrameSettings:
        """What decides a frames artefact: the same for a whole group."""
        return self.group_recipe(self.benchmarks[self.framed(frames)[0]].group).frames

    @property
    def groups(self) -> list[str]:
        """Every group that there is a reference of, in name order: `pooled` ones too."""
        return sorted({item.group for item in self.benchmarks.values()})

    def group_benchmarks(self, group: str) -> list[str]:
        """Benchmarks of one group, in name order: configured ones and sources of training clips."""
        return sorted(name for name, item in self.benchmarks.items() if item.group == group)

    def group_recipe(self, group: str) -> Recipe:
        """The recipe whose frames and reference sections hold for a whole group.

        Its align section does not: a benchmark may have an alignment of its own (`align_settings`).
        """
        if group in self.pooled:
            return self.pooled[group]
        return self.recipes[next(n for n in self.group_benchmarks(group) if n in self.recipes)]

    def align_settings(self, align: str) -> AlignSettings:
        """What decides the alignment artefact of this name (one of `alignments`)."""
        return self.alignments[align].settings

    def align_group(self, align: str) -> str:
        """The group whose frames an alignment is trained on."""
        return self.alignments[align].group

    def recipe_of(self, variant: str, benchmark: str) -> Recipe:
        """The recipe of a benchmark with the keys of a variant laid over it.

        Raises `InputError` for a variant that cannot run with the configured recipe.
        """
        plan = self._plan(variant)
        return self.recipes[benchmark] if plan is None else plan.recipes[benchmark]

    def align_name(self, variant: str, benchmark: str) -> str:
        """The alignment whose adapter draws a variant's X: lynx's, or its own where it differs."""
        plan = self._plan(variant)
        names = {} if plan is None else plan.align_names
        return names.get(self.trainer_of(benchmark), self.align_names[benchmark])

    def has_own_vision(self, variant: str, benchmark: str) -> bool:
        """Whether a variant's X is read by a vision adapter other than lynx's."""
        if self.variants[variant].x == "joint":
            return True
        return self.align_name(variant, benchmark) != self.align_names[benchmark]

    def _plan(self, variant: str) -> VariantPlan | None:
        if variant in self.faults:
            raise InputError(self.faults[variant])
        return self.plans.get(variant)

    def read_by_default(self) -> dict[str, BenchmarkConfig]:
        """The benchmarks whose raw data lynx and the variants beside it read."""
        names = [
            self.align_name(variant, benchmark)
            for variant in self.shown_variants
            for benchmark in self.recipes
        ]
        unread = set(self.pooled) - {
            group for n in names for group in self.alignments[n].references
        }
        return {name: item for name, item in self.benchmarks.items() if item.group not in unread}

    def trainer_of(self, benchmark: str) -> str:
        """The benchmark whose training split its adapters are trained on: most often itself."""
        return self.benchmarks[benchmark].trained_on or benchmark

    def training_split(self, benchmark: str) -> str:
        """The name of that split, in the benchmark that it belongs to."""
        return self.benchmarks[self.trainer_of(benchmark)].splits[0]

    def training_recipe(self, benchmark: str) -> Recipe:
        """The recipe whose sft section holds for all that are trained on the same benchmark."""
        return self.recipes[self._trained_alike(benchmark)]

    def sft_settings(self, variant: str, benchmark: str) -> SftSettings:
        """Stage 3 of a variant; one for all that are trained on the same benchmark."""
        return self.recipe_of(variant, self._trained_alike(benchmark)).sft

    def vision_lora(self, variant: str, benchmark: str) -> LoraSettings:
        """The vision adapter of a variant, wherever it is trained."""
        return self.recipe_of(variant, self._trained_alike(benchmark)).align.lora

    def adapter_ranks(self, variant: str, benchmark: str) -> dict[str, int]:
        """The rank of each adapter that a variant trains, by role."""
        chosen, ranks = self.variants[variant], dict[str, int]()
        if chosen.x in ("aligned", "joint"):
            ranks["vision"] = self.vision_lora(variant, benchmark).rank
        if chosen.sft:
            ranks["language"] = self.sft_settings(variant, benchmark).lora.rank
        return ranks

    def _trained_alike(self, benchmark: str) -> str:
        trainer = self.trainer_of(benchmark)
        return next(name for name in self.recipes if self.trainer_of(name) == trainer)

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
        scored = self.pooled_splits.get(benchmark) if recipe is None else recipe.evaluate.split
        return train if scored is None else (*train, scored)
