"""Training and scored samples must share neither questions nor rooms (rule "train on train")."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lynx.benchmarks.sample import Sample
from lynx.errors import InputError

_SCANNET_SCAN = re.compile(r"(scene[0-9]{4})_[0-9]{2}", re.ASCII)


def place_of(clip: str) -> str:
    """What a clip shows: for a ScanNet scan its room (``scene0000_01`` -> ``scene0000``, which
    was scanned several times), for any other clip the clip itself.
    """
    scan = _SCANNET_SCAN.fullmatch(clip)
    return scan[1] if scan else clip


def require_disjoint(
    train: Sequence[Sample], scored: Sequence[Sample], train_split: str, scored_split: str
) -> None:
    """Refuse a scored split that shares a question id or a place with the training split.

    Raises:
        InputError: names the first sample of ``scored`` that overlaps, and what it shares.
    """
    trained = {sample.id for sample in train}
    first_at: dict[str, Sample] = {}
    for sample in train:
        first_at.setdefault(place_of(sample.clip), sample)
    for sample in scored:
        if sample.id in trained:
            raise InputError(
                f"split {scored_split!r}: found question {sample.id!r} in split {train_split!r} "
                "too, expected no question in both; use the splits as published"
            )
        other = first_at.get(place_of(sample.clip))
        if other is not None:
            raise InputError(
                f"split {scored_split!r}: question {sample.id!r} is about {sample.clip!r}, found "
                f"the same place in split {train_split!r} (question {other.id!r}, {other.clip!r}), "
                "expected no place in both; use the splits as published"
            )
