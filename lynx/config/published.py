"""`config/published.yaml`: the publication's tables, and which of our runs stand under a row."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from pydantic import Field, TypeAdapter, model_validator

from lynx.config.experiment import Experiment
from lynx.config.explain import in_file, unknown_name, validate
from lynx.config.strict import Strict
from lynx.config.yaml_files import names_in, read_mapping

PUBLISHED = "config/published.yaml"
Unit = Literal["x100", "millions", "one"]
FACTORS: dict[Unit, float] = {"x100": 100.0, "millions": 1e-6, "one": 1.0}
"""Printed values, of one in the files of runs."""


class Column(Strict):
    """One figure of a method, and where it is found of a run: nowhere, if nothing is said."""

    title: str
    unit: Unit = Field(description="what its values are printed in: x100 of fractions and CIDEr")
    benchmark: str | None = None
    metric: str | None = None
    group: tuple[str, str] | None = Field(
        default=None, description="a grouping of the metrics and one of its groups; null: all"
    )
    parameters: bool = Field(default=False, description="what a run trains, in millions")
    videos: bool = Field(default=False, description="videos of the references behind a run")
    measure: tuple[Literal["geometry", "stability"], str] | None = Field(
        default=None, description="results/<scale>/<first>.json and the dotted key in it"
    )
    digits: int = Field(default=1, ge=0, le=6, description="after the point")

    @property
    def factor(self) -> float:
        """A value as printed, over the value in the files of runs."""
        return FACTORS[self.unit]

    @model_validator(mode="after")
    def _one_source(self) -> Column:
        if (self.benchmark is None) != (self.metric is None):
            raise ValueError("benchmark and metric belong together; give both or neither")
        measured, counted = self.measure is not None, self.parameters + self.videos
        if (self.benchmark is not None) + counted + measured > 1:
            raise ValueError(
                "found in several places; keep one of benchmark, parameters, videos, measure"
            )
        return self


class Counterpart(Strict):
    """The runs of ours that a published row is compared with."""

    scale: str
    variant: str | None = Field(
        default=None, description="null: what is measured of the base model alone"
    )


class PublishedRow(Strict):
    """A method and its figures in the columns' order, as printed."""

    method: str
    values: tuple[float | None, ...]
    ours: Counterpart | None = None


class PublishedTable(Strict):
    """One table of the publication."""

    number: str
    title: str
    note: str = ""
    columns: tuple[Column, ...]
    controls: tuple[str, ...] = Field(
        default=(), description="variants of ours that no published row stands for"
    )
    rows: tuple[PublishedRow, ...]

    @model_validator(mode="after")
    def _columns_differ(self) -> PublishedTable:
        titles = [column.title for column in self.columns]
        for title in titles:
            if titles.count(title) > 1:
                raise ValueError(
                    f"{titles.count(title)} columns are called {title!r}, expected a title of its "
                    "own for each: lines of the CSV are told apart by it; rename them"
                )
        return self

    @model_validator(mode="after")
    def _rows_fit(self) -> PublishedTable:
        for row in self.rows:
            if len(row.values) != len(self.columns):
                raise ValueError(
                    f"row {row.method!r} has {len(row.values)} values, expected one for each of "
                    f"the {len(self.columns)} columns; write null where nothing is published"
                )
        return self

    def stem(self, name: str) -> str:
        """What its files are called, e.g. `2-depth`; `name` is its key."""
        return f"{self.number.lower()}-{name}"

    @property
    def benchmarks(self) -> tuple[str, ...]:
        """Those that its columns read, in their order."""
        found = (column.benchmark for column in self.columns)
        return tuple(dict.fromkeys(name for name in found if name is not None))

    @property
    def variants(self) -> tuple[str, ...]:
        """Those of ours that it shows."""
        named = (row.ours.variant for row in self.rows if row.ours is not None)
        return tuple(dict.fromkeys([*(name for name in named if name), *self.controls]))


class Published(Strict):
    """The publication's tables by the name of their files."""

    source: str
    shown_under: dict[str, str] = Field(
        default={}, description="a scale of ours -> the published scale whose rows it stands under"
    )
    tables: dict[str, PublishedTable]

    @property
    def controls(self) -> tuple[str, ...]:
        """Variants of ours that stand in some table without a published row."""
        found = (name for table in self.tables.values() for name in table.controls)
        return tuple(dict.fromkeys(found))

    def scales_under(self, counterpart: Counterpart, scales: Collection[str]) -> list[str]:
        """Scales of ours that stand under a row, its own first."""
        stand_ins = (name for name in scales if self.shown_under.get(name) == counterpart.scale)
        return [name for name in (counterpart.scale, *stand_ins) if name in scales]


def published_of(experiment: Experiment, root: Path) -> Published:
    """The file below the project's root, its names those of the configuration there."""
    return load_published(
        root,
        benchmarks=names_in(root, "benchmarks"),
        variants=experiment.variants,
        scales=names_in(root, "scales"),
    )


def load_published(
    root: Path, *, benchmarks: Collection[str], variants: Collection[str], scales: Collection[str]
) -> Published:
    """Read and check the file below `root`; names in it must be among those that are given.

    Raises `InputError`: one sentence about the first fault found.
    """
    found = validate(TypeAdapter(Published), read_mapping(root, PUBLISHED), in_file(PUBLISHED))
    for name, table in found.tables.items():
        place = f"tables.{name}"
        for index, row in enumerate(table.rows):
            if row.ours is not None:
                _require(row.ours.scale, scales, f"{place}.rows.{index}.ours.scale", "scale")
        for benchmark in table.benchmarks:
            _require(benchmark, benchmarks, f"{place}.columns", "benchmark")
        for variant in table.variants:
            _require(variant, variants, f"{place}.rows", "variant")
    for ours, theirs in found.shown_under.items():
        _require(ours, scales, "shown_under", "scale")
        _require(theirs, scales, f"shown_under.{ours}", "scale")
    return found


def _require(name: str, known: Collection[str], key: str, kind: str) -> None:
    if name not in known:
        raise unknown_name(f"{PUBLISHED}, {key}", kind, name, known)
