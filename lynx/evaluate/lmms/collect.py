"""lmms-eval's log of each sample, read back: our predictions, and scores over every item.

The package drops empty answers of MVBench from its denominator; here they stand in it, as wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lynx.artifacts.hashing import hash_data
from lynx.errors import InputError
from lynx.evaluate.lmms.local_tasks import Item, Table


@dataclass(frozen=True)
class Judged:
    """An item's answer and whether the package's own functions count it as right."""

    item: Item
    text: str
    right: bool


@dataclass(frozen=True)
class Package:
    """What lmms-eval itself reported: by task its figures, hash and version, and its files."""

    results: dict[str, dict[str, Any]]
    hashes: dict[str, str]
    versions: dict[str, Any]
    prompts: dict[str, str]
    """Hash of what each task asked and of the answers that it took for right."""
    files: tuple[Path, ...]


def read_package(folder: Path, tables: Sequence[Table]) -> Package:
    """The newest results below `folder`.

    Raises:
        InputError: there are none, or they lack a task.
    """
    found = sorted(folder.rglob("*_results.json"))
    if not found:
        raise InputError(
            f"{folder}: found no results of lmms-eval, expected one *_results.json; its messages "
            "above say what went wrong"
        )
    data = json.loads(found[-1].read_text(encoding="utf-8"))
    date = found[-1].name.removesuffix("_results.json")
    logs = tuple(found[-1].with_name(f"{date}_samples_{table.name}.jsonl") for table in tables)
    for table, log in zip(tables, logs, strict=True):
        if table.name not in data["results"] or not log.is_file():
            raise InputError(
                f"{found[-1]}: found no results of {table.name}, expected every task; run it again"
            )
    names = [table.name for table in tables]
    return Package(
        results={name: _figures(data["results"][name]) for name in names},
        hashes={name: data["task_hashes"][name] for name in names},
        versions={name: data["versions"].get(name) for name in names},
        prompts={name: _hash_prompts(log) for name, log in zip(names, logs, strict=True)},
        files=(found[-1], *logs),
    )


def _hash_prompts(log: Path) -> str:
    """A hash of every item's text and target.

    The hash of a task that lmms-eval 0.7.3 reports is of no content where items are asked as chats:
    it depends on their number alone.
    """
    rows = _rows(log)
    return hash_data([[row["doc_id"], row["input"], row["target"]] for row in rows])


def _rows(log: Path) -> list[dict[str, Any]]:
    lines = log.read_text(encoding="utf-8").split("\n")[:-1]
    return sorted((json.loads(line) for line in lines), key=lambda row: int(row["doc_id"]))


def _figures(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Metrics of a task by lmms-eval's names, without its alias and what it could not compute."""
    return {
        key: value
        for key, value in entry.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def read_log(path: Path, table: Table) -> list[Judged]:
    """Every item of a task with its answer, in the table's order.

    Raises:
        InputError: the log is not about exactly the table's items.
    """
    rows = _rows(path)
    numbers = [int(row["doc_id"]) for row in rows]
    if numbers != list(range(len(table.items))):
        raise InputError(
            f"{path}: found answers to {len(set(numbers))} items, expected each of the "
            f"{len(table.items)} once; run it again without --limit"
        )
    return [
        Judged(item, _text(row), _right(row)) for item, row in zip(table.items, rows, strict=True)
    ]


def _text(row: Mapping[str, Any]) -> str:
    found = row["filtered_resps"]
    return str(found[0] if isinstance(found, list) else found)


def _right(row: Mapping[str, Any]) -> bool:
    """Whether the package's `process_results` calls an answer right; an empty one never is."""
    judged = next(
        value for value in row.values() if isinstance(value, dict) and "pred_answer" in value
    )
    if not _text(row).strip():
        return False
    if "score" in judged:
        return bool(judged["score"])
    return bool(judged["pred_answer"] == judged["answer"])


def score(judged: Sequence[Judged]) -> dict[str, Any]:
    """Accuracy over all items, the mean of the groups' accuracies, and these; with counts."""
    groups: dict[str, list[Judged]] = {}
    for each in judged:
        groups.setdefault(each.item.group, []).append(each)
    by_group = {
        name: {"accuracy": _fraction(members), "count": len(members)}
        for name, members in groups.items()
    }
    return {
        "metrics": {
            "accuracy": _fraction(judged),
            "mean_accuracy": sum(_fraction(each) for each in groups.values()) / len(groups),
        },
        "groups": by_group,
        "count": len(judged),
        "empty": sum(not each.text.strip() for each in judged),
    }


def _fraction(judged: Sequence[Judged]) -> float:
    return sum(each.right for each in judged) / len(judged)


def write_predictions(path: Path, judged: Iterable[Judged]) -> None:
    """The published predictions' fields: `question_id`, `scene_id`, `text`."""
    rows = (
        {"question_id": each.item.id, "scene_id": each.item.clip, "text": each.text}
        for each in judged
    )
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
