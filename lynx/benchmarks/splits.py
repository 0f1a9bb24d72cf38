"""Training and scored samples must share neither questions nor rooms (rule "train on train")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from lynx.benchmarks.annotation import Annotation
from lynx.benchmarks.sample import Sample
from lynx.errors import InputError

_SCANNET_SCAN = re.compile(r"(scene[0-9]{4})_[0-9]{2}", re.ASCII)

LEFT_OUT = "about a place that is scored"


def place_of(clip: str) -> str:
    """What a clip shows: for a ScanNet scan its room (``scene0000_01`` -> ``scene0000``, which
    was scanned several times), for any other clip the clip itself.
    """
    scan = _SCANNET_SCAN.fullmatch(clip)
    return scan[1] if scan else clip


def first_at(samples: Iterable[Sample]) -> dict[str, Sample]:
    """Place -> the first of the samples that is about it."""
    found: dict[str, Sample] = {}
    for sample in samples:
        found.setdefault(place_of(sample.clip), sample)
    return found


def require_distinct(
    train: Sequence[Sample], scored: Sequence[Sample], train_split: str, scored_split: str
) -> None:
    """Refuse a scored split that shares a question id with the training split.

    Raises:
        InputError: names the first such question.
    """
    trained = {sample.id for sample in train}
    for sample in scored:
        if sample.id in trained:
            raise InputError(
                f"split {scored_split!r}: found question {sample.id!r} in split {train_split!r} "
                "too, expected no question in both; use the splits as published"
            )


def without_scored(
    train: Sequence[Sample],
    scored: Mapping[str, Sequence[Sample]],
    train_split: str,
    unusable: int,
    allow_missing: float,
) -> tuple[list[Sample], int]:
    """Training samples about no place that a split of ``scored`` is about, and how many were.

    Published splits of questions may share a few videos. Those are left out of training within the
    one budget of unusable training questions, of which the reader has found ``unusable`` others.

    Raises:
        InputError: more than the share ``allow_missing``; names the first sample that is scored
            and the one that is trained on.
    """
    seen = {split: first_at(samples) for split, samples in scored.items()}
    kept: list[Sample] = []
    shared: list[tuple[str, Sample, Sample]] = []
    for sample in train:
        place = place_of(sample.clip)
        split = next((name for name, places in seen.items() if place in places), None)
        if split is None:
            kept.append(sample)
        else:
            shared.append((split, seen[split][place], sample))
    total = len(train) + unusable
    if shared and len(shared) + unusable > allow_missing * total:
        split, other, sample = shared[0]
        raise InputError(
            f"split {split!r}: question {other.id!r} is about {other.clip!r}, found the same place "
            f"in split {train_split!r} (question {sample.id!r}, {sample.clip!r}; {len(shared)} of "
            f"{total} training questions), expected no place in both; use the splits as published, "
            "or raise allow_missing of the benchmark's file to leave these out of training"
        )
    return kept, len(shared)


def apart(
    read: Mapping[str, Annotation], train_split: str, allow_missing: float
) -> dict[str, Annotation]:
    """The splits of one benchmark, that for training without places that the others score.

    Raises:
        InputError: a question stands in both, or as ``without_scored`` does.
    """
    trained = read[train_split]
    scored = {split: each.samples for split, each in read.items() if split != train_split}
    for split, samples in scored.items():
        require_distinct(trained.samples, samples, train_split, split)
    unusable = sum(trained.dropped.values())
    kept, left_out = without_scored(trained.samples, scored, train_split, unusable, allow_missing)
    if not left_out:
        return dict(read)
    dropped = {**trained.dropped, LEFT_OUT: left_out}
    return {**read, train_split: replace(trained, samples=kept, dropped=dropped)}


def require_unseen(
    trained: Iterable[tuple[str, str]], scored: Sequence[Sample], benchmark: str, split: str
) -> None:
    """Refuse to score places that are among ``trained``: (benchmark, clip) of other benchmarks.

    Raises:
        InputError: names the first such clip, and the first question about its place.
    """
    seen = first_at(scored)
    for other, clip in trained:
        sample = seen.get(place_of(clip))
        if sample is not None:
            raise InputError(
                f"split {split!r} of {benchmark}: question {sample.id!r} is about {sample.clip!r}, "
                f"found the same place among the training clips of {other} ({clip!r}), expected "
                "no place in both; use the splits as published"
            )
