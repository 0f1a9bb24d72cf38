"""What each YAML file of `config/` holds: the main file, scales, variants, benchmarks, the site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import Field, model_validator

from lynx.config.gpu_targets import GpuTargetName
from lynx.config.strict import Fraction, Positive, Strict

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
        description="variants shown beside lynx in results/<benchmark>; null takes the scale's "
        "own, and its seed_controls"
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
    compare_with: tuple[str, ...] = Field(
        description="variants shown beside lynx in results/<benchmark>; `all` runs them"
    )
    seed_controls: tuple[str, ...] = Field(
        default=(),
        description="variants that tables over seeds show too; `experiments` runs them, unless the "
        "main file says itself what is compared",
    )
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
    deterministic: bool = Field(
        default=False,
        description="kernels that give the same bits in every run on one device, some of them "
        "slower; a CPU does so without",
    )
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
