"""Recipe files: one entry per section, group or benchmark, and scale, laid over one another.

    section:            frames, reference, align, sft, evaluate
      name:             a group (frames, reference, align) or a benchmark (align, sft, evaluate)
        all: {...}      holds for every scale
        <scale>: {...}  laid over `all`

Alignment is shared by a group. A benchmark that has an entry of its own in `align` for the scale
gets its own alignment: that entry laid over the group's. One that is trained on another benchmark
takes that one's entries in `align` and `sft`, and has none of its own there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from lynx.config.drawing import drawing_models
from lynx.config.explain import (
    KeyPath,
    Locate,
    dotted,
    in_file,
    unknown_name,
    validate,
)
from lynx.config.overrides import Overrides
from lynx.config.stages import Recipe
from lynx.config.strict import Strict
from lynx.config.yaml_files import deep_merge
from lynx.errors import InputError

ALL = "all"
Entries = dict[str, dict[str, dict[str, object]]]


class RecipeFile(Strict):
    """`config/recipes/<name>.yaml` before it is resolved for a benchmark and a scale."""

    frames: Entries
    reference: Entries
    align: Entries
    sft: Entries
    evaluate: Entries


@dataclass(frozen=True)
class Names:
    """The names that a recipe file may use."""

    groups: Mapping[str, str]
    """Group by benchmark."""
    trainers: Mapping[str, str]
    """Benchmark -> the one that it is trained on, itself or another."""
    scored: frozenset[str]
    """Benchmarks with a split to score."""
    scales: frozenset[str]


@dataclass(frozen=True)
class RecipeSource:
    """A recipe file that is well-formed and complete for every pair that it names."""

    name: str
    """The file, as errors call it."""
    file: RecipeFile
    names: Names

    @property
    def scales(self) -> list[str]:
        """Scales that the file has numbers for."""
        sections = self.file.model_dump().values()
        keys = {scale for section in sections for entry in section.values() for scale in entry}
        return sorted(keys - {ALL})

    def has(self, benchmark: str, scale: str) -> bool:
        """Whether the file names this pair: evaluate, or sft of its own, hold something for it."""
        own = self.names.trainers[benchmark] == benchmark
        sections = (self.file.sft, self.file.evaluate) if own else (self.file.evaluate,)
        found = any({ALL, scale} & set(section.get(benchmark, {})) for section in sections)
        return scale in self.scales and benchmark in self.names.scored and found

    def align_name(self, benchmark: str, scale: str) -> str:
        """The alignment that a benchmark uses: its own where the file has one, else its group's."""
        trainer = self.names.trainers[benchmark]
        own = {ALL, scale} & set(self.file.align.get(trainer, {}))
        return trainer if own else self.names.groups[benchmark]

    def layers(self, section: str, benchmark: str, scale: str) -> list[KeyPath]:
        """Paths of the entries that make up one section, the later laid over the earlier."""
        entries: Entries = getattr(self.file, section)
        return [
            (section, name, key)
            for name in self.entry_names(section, benchmark)
            for key in (ALL, scale)
            if key in entries.get(name, {})
        ]

    def entry_names(self, section: str, benchmark: str) -> tuple[str, ...]:
        """Whose entries a section of a benchmark's recipe is made of."""
        group, trainer = self.names.groups[benchmark], self.names.trainers[benchmark]
        shared = {"frames": (group,), "reference": (group,), "align": (group, trainer)}
        return (shared | {"sft": (trainer,)}).get(section, (benchmark,))

    def entry(self, layer: KeyPath) -> dict[str, Any]:
        """The values that stand at one layer."""
        section, name, key = layer
        values: dict[str, Any] = getattr(self.file, str(section))[name][key]
        return values


def read_recipe(name: str, data: dict[str, Any], names: Names) -> RecipeSource:
    """Check a recipe file: its layout, its names, and that every pair it names is complete.

    Raises `InputError` about the first fault.
    """
    source = RecipeSource(name, validate(TypeAdapter(RecipeFile), data, in_file(name)), names)
    _check_names(source, names)
    for scale in source.scales:
        for benchmark in sorted(names.groups):
            if source.has(benchmark, scale):
                resolve(source, benchmark, scale)
    return source


