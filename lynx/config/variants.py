"""What the recipe keys of variants come to: recipes, and the alignments that differ from lynx's.

A variant that cannot run with the configured recipe is no fault of a run that does not ask for it,
so its sentence is kept until it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lynx.config.experiment import Alignment, VariantConfig, VariantPlan
from lynx.config.recipes import Overrides, RecipeSource, resolve
from lynx.config.stages import Recipe
from lynx.errors import InputError

VARIANTS = "config/variants.yaml"
# Frames, sources, drawings and views are not among them: benchmarks and variants share what is
# made of those.
ALIGN_KEYS = (
    "align.attention_weight",
    "align.moment_weight",
    "align.query_stride",
    "align.frame_chunk",
    "align.steps_per_item",
    "align.lora",
    "align.optimizer",
)
SFT_KEYS = ("sft.questions_per_clip", "sft.lora", "sft.optimizer")
EVALUATE_KEYS = (
    "evaluate.max_new_tokens",
    "evaluate.min_new_tokens",
    "evaluate.questions_per_batch",
)


@dataclass
class Planned:
    """Every alignment by name, and what became of each variant that has recipe keys."""

    alignments: dict[str, Alignment]
    plans: dict[str, VariantPlan] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


def keys_of(variant: VariantConfig) -> tuple[str, ...]:
    """The recipe keys, or what they start with, that decide something of a variant."""
    vision = {"aligned": ALIGN_KEYS}.get(variant.x, ())
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
    source: RecipeSource,
    scale: str,
    overrides: Overrides,
    variants: Mapping[str, VariantConfig],
    recipes: Mapping[str, Recipe],
) -> Planned:
    """Resolve every variant for the benchmarks of `recipes`, which are lynx's own.

    Raises `InputError` for a key that `read_keys` refuses; any other fault is kept.
    """
    alignments: dict[str, Alignment] = {}
    for benchmark, recipe in recipes.items():
        name = source.align_name(benchmark, scale)
        alignments.setdefault(name, _alignment(source, benchmark, recipe))
    planned = Planned(dict(alignments))
    for variant, keys in read_keys(variants).items():
        try:
            own = {name: resolve(source, name, scale, overrides, keys)[0] for name in recipes}
        except InputError as error:
            planned.faults[variant] = _named(variant, str(error))
            continue
        names: dict[str, str] = {}
        for benchmark, recipe in own.items():
            shared = source.align_name(benchmark, scale)
            alignment = _alignment(source, benchmark, recipe)
            if alignment != alignments[shared]:
                names[source.names.trainers[benchmark]] = f"{shared}-{variant}"
                planned.alignments[f"{shared}-{variant}"] = alignment
        planned.plans[variant] = VariantPlan(recipes=own, align_names=names)
    return planned


def _alignment(source: RecipeSource, benchmark: str, recipe: Recipe) -> Alignment:
    return Alignment(group=source.names.groups[benchmark], settings=recipe.align)


def _named(variant: str, sentence: str) -> str:
    """A sentence that names the variant: that of a value is there already, others lack it."""
    named = sentence.startswith(f"{VARIANTS}: ")
    return sentence if named else f"{VARIANTS}: variant '{variant}': {sentence}"
