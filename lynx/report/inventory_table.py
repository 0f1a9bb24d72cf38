"""How `lynx inventory` looks in a terminal: two tables, then a line for each thing that lacks."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lynx.artifacts.hashing import hash_data
from lynx.report.inventory import (
    Comparison,
    DataRoot,
    FileState,
    Inventory,
    SplitContent,
    SplitEntry,
)

SHOWN_CLIPS = 3
SHOWN_DIGITS = 12
COLOURS: dict[FileState, str] = {
    "read": "green",
    "not read": "yellow",
    "missing": "red",
    "absent": "dim",
}
UNITS = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def print_inventory(inventory: Inventory, console: Console) -> None:
    """Print roots, licence, files and splits; then what lacks, and the verdict."""
    note = ", synthetic world" if inventory.synthetic else ""
    console.print(f"lynx inventory {inventory.benchmark}: {inventory.title}", style="bold")
    for label, text in (
        ("scale", f"{inventory.scale}{note}"),
        ("annotations", _place(inventory.annotations, inventory.synthetic)),
        ("clips", _place(inventory.clips, inventory.synthetic)),
        ("licence", inventory.licence),
        ("access", inventory.access),
        ("disk", inventory.disk),
    ):
        console.print(f"{label}: {text}", markup=False, highlight=False, soft_wrap=True)
    console.print(_file_table(inventory))
    console.print(_split_table(inventory))
    for line in (*_remarks(inventory), verdict(inventory)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def verdict(inventory: Inventory) -> str:
    """The closing sentence."""
    counted = [entry for entry in inventory.splits if entry.counted]
    unread = [entry.split for entry in counted if entry.error is not None]
    missing = {clip for entry in counted if entry.content for clip in entry.content.missing}
    faults = [f"not readable: {', '.join(unread)}"] if unread else []
    if missing:
        faults.append(f"clips missing: {len(missing):,}")
    allowed = inventory.allow_missing
    budget = "" if allowed is None else f"the recipe's frames.allow_missing = {allowed:g}"
    if not inventory.complete:
        tail = f" ({budget} for each split)" if missing and budget else ""
        return f"incomplete: {'; '.join(faults)}{tail}"
    if missing:
        return f"complete within {budget}: {faults[0]}"
    return "complete: every split is readable, every clip has its files"


def size(count: int) -> str:
    """Bytes as a short decimal number with its unit."""
    for unit, scale in UNITS:
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"


def _place(root: DataRoot, synthetic: bool) -> str:
    return root.path.as_posix() if synthetic else f"{root.path.as_posix()} ({root.key})"


def _file_table(inventory: Inventory) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("annotation file", overflow="fold")
    table.add_column("state", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("sha256", no_wrap=True)
    for file in inventory.files:
        table.add_row(
            Text(file.name),
            Text(file.state, style=COLOURS[file.state]),
            "" if file.bytes is None else size(file.bytes),
            (file.sha256 or "")[:SHOWN_DIGITS],
        )
    return table


def _split_table(inventory: Inventory) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("split", no_wrap=True)
    for heading in ("kept", "dropped", "clips", "missing", "size"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("against the published")
    for entry in inventory.splits:
        if entry.content is None:
            table.add_row(entry.split, *[""] * 5, Text(_unread(entry), style=_fault_style(entry)))
        else:
            table.add_row(entry.split, *_cells(entry.content, inventory.synthetic))
    return table


def _cells(content: SplitContent, synthetic: bool) -> Iterator[str | Text]:
    yield f"{content.kept:,}"
    yield f"{sum(content.dropped.values()):,}"
    yield f"{content.clips:,}"
    yield Text(f"{len(content.missing):,}", style="red" if content.missing else "green")
    yield size(content.bytes)
    if synthetic:
        yield "not compared"
    elif not content.comparisons:
        yield "no published count is known"
    else:
        different = any(comparison.difference for comparison in content.comparisons)
        text = "\n".join(map(_compared, content.comparisons))
        yield Text(text, style="yellow" if different else "green")


def _compared(comparison: Comparison) -> str:
    """Such as `4,675 questions: 5 fewer here`; a figure that nobody counted again says so."""
    published = f"{comparison.published:,} {comparison.unit}"
    if comparison.difference == 0:
        return f"{published}: equal"
    word = "more" if comparison.difference > 0 else "fewer"
    unsure = "" if comparison.confidence == "checked" else " (not recounted)"
    return f"{published}{unsure}: {abs(comparison.difference):,} {word} here"


def _unread(entry: SplitEntry) -> str:
    return "not readable, see below" if entry.counted else "not readable, and not needed"


def _fault_style(entry: SplitEntry) -> str:
    return "red" if entry.counted else "dim"


def _remarks(inventory: Inventory) -> Iterator[str]:
    for root in (inventory.annotations, inventory.clips):
        if root.advice is not None:
            yield f"{root.key}: {root.advice}"
    for entry in inventory.splits:
        unneeded = "" if entry.counted else " (not needed for a score: its answers are not public)"
        if entry.error is not None:
            yield f"{entry.split}: {entry.error}{unneeded}"
        if entry.content is not None:
            yield from _about(entry.split, entry.content)


def _about(split: str, content: SplitContent) -> Iterator[str]:
    for reason, count in content.dropped.items():
        yield f"{split}: dropped {count:,}: {reason}"
    if content.differing_groups:
        groups = [
            f"{name} ({_compared(found)})" for name, found in content.differing_groups.items()
        ]
        yield f"{split}: other counts than published: {', '.join(groups)}"
    if content.missing:
        first = list(content.missing.values())[:SHOWN_CLIPS]
        rest = len(content.missing) - len(first)
        more = f" and {rest:,} more" if rest else ""
        share = f"{len(content.missing):,} of {content.clips:,} clips"
        yield f"{split}: missing {share}: {', '.join(first)}{more}"
    if content.clip_sha256:
        digest = hash_data(content.clip_sha256)[:SHOWN_DIGITS]
        share = f"{len(content.clip_sha256):,} of {content.clips:,}"
        yield f"{split}: sha256 over {share} clips: {digest}"