def _check_names(source: RecipeSource, names: Names) -> None:
    groups, benchmarks = set(names.groups.values()), set(names.groups)
    allowed = {"frames": groups, "reference": groups, "align": groups | benchmarks}
    for section, entries in source.file.model_dump().items():
        known = allowed.get(section, benchmarks)
        kind = "benchmark" if known is benchmarks else "group"
        for name, entry in entries.items():
            if name not in known:
                raise unknown_name(f"{source.name}: {section}", kind, name, known)
            _check_section(source.name, section, name, names)
            for scale in entry:
                if scale not in names.scales | {ALL}:
                    where = f"{source.name}: {section}.{name}"
                    raise unknown_name(where, "scale", scale, names.scales | {ALL})


def _check_section(file: str, section: str, name: str, names: Names) -> None:
    """A benchmark has entries only where it does something itself: train, or be scored."""
    trainer = names.trainers.get(name, name)
    if section in ("align", "sft") and trainer != name:
        raise InputError(
            f"{file}: key '{section}.{name}' is for a benchmark that is trained on '{trainer}' "
            f"(config/benchmarks/{name}.yaml, trained_on); write it as '{section}.{trainer}'"
        )
    if section == "evaluate" and name not in names.scored:
        raise InputError(
            f"{file}: key 'evaluate.{name}' is for a benchmark that has a training split only; "
            "remove it"
        )


def resolve(
    source: RecipeSource, benchmark: str, scale: str, *overrides: Overrides
) -> tuple[Recipe, Locate]:
    """The recipe of one benchmark at one scale, and where each of its values stands.

    Later overrides are laid over earlier ones.
    Raises `InputError` if the file lacks the pair, a value is missing or wrong, or values disagree.
    """
    if scale not in source.scales:
        raise InputError(
            f"{source.name}: has no numbers for scale '{scale}', only for "
            f"{', '.join(source.scales) or 'none'}; choose another recipe or add them"
        )
    if not source.has(benchmark, scale):
        held = [name for name in sorted(source.names.groups) if source.has(name, scale)]
        raise InputError(
            f"{source.name}: has no numbers for benchmark '{benchmark}' at scale '{scale}', only "
            f"for {', '.join(held) or 'none'}; choose another recipe or add them"
        )
    tree: dict[str, Any] = {}
    for section in RecipeFile.model_fields:
        for entry in source.layers(section, benchmark, scale):
            tree[section] = deep_merge(tree.get(section, {}), source.entry(entry))
    for layer in overrides:
        for path, value in layer.values.items():
            _put(tree, path, value)
    locate = _locator(source, benchmark, scale, overrides)
    return validate(_adapter(tuple(drawing_models())), tree, locate), locate


@lru_cache(maxsize=4)
def _adapter(modalities: tuple[str, ...]) -> TypeAdapter[Recipe]:
    """The checker of recipes that draw with these modalities; a hundred are resolved at a load."""
    return TypeAdapter(Recipe)


def _put(tree: dict[str, Any], path: KeyPath, value: object) -> None:
    """Set one value; mappings on the way are copied, since they belong to the recipe file."""
    for part in path[:-1]:
        tree[str(part)] = dict(tree.get(str(part), {}))
        tree = tree[str(part)]
    tree[str(path[-1])] = value


def _locator(
    source: RecipeSource, benchmark: str, scale: str, overrides: Sequence[Overrides]
) -> Locate:
    def locate(path: KeyPath) -> tuple[str, str]:
        if not path:
            return f"{source.name} ({benchmark} at {scale})", ""
        for chosen in reversed(overrides):
            if chosen.covering(path) is not None:
                return chosen.name, f"{chosen.key}.{dotted(path)}"
        section, rest = str(path[0]), path[1:]
        layers = source.layers(section, benchmark, scale)
        holders = [layer for layer in layers if _holds(source.entry(layer), rest)]
        # A key that is missing altogether belongs into the entry that is most particular.
        missing = (section, source.entry_names(section, benchmark)[0], scale)
        layer = (holders or layers or [missing])[-1]
        return source.name, dotted((*layer, *rest))

    return locate


def _holds(values: object, path: KeyPath) -> bool:
    for part in path:
        if isinstance(part, int):
            return isinstance(values, list)
        if not isinstance(values, dict) or part not in values:
            return False
        values = values[part]
    return True
