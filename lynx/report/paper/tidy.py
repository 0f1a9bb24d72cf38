"""A table of the publication as tidy CSV: one line for each published value and each of ours."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from lynx.report.paper.costs import STAGES
from lynx.report.paper.tables import OurRow, PaperTable

COLUMNS = (
    "table",
    "method",
    "source",
    "scale",
    "variant",
    "column",
    "unit",
    "value",
    "deviation",
    "seeds",
    "difference",
    "beyond_deviation",
    "synthetic",
    "runs",
)
Line = dict[str, object]


def tidy(table: PaperTable) -> str:
    """CSV with a header; an empty cell of ours says why in place of its runs."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    for line in _lines(table):
        writer.writerow({"table": table.table.number, **line})
    return text.getvalue()


def _lines(table: PaperTable) -> Iterator[Line]:
    for group in table.groups:
        method = "" if group.published is None else group.published.method
        values = () if group.published is None else group.published.values
        for column, value in zip(table.table.columns, values, strict=bool(values)):
            if value is not None:
                yield {
                    "method": method,
                    "source": "published",
                    "column": column.title,
                    "unit": column.unit,
                    "value": f"{value:.{column.digits}f}",
                }
        for row in group.ours:
            yield from ({"method": method, **line} for line in _ours(table, row))


def _ours(table: PaperTable, row: OurRow) -> Iterator[Line]:
    named: Line = {"source": "ours", "scale": row.scale, "variant": row.variant or ""}
    named["synthetic"] = row.synthetic
    for column, cell in zip(table.table.columns, row.cells, strict=True):
        line: Line = {**named, "column": column.title, "unit": column.unit}
        if cell is None:
            yield {**line, "runs": row.emptiness(column)}
            continue
        deviation, difference = cell.spread.deviation, cell.difference
        yield {
            **line,
            "value": f"{cell.spread.mean:.6f}",
            "deviation": "" if deviation is None else f"{deviation:.6f}",
            "seeds": " ".join(dict.fromkeys(str(run.name.seed) for run in cell.runs)),
            "difference": "" if difference is None else f"{difference:.6f}",
            "beyond_deviation": "" if cell.beyond is None else cell.beyond,
            "runs": " ".join(each.path.as_posix() for each in cell.runs or [cell.measure] if each),
        }
    if row.costs is not None:
        costs = [(stage, "hours", row.costs.hours[stage]) for stage in STAGES]
        costs.append(("visual tokens", "one", max(row.costs.tokens)))
        costs.append(("peak memory", "GB", row.costs.memory_gb))
        for title, unit, value in costs:
            yield {**named, "column": title, "unit": unit, "value": f"{value:.6f}"}
