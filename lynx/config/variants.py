"""What the recipe keys of variants come to: recipes, alignments, and the references these meet.

A variant that cannot run with the configured recipe is no fault of a run that does not ask for it,
so its sentence is kept until it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from lynx.config.checks import check_site, check_sources, check_world
from lynx.config.experiment import Alignment, Experiment, VariantPlan
from lynx.config.explain import Locate
from lynx.config.files import BenchmarkConfig, VariantConfig
from lynx.config.overrides import Overrides
from lynx.config.recipes import RecipeSource, resolve
from lynx.config.stages import Recipe
from lynx.errors import InputError

VARIANTS = "config/variants.yaml"
# Frames, sources, drawings and views are not among them: benchmarks and variants share what is
# made of those.
ALIGN_KEYS = (
    "align.references",
    "align.attention_weight",
    "align.moment_weight",
    "align.query_stride",
    "align.frame_chunk",
    "align.steps_per_item",
    "align.lora",
    "align.optimizer",
)
JOINT_KEYS = ("align.lora",)
SFT_KEYS = ("sft.questions_per_clip", "sft.lora", "sft.optimizer")
EVALUATE_KEYS = (
    "evaluate.max_new_tokens",
    "evaluate.min_new_tokens",
    "evaluate.questions_per_batch",
)
Resolved = dict[str, tuple[Recipe, Locate]]
"""Recipes by benchmark, each with where its values stand."""


def keys_of(variant: VariantConfig) -> tuple[str, ...]:
    """The recipe keys, or what they start with, that decide something of a variant."""
    vision = {"aligned": ALIGN_KEYS, "joint": JOINT_KEYS}.get(variant.x, ())
    return (*vision, *(SFT_KEYS if variant.sft else ()), *EVALUATE_KEYS)


def read_keys(variants: Mapping[str, VariantConfig]) -> dict[str, Overrides]:
    """The recipe keys of each variant that has some.

    Raises `InputError` for a key that no recipe has, or that decides nothing of its variant.
    """
    found: dict[str, Overrides] = {}
    for name, variant in variants.items():
        known = keys_of(variant)
        for key in variant.recipe:
            if not any(f"{key}.".startswith(f"{each}.") for each in known):
                Overrides.parse(VARIANTS, {key: None}, f"{name}.recipe")  # a slip has a better one
                raise InputError(
                    f"{VARIANTS}: key '{name}.recipe.{key}' decides nothing that a variant with "
                    f"x: {variant.x} and sft: {str(variant.sft).lower()} may have of its own; "
                    f"remove it, or set one of {', '.join(known)}"
                )
        if variant.recipe:
            found[name] = Overrides.parse(VARIANTS, variant.recipe, f"{name}.recipe")
    return found


def plan_variants(
    experiment: Experiment,
    source: RecipeSource,
    overrides: Overrides,
    known: Mapping[str, BenchmarkConfig],
) -> Experiment:
    """The experiment with its alignments, its variants' plans, and what their references take.

    `known` are all benchmarks there are. Raises `InputError` about lynx's own references, or for a
    key that `read_keys` refuses; any other fault of a variant is kept.
    """
    planner = _Planner(source, experiment.scale_name, overrides, known)
    keys = read_keys(experiment.variants)
    planned = planner.lynx(experiment)
    for variant, own in keys.items():
        try:
            planned = planner.variant(planned, variant, own)
        except InputError as error:
            faults = {**planned.faults, variant: _named(variant, str(error))}
            planned = planned.model_copy(update={"faults": faults})
    return planned


@dataclass(frozen=True)
class _Planner:
    source: RecipeSource
    scale: str
    overrides: Overrides
    known: Mapping[str, BenchmarkConfig]

    def lynx(self, experiment: Experiment) -> Experiment:
        """Lynx's own alignments."""
        found: dict[str, Alignment] = {}
        for name, (recipe, locate) in self._resolve(experiment).items():
            shared = self.source.align_name(name, self.scale)
            found.setdefault(shared, self._alignment(name, recipe, locate))
        return self._pulled(experiment.model_copy(update={"alignments": found}))

    def variant(self, experiment: Experiment, variant: str, keys: Overrides) -> Experiment:
        """A variant's recipes, and its alignments that are not lynx's."""
        resolved = self._resolve(experiment, keys)
        alignments, names = dict(experiment.alignments), dict[str, str]()
        aligned = experiment.variants[variant].x == "aligned"
        for benchmark, (recipe, locate) in resolved.items() if aligned else ():
            shared = self.source.align_name(benchmark, self.scale)
            alignment = self._alignment(benchmark, recipe, locate)
            if not alignment.equals(alignments[shared]):
                names[self.source.names.trainers[benchmark]] = f"{shared}-{variant}"
                alignments[f"{shared}-{variant}"] = alignment
        recipes = {name: recipe for name, (recipe, _) in resolved.items()}
        plans = {**experiment.plans, variant: VariantPlan(recipes=recipes, align_names=names)}
        return self._pulled(
            experiment.model_copy(update={"alignments": alignments, "plans": plans})
        )

    def _resolve(self, experiment: Experiment, *keys: Overrides) -> Resolved:
        return {
            name: resolve(self.source, name, self.scale, self.overrides, *keys)
            for name in experiment.recipes
        }

    def _alignment(self, benchmark: str, recipe: Recipe, locate: Locate) -> Alignment:
        group, wanted = self.source.names.groups[benchmark], recipe.align.references
        references: tuple[str, ...] = (group,)
        if wanted != "own":
            drawn = self.drawn
            modalities = set(drawn.values()) if wanted == "all" else set(wanted)
            references = tuple(name for name in sorted(drawn) if drawn[name] in modalities)
            for modality in sorted(modalities - set(drawn.values())):
                file, key = locate(("align", "references"))
                raise InputError(
                    f"{file}: key '{key}' names '{modality}', but {self.source.name} draws no X "
                    f"so at scale '{self.scale}'; choose among "
                    f"{', '.join(sorted(set(drawn.values())))}"
                )
        return Alignment(group=group, settings=recipe.align, references=references)

    @cached_property
    def drawn(self) -> dict[str, str]:
        """Group -> the modality of its X, of all groups that the recipe has numbers for."""
        groups = self.source.names.groups
        return {
            groups[name]: resolve(self.source, name, self.scale)[0].align.drawing.modality
            for name in sorted(groups)
            if self.source.has(name, self.scale)
        }

    def _pulled(self, experiment: Experiment) -> Experiment:
        """With the groups that references are taken from and that nothing else runs of."""
        wanted = {group for item in experiment.alignments.values() for group in item.references}
        for group in sorted(wanted - {item.group for item in experiment.benchmarks.values()}):
            experiment = self._pull(experiment, group)
        return experiment

    def _pull(self, experiment: Experiment, group: str) -> Experiment:
        """With one more group: the benchmarks that its reference reads, and its recipe."""
        source, scale = self.source, self.scale
        held = (name for name in sorted(self.known) if source.has(name, scale))
        holder = next(name for name in held if source.names.groups[name] == group)
        recipe, locate = resolve(source, holder, scale, self.overrides)
        names = sorted({*recipe.reference.sources, *recipe.align.sources} & set(self.known))
        scored = {
            name: resolve(source, name, scale, self.overrides)[0].evaluate.split
            for name in names
            if source.has(name, scale)
        }
        pulled = experiment.model_copy(
            update={
                "benchmarks": experiment.benchmarks | {name: self.known[name] for name in names},
                "pooled": {**experiment.pooled, group: recipe},
                "pooled_splits": experiment.pooled_splits | scored,
            }
        )
        check_sources(group, recipe, pulled, self.known, locate)
        for name in names:
            check_world(name, recipe, pulled, locate)
        if not pulled.synthetic:
            check_site(pulled, names)
        return pulled


def _named(variant: str, sentence: str) -> str:
    """A sentence that names the variant: that of a value is there already, others lack it."""
    named = sentence.startswith(f"{VARIANTS}: ")
    return sentence if named else f"{VARIANTS}: variant '{variant}': {sentence}"
