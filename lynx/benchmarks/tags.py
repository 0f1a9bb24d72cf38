"""Further groupings of a benchmark's questions, from an optional file beside its annotation."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from lynx.benchmarks.annotation import read_json
from lynx.benchmarks.sample import Sample
from lynx.errors import InputError


def tags_file(annotation: Path) -> Path:
    """Where the tags of an annotation file stand: ``x.json`` -> ``x.tags.json``."""
    return annotation.with_name(f"{annotation.stem}.tags.json")


def read_tags(path: Path, question_ids: Collection[str]) -> dict[str, dict[str, str]]:
    """Read ``{question id: {tag: value}}``; a question that is not in the file has no tags.

    Raises:
        InputError: the file has another shape, uses the tag name ``type`` (the question type is a
            grouping of its own), or knows a question that is not in ``question_ids``.
    """
    table = read_json(path)
    if not isinstance(table, dict):
        raise InputError(
            f"{path}: found no JSON object, expected {{question id: {{tag: value}}}}; rewrite it"
        )
    known = set(question_ids)
    for question_id, tags in table.items():
        if question_id not in known:
            raise InputError(
                f"{path}: found tags of question {question_id!r}, expected only questions of the "
                "annotation beside it; correct or delete the file"
            )
        if not isinstance(tags, dict) or not all(isinstance(tag, str) for tag in tags.values()):
            raise InputError(
                f"{path}: question {question_id!r}: found {tags!r}, expected {{tag: value}} with "
                "text values; correct the file"
            )
        if "type" in tags:
            raise InputError(
                f"{path}: question {question_id!r}: found the tag 'type', expected another name "
                "because question types are reported under this one; rename the tag"
            )
    return table


def with_tags(
    annotation: Path, samples: Sequence[Sample], question_ids: Collection[str] | None = None
) -> tuple[list[Sample], list[Path]]:
    """Samples with the tags that stand beside their annotation, and the file that holds them.

    ``question_ids`` are those of the annotation where it has more questions than samples.

    Raises:
        InputError: as ``read_tags`` does.
    """
    path = tags_file(annotation)
    if not path.is_file():
        return list(samples), []
    known = {sample.id for sample in samples} if question_ids is None else question_ids
    tags = read_tags(path, known)
    tagged = [
        sample.model_copy(update={"tags": {**sample.tags, **tags.get(sample.id, {})}})
        for sample in samples
    ]
    return tagged, [path]
