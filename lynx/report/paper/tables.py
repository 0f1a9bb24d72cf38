"""The publication's tables with our runs under their counterparts; formats are made of these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from lynx.config.published import Column, Counterpart, Published, PublishedRow, PublishedTable
from lynx.report.paper.costs import Costs
from lynx.report.paper.measures import Measure, Measures
from lynx.report.runs import Run, Runs
from lynx.report.spread import Spread

NO_RUN, NO_VALUE = "no run", "no value"


@dataclass(frozen=True)
class Figure:
    """A cell of ours in printed units, the runs it is of, and what is published in its place."""

    column: Column
    spread: Spread
    runs: tuple[Run, ...]
    published: float | None
    measure: Measure | None = None
    """What was measured, where a column has no runs."""

    @property
    def text(self) -> str:
        """Mean and deviation over seeds."""
        return self.spread.text(self.column.digits)

    @property
    def untrained(self) -> bool:
        """Whether one value stands for several seeds, on which nothing depends."""
        return self.column.metric is not None and len(self.runs) > len(self.spread.values)

    @property
    def difference(self) -> float | None:
        """Ours less what is published."""
        return None if self.published is None else self.spread.mean - self.published

    @property
    def beyond(self) -> bool | None:
        """Whether what is published lies outside our spread; None where one of them is unknown."""
        return None if self.published is None else self.spread.is_beyond(self.published)


@dataclass(frozen=True)
class OurRow:
    """Runs of one scale and variant, over seeds; a cell is None where there is no run."""

    scale: str
    variant: str | None
    cells: tuple[Figure | None, ...]
    runs: tuple[Run, ...]
    synthetic: bool

    @property
    def label(self) -> str:
        """How the row is called: the variant beside the scale."""
        return self.scale if self.variant is None else f"{self.variant}, {self.scale}"

    def emptiness(self, column: Column) -> str:
        """What an empty cell says: nothing was run, or what was run has no such figure.

        That is a group without a question, or parameters or videos that were not counted or are not
        the same for all of its benchmarks.
        """
        ran = any(column.benchmark in (run.name.benchmark, None) for run in self.runs)
        return NO_VALUE if ran else NO_RUN

    @cached_property
    def costs(self) -> Costs | None:
        """What its runs took; None without any."""
        return Costs.of(self.runs) if self.runs else None

    @property
    def compared(self) -> bool:
        """Whether some cell has a published one to be compared with."""
        return any(cell is not None and cell.published is not None for cell in self.cells)


@dataclass(frozen=True)
class Group:
    """A published row, None for our own controls, and ours below it."""

    published: PublishedRow | None
    ours: tuple[OurRow, ...]


@dataclass(frozen=True)
class PaperTable:
    """One table: its published structure, its groups of rows, and what is missing in it."""

    name: str
    table: PublishedTable
    source: str
    groups: tuple[Group, ...]
    missing: tuple[str, ...]

    @property
    def stem(self) -> str:
        """What its files are called, without their endings."""
        return self.table.stem(self.name)

    @property
    def title(self) -> str:
        """E.g. `Table 2. 3D question answering`."""
        return f"Table {self.table.number}. {self.table.title}"

    @property
    def rows(self) -> Iterator[OurRow]:
        """Every row of ours."""
        for group in self.groups:
            yield from group.ours

    @property
    def synthetic(self) -> bool:
        """Whether a row of it is of the rendered world."""
        return any(row.synthetic for row in self.rows)


@dataclass(frozen=True)
class TableBuilder:
    """Puts runs into the published structure; `seeds` are those that every run should have."""

    published: Published
    runs: Runs
    measures: Measures
    seeds: tuple[int, ...]

    def tables(self) -> list[PaperTable]:
        """Every table of the publication, in the file's order."""
        return [self._table(name, table) for name, table in self.published.tables.items()]

    def unplaced(self, tables: Sequence[PaperTable]) -> list[str]:
        """A sentence for each benchmark with runs that stand in none of them."""
        placed = {run.name for table in tables for row in table.rows for run in row.runs}
        found: dict[str, dict[str, dict[str, None]]] = {}
        for run in self.runs:
            if (name := run.name) not in placed:
                variants = found.setdefault(name.benchmark, {}).setdefault(name.scale, {})
                variants[name.variant] = None
        return [
            f"runs of {benchmark} ({_at_scales(by_scale)}) stand in no table of the publication"
            for benchmark, by_scale in found.items()
        ]

    def _table(self, name: str, table: PublishedTable) -> PaperTable:
        groups = [self._group(table, row) for row in table.rows]
        scales = tuple(dict.fromkeys(row.scale for group in groups for row in group.ours))
        controls = [
            self._row(table, variant, scale, None) for scale in scales for variant in table.controls
        ]
        if ran := tuple(row for row in controls if row.runs):
            groups.append(Group(None, ran))
        rows = [row for group in groups for row in group.ours]
        missing = tuple(self._missing(table, rows))
        return PaperTable(name, table, self.published.source, tuple(groups), missing)

    def _group(self, table: PublishedTable, row: PublishedRow) -> Group:
        if row.ours is None:
            return Group(row, ())
        found = [self._row(table, row.ours.variant, scale, row) for scale in self._scales(row.ours)]
        ran = tuple(each for each in found if any(cell is not None for cell in each.cells))
        return Group(row, ran or tuple(found[:1]))

    def _scales(self, counterpart: Counterpart) -> list[str]:
        known = {*self.runs.scales, *self.measures.scales, counterpart.scale}
        return self.published.scales_under(counterpart, sorted(known))

    def _row(
        self, table: PublishedTable, variant: str | None, scale: str, row: PublishedRow | None
    ) -> OurRow:
        by_benchmark = {
            name: self.runs.over_seeds(scale, variant, name) if variant else {}
            for name in table.benchmarks
        }
        runs = tuple(run for found in by_benchmark.values() for _, run in sorted(found.items()))
        values = (None,) * len(table.columns) if row is None else row.values
        cells = []
        for column, printed in zip(table.columns, values, strict=True):
            if column.measure is not None:
                cells.append(self._measured(column, scale, printed))
            else:
                chosen = [run for run in runs if column.benchmark in (run.name.benchmark, None)]
                cells.append(_figure(column, chosen, printed))
        synthetic = any(run.synthetic for run in runs) or self.measures.synthetic(scale)
        return OurRow(scale, variant, tuple(cells), runs, synthetic)

    def _measured(self, column: Column, scale: str, printed: float | None) -> Figure | None:
        assert column.measure is not None
        value = self.measures.value(scale, *column.measure)
        if value is None:
            return None
        measure = self.measures.found[scale, column.measure[0]]
        return Figure(column, Spread((column.factor * value,)), (), printed, measure)

    def _missing(self, table: PublishedTable, rows: Sequence[OurRow]) -> Iterator[str]:
        """What rows with runs lack, those alike together; one without any says so in its cells."""
        lacking: dict[tuple[str, str], dict[tuple[int, ...], list[str]]] = {}
        for row in rows:
            if row.variant is None or not row.runs:
                continue
            for benchmark in table.benchmarks:
                ran = self.runs.over_seeds(row.scale, row.variant, benchmark)
                if seeds := tuple(seed for seed in self.seeds if seed not in ran):
                    of = lacking.setdefault((row.scale, row.variant), {})
                    of.setdefault(seeds, []).append(benchmark)
        alike: dict[tuple[str, tuple[int, ...], tuple[str, ...]], list[str]] = {}
        for (scale, variant), by_seeds in lacking.items():
            for seeds, benchmarks in by_seeds.items():
                alike.setdefault((scale, seeds, tuple(benchmarks)), []).append(variant)
        for (scale, seeds, on), variants in alike.items():
            word = "seeds" if len(seeds) > 1 else "seed"
            numbers = ", ".join(map(str, seeds))
            yield f"{word} {numbers} of {', '.join(variants)} on {', '.join(on)} at {scale}"


def _figure(column: Column, runs: Sequence[Run], published: float | None) -> Figure | None:
    """A column of runs; a metric that only some of them have is that of those."""
    if column.parameters or column.videos:
        counts = {run.parameters if column.parameters else run.videos for run in runs}
        first, *others = counts or {None}
        if first is None or others:
            return None  # not counted, or not the same for all of its benchmarks
        return Figure(column, Spread((column.factor * first,)), tuple(runs), published)
    if column.metric is None:
        return None
    read = [(run, run.value(column.metric, column.group)) for run in runs]
    kept = [(run, value) for run, value in read if value is not None]
    if not kept:
        return None
    values = [column.factor * value for _, value in kept]
    spread = Spread.over_seeds(values, trained=any(run.trained for run, _ in kept))
    return Figure(column, spread, tuple(run for run, _ in kept), published)


def _at_scales(variants: Mapping[str, Iterable[str]]) -> str:
    return "; ".join(f"{', '.join(names)} at {scale}" for scale, names in variants.items())
