"""Reference and features of several ranks are those of one, byte for byte."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch

from lynx.align.reference import ReferenceBuilder
from lynx.artifacts.hashing import hash_file
from lynx.ranks.in_order import in_order
from lynx.ranks.place import here
from tests.fault.rank_processes import Command
from tests.project_copy import copy_project
from tests.ranks_alone import on_ranks_alone
from tests.tiny_model import open_base, random_pixels

ITEMS = ["a", "b", "c", "d", "e", "f", "g"]


def collect(folder: Path) -> None:
    """What comes out on this rank, and who made it."""
    found = [
        (item, made, rank)
        for item, (made, rank) in in_order(ITEMS, lambda item: (item.upper(), here().index))
    ]
    (folder / f"{here().index}.json").write_text(json.dumps(found), encoding="utf-8")


def test_results_come_in_the_order_of_the_items(tmp_path: Path) -> None:
    """On the first rank alone, each made by the rank whose turn it was; the last turn is short."""
    on_ranks_alone(3, collect, tmp_path)
    first, *others = (json.loads((tmp_path / f"{index}.json").read_text()) for index in range(3))
    assert first == [[item, item.upper(), place % 3] for place, item in enumerate(ITEMS)]
    assert others == [[], []]


def test_alone_they_come_one_by_one() -> None:
    """Nothing is worked on before the one before it is taken."""
    begun: list[str] = []
    results = in_order(ITEMS, lambda item: begun.append(item) or item.upper())
    assert next(results) == ("a", "A")
    assert begun == ["a"]


def test_a_reference_of_parts_is_that_of_one_pass(tiny_base: Path) -> None:
    """A builder for each clip, merged in order, has the bits of one that saw them all."""
    base = open_base(tiny_base, ["tower"])
    clips = [random_pixels(1, count, 3, 42, 42, seed=count) for count in (4, 1, 3, 4)]
    whole, merged = ReferenceBuilder(base.info), ReferenceBuilder(base.info)
    for pixels in clips:
        whole.add(base, pixels, frame_chunk=4)
        part = ReferenceBuilder(base.info)
        part.add(base, pixels, frame_chunk=4)
        merged.merge(part)
    assert torch.equal(merged.keys, whole.keys)
    assert torch.equal(merged.values, whole.values)
    assert torch.equal(merged.moments.mean, whole.moments.mean)
    assert torch.equal(merged.moments.m2, whole.moments.m2)
    assert (merged.frames, merged.clips) == (whole.frames, whole.clips)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "target"),
    [
        (("reference", "--group", "3d", "--ranks", "3"), "reference/3d"),
        (
            (
                *("features", "--benchmark", "scanqa", "--split", "train"),
                *("--stream", "aligned", "--ranks", "2"),
            ),
            "features/scanqa/train/aligned/seed0",
        ),
    ],
    ids=["reference", "features"],
)
def test_a_command_on_several_ranks(
    finished: Path, tmp_path: Path, arguments: tuple[str, ...], target: str
) -> None:
    """The artefact has the files of one made alone."""
    root = copy_project(finished, tmp_path / "project")
    before, after = (at / "runs/demo" / target for at in (finished, root))
    command = Command.start(root, *arguments)
    assert command.end() == 0, command.said
    manifests = [json.loads((at / "manifest.json").read_text()) for at in (before, after)]
    assert manifests[0]["content"] == manifests[1]["content"]
    assert manifests[0]["counts"] == manifests[1]["counts"]
    assert manifests[1]["environment"]["device"].endswith(" x cpu, 1 threads")
    for name in manifests[0]["files"]:
        path = name["path"]
        assert hash_file(before / path) == hash_file(after / path)
    assert os.listdir(before) == os.listdir(after)
