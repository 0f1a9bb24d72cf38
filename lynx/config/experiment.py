"""What to run, resolved for one scale: every question that stages and rules ask of it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from pydantic import Field

from lynx.config.files import (
    BenchmarkConfig,
    MainConfig,
    ScaleConfig,
    SiteConfig,
    VariantConfig,
)
from lynx.config.stages import (
    AlignSettings,
    FrameSettings,
    LoraSettings,
    Recipe,
    SftSettings,
    ViewSettings,
)
from lynx.config.strict import Strict
from lynx.errors import InputError

MAIN_VARIANT = "lynx"


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

    @property
    def seed_variants(self) -> tuple[str, ...]:
        """Those, and the controls that tables over seeds show too, in the order of variants.yaml.

        Whoever says in the main file what is compared gets no other.
        """
        further = self.scale.seed_controls if self.main.compare_with is None else ()
        return self.in_order({*self.shown_variants, *further})

    def in_order(self, chosen: Collection[str]) -> tuple[str, ...]:
        """Those of the variants that are chosen, in the order of variants.yaml."""
        return tuple(name for name in self.variants if name in chosen)

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

    def other_views(self, frames: str) -> int:
        """How many files beside its video some stage draws X of a frames artefact's clips from.

        Stages may differ in it, where the recipe gives a reason; a clip must have the most.
        """
        names = self.framed(frames)
        item = self.benchmarks[names[0]]
        pooled = self.pooled.get(item.group)
        recipes = self.recipes if pooled is None else dict.fromkeys(names, pooled)
        drawn = [recipes[name].evaluate.view.drawing for name in names if name in recipes]
        if item.trained_on is None:  # else nothing is trained on these clips
            for name in self.group_benchmarks(item.group):
                if recipe := recipes.get(name):
                    drawn += [recipe.align.drawing, recipe.sft.view.drawing]
        return max(drawing.other_views for drawing in drawn)

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
