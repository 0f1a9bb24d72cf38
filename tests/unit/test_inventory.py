"""`lynx inventory`: what is here, what lacks, and how it compares with the published counts."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from lynx.artifacts.hashing import hash_data
from lynx.benchmarks import benchmark_names, get_benchmark
from lynx.benchmarks.avsd import DSTC7_TRAIN
from lynx.benchmarks.avsd import FILES as AVSD_FILES
from lynx.benchmarks.egoexo import INSTRUCT, OFFICIAL
from lynx.benchmarks.mlvu import TASKS as MLVU_TASKS
from lynx.benchmarks.music_avqa import FILES as MUSIC_FILES
from lynx.benchmarks.music_avqa import TYPES as MUSIC_TYPES
from lynx.benchmarks.music_avqa_original import FILES as ORIGINAL_MUSIC_FILES
from lynx.benchmarks.scanqa import FILES as SCANQA_FILES
from lynx.benchmarks.scanqa import INSTRUCT as SCANQA_INSTRUCT
from lynx.benchmarks.source import PublishedCount, Source, SplitSource
from lynx.errors import InputError
from lynx.project import Project
from lynx.report.inventory import Comparison, Inventory, SplitEntry, as_dict, take_inventory
from lynx.report.inventory_table import print_inventory, size, verdict
from tests.project_copy import edit_yaml
from tests.unit.config_copy import ROOT, copy_config, replace

SCENES = {"train": "scene0000_00", "val": "scene0011_00"}
TURN = {"question": "how many people ?", "answer": "just one ."}
PAGES = ROOT / "docs/data_preparation"
SOURCES = {
    name: source for name in benchmark_names() if (source := get_benchmark(name).source) is not None
}
# The publication's sets. One that is added may say nothing of its data; these say what is known.
PUBLISHED = (
    *("avqa", "avsd", "egoexo", "llava_video", "mlvu", "music_avqa", "music_avqa_original"),
    *("mvbench", "scanqa", "sqa3d", "videomme", "videomme_subtitles"),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copy_config(tmp_path)


def inventory(
    root: Path, benchmark: str, hashes: bool = False, scale: str = "0.5b", **more: object
) -> Inventory:
    chosen: dict[str, object] = {"scale": scale, "benchmarks": [benchmark], **more}
    return take_inventory(Project.load(root, [], chosen), benchmark, hashes)


def printed(found: Inventory, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_inventory(found, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def question(split: str, number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "scene_id": SCENES[split],
        "question_id": f"{split}-{number}",
        "question": "What is left of the bed?",
        "answers": ["lamp"],
    } | changes


def export(scans: Path, scene: str) -> None:
    """An exported scene of 60 bytes, and a mesh beside it, which nothing reads."""
    for name, length in (("color/0.jpg", 30), ("depth/0.png", 20), ("pose/0.txt", 6)):
        write(scans / scene / name, b"x" * length)
    write(scans / scene / "intrinsic/intrinsic_depth.txt", b"1 0\n")
    write(scans / scene / f"{scene}_vh_clean_2.ply", b"mesh")


def scanqa(root: Path) -> Path:
    """Two readable splits and both of their scenes, one exported and one recording."""
    for split in SCENES:
        write(root / "data/scanqa" / SCANQA_FILES[split], [question(split), question(split, 1)])
    export(root / "data/scannet/scans", SCENES["train"])
    write(root / f"data/scannet/scans/{SCENES['val']}/{SCENES['val']}.sens", b"y" * 1500)
    return root


def avsd(root: Path, dialogs: int = 3) -> Path:
    rows = [{"image_id": f"V{number}", "dialog": [TURN]} for number in range(dialogs)]
    write(root / "data/avsd" / AVSD_FILES["train"], {"T0": {"data": [TURN] * 10}})
    write(root / "data/avsd" / AVSD_FILES["test"], {"dialogs": rows})
    for video in ("T0", *(row["image_id"] for row in rows)):
        write(root / f"data/charades/{video}.mp4", f"film of {video}".encode())
    return root


def split_of(found: Inventory, name: str) -> SplitEntry:
    return next(entry for entry in found.splits if entry.split == name)


def states(found: Inventory) -> dict[str, str]:
    return {file.name: file.state for file in found.files}


def give_source(monkeypatch: pytest.MonkeyPatch, name: str, source: Source | None) -> None:
    """Let a benchmark say this of its data."""
    changed = dataclasses.replace(get_benchmark(name), source=source)
    known = {name: changed}
    monkeypatch.setattr(
        "lynx.report.inventory.get_benchmark", lambda key: known.get(key) or get_benchmark(key)
    )


def test_every_published_set_says_where_its_data_come_from() -> None:
    assert set(PUBLISHED) <= set(SOURCES)


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_tells_everything(name: str) -> None:
    source = SOURCES[name]
    assert set(source.splits) == set(get_benchmark(name).splits)
    for split in source.splits.values():
        assert split.files
        assert not set(split.files) & set(source.further)
        assert split.counted_file is None or split.counted_file in source.further
    for text in (source.licence, source.access, source.disk):
        assert text
        assert "\n" not in text
        assert not text.endswith(".")


def test_a_set_without_a_source_says_that_nothing_is_known(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_source(monkeypatch, "scanqa", None)
    scanqa(root)
    found = inventory(root, "scanqa")
    assert not found.complete
    lines = printed(found).splitlines()
    for key in ("licence", "access", "disk"):
        assert f"{key}: not known: the benchmark's file gives no source" in lines
    assert "no published count is known" in printed(found)
    # Which answers are public is not known either: every split is needed.
    assert verdict(found) == "incomplete: not readable: test_w_obj"
    assert f"test_w_obj: {split_of(found, 'test_w_obj').error}" in lines
    test = question("val", 2, scene_id="scene0012_00")
    write(root / "data/scanqa" / SCANQA_FILES["test_w_obj"], [test])
    export(root / "data/scannet/scans", "scene0012_00")
    whole = inventory(root, "scanqa")
    assert whole.complete
    assert states(whole) == dict.fromkeys(SCANQA_FILES.values(), "read")
    assert [entry.content and entry.content.comparisons for entry in whole.splits] == [()] * 3


def test_a_split_that_a_source_leaves_out_is_counted_against_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SOURCES["scanqa"]
    only = {"train": source.splits["train"]}
    give_source(monkeypatch, "scanqa", dataclasses.replace(source, splits=only))
    found = inventory(scanqa(root), "scanqa")
    train, val = (split_of(found, split).content for split in SCENES)
    assert train is not None
    assert val is not None
    assert (len(train.comparisons), val.comparisons) == (2, ())
    assert states(found)[SCANQA_FILES["val"]] == "read"


def test_published_counts_are_those_of_the_sources() -> None:
    items = {
        (name, split): entry.items.value
        for name in PUBLISHED
        for split, entry in SOURCES[name].splits.items()
        if entry.items is not None and entry.items.confidence == "checked"
    }
    assert items == {
        ("avsd", "test"): 1_710,
        ("mlvu", "dev"): 2_175,
        ("music_avqa", "val"): 4_568,
        ("music_avqa", "test"): 9_129,
        ("music_avqa_original", "test"): 9_185,
        ("mvbench", "test"): 4_000,
        ("mvbench", "test_without_pose"): 3_800,
        ("sqa3d", "test"): 3_519,
        ("videomme", "test"): 2_700,
        ("videomme_subtitles", "test"): 2_700,
    }
    # The published counts of tasks and durations add up to those of their splits.
    for source in SOURCES.values():
        for entry in source.splits.values():
            if entry.groups and entry.items is not None:
                assert sum(group.value for group in entry.groups.values()) == entry.items.value
    # The splits of AVQA and SQA3D add up to what their papers give for everything.
    assert _sum("avqa") == 57_335
    assert _sum("sqa3d") == 33_403
    assert _sum("egoexo") == 0


def test_every_page_is_of_a_set_with_a_source() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} - {"README"} <= set(SOURCES)


@pytest.mark.parametrize("name", SOURCES)
def test_every_set_has_its_page_with_the_counts_of_the_source(name: str) -> None:
    page = PAGES / f"{name}.md"
    assert page.is_file(), f"{page}: no such page, expected one because {name} has a source"
    text = page.read_text(encoding="utf-8")
    assert f"lynx inventory {name} " in text
    assert f"({name}.md)" in (PAGES / "README.md").read_text(encoding="utf-8")
    for split in SOURCES[name].splits.values():
        for count in (split.items, split.clips):
            assert count is None or f" {count.value:,} " in text
        for count in split.groups.values() if name.startswith("music_avqa") else ():
            assert f" {count.value:,} " in text


def mlvu(root: Path, plot: int) -> Path:
    """Tasks of one question each, and the first of ``plot``."""
    for number, stem in enumerate(MLVU_TASKS.values()):
        item = {"video": "a.mp4", "question": "?", "candidates": ["x", "y"], "answer": "y"}
        write(root / f"data/mlvu/json/{stem}.json", [item] * (1 if number else plot))
        write(root / f"data/mlvu/video/{stem}/a.mp4", b"film")
    return root


def test_tasks_with_other_counts_are_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = PublishedCount(1, "checked", "questions")
    split = SplitSource(("json/1_plotQA.json",), groups={"plotQA": one, "ego": one})
    give_source(monkeypatch, "mlvu", dataclasses.replace(SOURCES["mlvu"], splits={"dev": split}))
    equal = inventory(mlvu(root, 1), "mlvu")
    assert equal.complete
    (entry,) = equal.splits
    assert entry.content is not None
    assert (entry.content.kept, entry.content.differing_groups) == (7, {})
    found = inventory(mlvu(root, 3), "mlvu")
    assert found.complete
    assert (
        "dev: other counts than published: plotQA (1 questions: 2 more here)"
        in printed(found).splitlines()
    )


def _sum(name: str) -> int:
    counts = [entry.items for entry in SOURCES[name].splits.values()]
    return sum(count.value for count in counts if count is not None)


def test_a_whole_set_is_complete(root: Path) -> None:
    found = inventory(scanqa(root), "scanqa")
    assert found.complete
    assert (found.scale, found.synthetic, found.allow_missing) == ("0.5b", False, None)
    assert found.annotations.advice is None
    assert found.clips.path == root / "data/scannet/scans"
    train, val, test = found.splits
    assert train.content is not None
    assert (train.content.kept, train.content.clips, train.content.bytes) == (2, 1, 60)
    assert train.content.comparisons == (
        Comparison(25_563, "questions", "published", -25_561),
        Comparison(562, "scenes", "published", -561),
    )
    assert val.content is not None
    assert (val.content.bytes, val.content.missing, val.content.clip_sha256) == (1500, {}, {})
    # The answers of the test are not public: its absence takes nothing away.
    assert (test.counted, test.content) == (False, None)
    lines = printed(found).splitlines()
    assert f"test_w_obj: {test.error} (not needed for a score: its answers are not public)" in lines
    assert states(found) == {
        SCANQA_FILES["train"]: "read",
        SCANQA_FILES["val"]: "read",
        SCANQA_FILES["test_w_obj"]: "absent",
        SCANQA_INSTRUCT: "absent",
    }
    raw = (root / "data/scanqa" / SCANQA_FILES["train"]).read_bytes()
    first = found.files[0]
    assert (first.bytes, first.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
    assert verdict(found) == "complete: every split is readable, every clip has its files"


def test_a_missing_annotation_is_told_at_its_split(root: Path) -> None:
    (scanqa(root) / "data/scanqa" / SCANQA_FILES["val"]).unlink()
    found = inventory(root, "scanqa")
    assert not found.complete
    assert states(found)[SCANQA_FILES["val"]] == "missing"
    entry = split_of(found, "val")
    path = root / "data/scanqa" / SCANQA_FILES["val"]
    assert entry.error == (
        f"{path}: file not found, expected the val annotation; download the ScanQA v1.0 JSON files "
        "from the drive that the ScanQA repository links to (CC BY-NC-SA 3.0) and, for the scenes, "
        "sign ScanNet's terms of use"
    )
    assert split_of(found, "train").error is None
    assert verdict(found) == "incomplete: not readable: val"
    assert f"val: {entry.error}" in printed(found).splitlines()


@pytest.mark.parametrize("content", [b"[{", b"\xff\xfe"])
def test_a_file_that_is_not_json_ends_nothing(root: Path, content: bytes) -> None:
    path = write(scanqa(root) / "data/scanqa" / SCANQA_FILES["train"], content)
    found = inventory(root, "scanqa")
    entry = split_of(found, "train")
    assert entry.content is None
    assert entry.error is not None
    assert entry.error.startswith(f"{path}: found text that is not JSON (")
    assert states(found)[SCANQA_FILES["train"]] == "not read"
    assert not found.complete


def test_a_split_without_items_is_not_complete(root: Path) -> None:
    path = write(scanqa(root) / "data/scanqa" / SCANQA_FILES["val"], [])
    found = inventory(root, "scanqa")
    assert split_of(found, "val").error == (
        f"{path}: found no item, expected the val split; get it again"
    )
    assert not found.complete


def test_faulty_items_are_counted_where_the_data_stage_refuses_them(root: Path) -> None:
    rows = [question("val"), question("val", 1, answers=[]), question("val", 2, question=" ")]
    path = write(scanqa(root) / "data/scanqa" / SCANQA_FILES["val"], rows)
    entry = split_of(inventory(root, "scanqa"), "val")
    assert entry.content is not None
    assert entry.content.kept == 1
    assert entry.content.dropped == {"empty list of answers": 1, "empty question": 1}
    assert entry.content.comparisons[0].difference == 3 - 4_675
    assert entry.error == (
        f"{path}: question 'val-1': found empty list of answers (2 of 3 questions are unusable), "
        "expected at most the share allow_missing = 0; correct the file, or "
        "of a training split raise allow_missing"
    )
    assert not entry.complete(allow_missing=1.0)


def test_what_is_scored_and_trained_on_is_told_and_left_out(root: Path) -> None:
    """As the `data` stage does, within the budget of the benchmark's file."""
    scanqa(root)
    shared = question("train", 1, scene_id=SCENES["val"])
    write(root / "data/scanqa" / SCANQA_FILES["train"], [question("train"), shared])
    found = inventory(root, "scanqa")
    entry = split_of(found, "train")
    assert entry.error == (
        f"split 'val': question 'val-0' is about {SCENES['val']!r}, found the same place in split "
        f"'train' (question 'train-1', {SCENES['val']!r}; 1 of 2 training questions), expected no "
        "place in both; use the splits as published, or raise allow_missing of the benchmark's "
        "file to leave these out of training"
    )
    assert not found.complete
    edit_yaml(root / "config/benchmarks/scanqa.yaml", {"allow_missing": 0.5})
    found = inventory(root, "scanqa")
    content = split_of(found, "train").content
    assert content is not None
    assert (content.kept, content.dropped) == (1, {"about a place that is scored": 1})
    assert found.complete


def test_a_budget_of_the_benchmark_is_the_data_stages(root: Path) -> None:
    rows = [question("train"), question("train", 1, question=" ")]
    write(scanqa(root) / "data/scanqa" / SCANQA_FILES["train"], rows)
    edit_yaml(root / "config/benchmarks/scanqa.yaml", {"allow_missing": 0.5})
    entry = split_of(inventory(root, "scanqa"), "train")
    assert (entry.error, entry.content and entry.content.dropped) == (None, {"empty question": 1})


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "scene0011_00: 0 .sens files and no color/ folder"),
        ({"a.sens": b"1", "b.sens": b"2"}, "scene0011_00: 2 .sens files and no color/ folder"),
        ({"a.sens": b""}, "scene0011_00/a.sens: empty file"),
        ({"color/0.jpg": b"1"}, "scene0011_00/depth: no files"),
        (
            {"color/0.jpg": b"1", "depth/0.png": b"1"},
            "scene0011_00/intrinsic_depth.txt: no such file",
        ),
    ],
)
def test_a_scene_that_cannot_be_opened_is_missing(
    root: Path, files: dict[str, bytes], reason: str
) -> None:
    folder = scanqa(root) / "data/scannet/scans/scene0011_00"
    (folder / "scene0011_00.sens").unlink()
    for name, content in files.items():
        write(folder / name, content)
    found = inventory(root, "scanqa")
    content = split_of(found, "val").content
    assert content is not None
    assert content.missing == {"scene0011_00": reason}
    assert not found.complete
    assert verdict(found) == "incomplete: clips missing: 1"


def test_missing_videos_are_named(root: Path) -> None:
    avsd(root, dialogs=6)
    for number in range(5):
        (root / f"data/charades/V{number}.mp4").unlink()
    write(root / "data/charades/V5.mp4", b"")
    found = inventory(root, "avsd")
    content = split_of(found, "test").content
    assert content is not None
    assert content.missing == {f"V{n}": f"V{n}.mp4: no such file" for n in range(5)} | {
        "V5": "V5.mp4: empty file"
    }
    lines = printed(found).splitlines()
    assert (
        "test: missing 6 of 6 clips: V0.mp4: no such file, V1.mp4: no such file, V2.mp4: no such "
        "file and 3 more"
    ) in lines
    assert lines[-1] == (
        "incomplete: clips missing: 6 (the recipe's frames.allow_missing = 0 for each split)"
    )


def test_clips_may_lack_where_the_recipe_allows_it(root: Path) -> None:
    avsd(root, dialogs=4)
    (root / "data/charades/V0.mp4").unlink()
    quarter = inventory(root, "avsd", overrides={"frames.allow_missing": 0.25})
    assert quarter.complete
    assert verdict(quarter) == (
        "complete within the recipe's frames.allow_missing = 0.25: clips missing: 1"
    )
    (root / "data/charades/V1.mp4").unlink()
    assert not inventory(root, "avsd", overrides={"frames.allow_missing": 0.25}).complete


def test_counts_are_equal_to_the_published_or_differ_by_so_many(root: Path) -> None:
    equal = split_of(inventory(avsd(root, dialogs=1_710), "avsd"), "test").content
    assert equal is not None
    assert equal.comparisons == (Comparison(1_710, "dialogs", "checked", 0),)
    rows = [{"image_id": f"V{number}", "dialog": [TURN]} for number in range(1_712)]
    write(root / "data/avsd" / AVSD_FILES["test"], {"dialogs": rows})
    found = inventory(root, "avsd")
    assert "1,710 dialogs: 2 more here" in printed(found)
    found = inventory(scanqa(root), "scanqa")
    assert "4,675 questions (not recounted): 4,673 fewer here" in printed(found)


def test_a_count_of_another_file_than_was_read_is_not_compared(root: Path) -> None:
    dialogs = {"dialogs": [{"image_id": "T0", "dialog": [TURN] * 10}]}
    write(avsd(root) / "data/avsd" / DSTC7_TRAIN, dialogs)
    found = inventory(root, "avsd")
    train = split_of(found, "train").content
    assert (train and train.comparisons, states(found)[DSTC7_TRAIN]) == ((), "not read")
    text = printed(found)
    assert "no published count is known" in text
    assert "7,659" not in text
    (root / "data/avsd" / AVSD_FILES["train"]).unlink()
    found = inventory(root, "avsd")
    assert found.complete
    read = states(found)
    assert (read[AVSD_FILES["train"]], read[DSTC7_TRAIN]) == ("absent", "read")
    assert "7,659 dialogs: 7,658 fewer here" in printed(found)


def test_a_stand_in_and_unused_files_are_told(root: Path) -> None:
    record = {
        "id": "T0_0",
        "video": "T0.mp4",
        "conversations": [
            {"from": "human", "value": "<image>\nhow many people ?"},
            {"from": "gpt", "value": "just one ."},
        ],
    }
    instruct = "avsd_train_instruct.json"
    write(avsd(root) / "data/avsd" / instruct, [record])
    assert states(inventory(root, "avsd")) == {
        AVSD_FILES["train"]: "read",
        AVSD_FILES["test"]: "read",
        DSTC7_TRAIN: "absent",
        instruct: "not read",
        "avsd_all_videos_mapping.json": "absent",
    }
    (root / "data/avsd" / AVSD_FILES["train"]).unlink()
    write(root / "data/avsd/avsd_all_videos_mapping.json", {"T0": "Charades_v1/T0.mp4"})
    found = inventory(root, "avsd")
    assert states(found) == {
        AVSD_FILES["train"]: "absent",
        AVSD_FILES["test"]: "read",
        DSTC7_TRAIN: "absent",
        instruct: "read",
        "avsd_all_videos_mapping.json": "read",
    }
    content = split_of(found, "train").content
    assert content is not None
    assert content.missing == {"T0": "Charades_v1/T0.mp4: no such file"}


def test_a_stand_in_of_rooms_is_told(root: Path) -> None:
    asked = [{"from": "human", "value": "<image>\nWhat is red?"}, {"from": "gpt", "value": "lamp"}]
    records = [
        {"id": f"train-{number}", "video": scene, "conversations": asked}
        for number, scene in enumerate((SCENES["train"], "scene0001_00"))
    ]
    write(scanqa(root) / "data/scanqa" / SCANQA_INSTRUCT, records)
    assert states(inventory(root, "scanqa"))[SCANQA_INSTRUCT] == "not read"
    (root / "data/scanqa" / SCANQA_FILES["train"]).unlink()
    found = inventory(root, "scanqa")
    read = states(found)
    assert (read[SCANQA_FILES["train"]], read[SCANQA_INSTRUCT]) == ("absent", "read")
    content = split_of(found, "train").content
    assert content is not None
    assert (content.kept, content.clips) == (2, 2)
    assert list(content.missing) == ["scene0001_00"]


def test_clip_files_are_hashed_when_asked(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = inventory(scanqa(root), "scanqa", hashes=True)
    assert "hashing clips" in capsys.readouterr().err
    train, val = (split_of(found, split).content for split in ("train", "val"))
    assert train is not None
    assert val is not None
    assert val.clip_sha256 == {SCENES["val"]: hashlib.sha256(b"y" * 1500).hexdigest()}
    contents = {
        "color/0.jpg": b"x" * 30,
        "depth/0.png": b"x" * 20,
        "pose/0.txt": b"x" * 6,
        "intrinsic/intrinsic_depth.txt": b"1 0\n",
    }
    scene = SCENES["train"]
    names = {f"{scene}/{name}": hashlib.sha256(raw).hexdigest() for name, raw in contents.items()}
    assert train.clip_sha256 == {scene: hash_data(names)}
    digest = hash_data(val.clip_sha256)[:12]
    assert f"val: sha256 over 1 of 1 clips: {digest}" in printed(found).splitlines()
    write(root / f"data/scannet/scans/{scene}/pose/0.txt", b"z" * 6)
    changed = split_of(inventory(root, "scanqa", hashes=True), "train").content
    assert changed is not None
    assert changed.clip_sha256 != train.clip_sha256


def test_every_view_that_x_is_drawn_from_is_looked_for(root: Path) -> None:
    folder = "takes/toy_dance_1/frame_aligned_videos"
    names = {"ego": "aria.mp4", "exo1": "cam01.mp4"}
    row = {
        "scenario_name": "Dance",
        "proficiency_score": "Novice",
        "video_paths": {view: f"{folder}/{name}" for view, name in names.items()},
    }
    turns = [{"from": "human", "value": "<image>\nHow well?"}, {"from": "gpt", "value": "Novice"}]
    for split, take in (("train", "t1"), ("val", "t2")):
        rows = [{**row, "take_uid": take}]
        write(root / "data/egoexo" / OFFICIAL[split], {"annotations": rows})
    write(
        root / "data/egoexo" / INSTRUCT["train"],
        [{"id": "t1", "video": "t1", "conversations": turns}],
    )
    views = root / "data/egoexo4d" / folder / "downscaled/448"
    write(views / "aria.mp4", b"ego")
    content = split_of(inventory(root, "egoexo"), "val").content
    assert content is not None
    assert content.missing == {"t2": f"{folder}/downscaled/448/cam01.mp4: no such file"}
    write(views / "cam01.mp4", b"exo")
    found = inventory(root, "egoexo")
    assert found.complete
    assert "no published count is known" in printed(found)
    keys = ("align.drawing", "sft.view.drawing", "evaluate.view.drawing")
    two = inventory(root, "egoexo", overrides={f"{key}.count": 2 for key in keys})
    content = split_of(two, "val").content
    assert content is not None
    assert content.missing == {
        "t2": f"{folder}/downscaled/448/aria.mp4: 1 other views listed, 2 drawn from"
    }
    (views / "cam01.mp4").unlink()
    assert inventory(root, "egoexo", recipe="released").complete  # the ego view is shown again


def test_each_test_set_of_music_avqa_is_a_benchmark(root: Path) -> None:
    row = {
        "type": '["Audio", "Counting"]',
        "question_content": "How many?",
        "templ_values": "[]",
        "anser": "two",
    }
    names = (*MUSIC_FILES.values(), *ORIGINAL_MUSIC_FILES.values())
    for number, name in enumerate(names):
        ids = {"video_id": f"0000000{number}", "question_id": number}
        write(root / "data/music_avqa" / name, [row | ids])
        write(root / f"data/music_avqa/videos/MUSIC-AVQA-videos-Real/0000000{number}.mp4", b"film")
    found = inventory(root, "music_avqa")
    assert found.complete
    train = split_of(found, "train").content
    assert train is not None
    assert (train.kept, train.comparisons) == (2, ())  # questions about sound are met twice
    types = {" ".join(pair) for pair in MUSIC_TYPES}
    test = split_of(found, "test").content
    assert test is not None
    assert set(test.differing_groups) == types
    assert test.differing_groups["Audio Counting"] == Comparison(
        1_017, "questions", "checked", -1_016
    )
    assert "Audio-Visual Temporal (822 questions: 822 fewer here)" in printed(found)
    assert inventory(root, "music_avqa_original").complete
    (root / "data/music_avqa" / ORIGINAL_MUSIC_FILES["test"]).unlink()
    assert inventory(root, "music_avqa").complete
    assert verdict(inventory(root, "music_avqa_original")) == "incomplete: not readable: test"


def test_missing_roots_say_which_key_to_set(root: Path) -> None:
    found = inventory(root, "scanqa")
    annotations, clips = root / "data/scanqa", root / "data/scannet/scans"
    assert found.annotations.advice == (
        f"no folder {annotations}; put the data there or set data.scanqa in config/site.yaml to "
        "where they lie"
    )
    assert found.clips.advice == (
        f"no folder {clips}; put the data there or set data.scannet in config/site.yaml to the "
        "folder that holds scans/"
    )
    assert f"data.scanqa: {found.annotations.advice}" in printed(found).splitlines()
    replace(root, "config/site.yaml", "  scanqa: data/scanqa\n", "")
    with pytest.raises(InputError, match=r"config/site\.yaml.*scanqa"):
        inventory(root, "scanqa")


def test_a_rendered_world_is_synthetic_and_compared_with_nothing(root: Path) -> None:
    world = root / "runs/demo/world/rooms"
    found = inventory(root, "scanqa", scale="demo")
    assert found.synthetic
    assert found.annotations.advice == (
        f"no folder {world / 'scanqa'}; run `lynx world --name rooms`"
    )
    assert [entry.counted for entry in found.splits] == [True, True, True]
    for number, name in enumerate(SCANQA_FILES.values()):
        item = question("train", number, scene_id=f"scene900{number}_00")
        tags = {item["question_id"]: {"needs": "x"}}
        write(world / "scanqa" / name, [item])
        write(world / "scanqa" / name.replace(".json", ".tags.json"), tags)
        export(world / "scannet/scans", item["scene_id"])
    found = inventory(root, "scanqa", scale="demo")
    assert found.complete
    assert all(entry.content and not entry.content.comparisons for entry in found.splits)
    assert states(found)[SCANQA_FILES["val"].replace(".json", ".tags.json")] == "read"
    text = printed(found)
    assert "scale: demo, synthetic world" in text
    assert "synthetic data rendered by this project" in text
    assert "http" not in text


def test_json_holds_everything(root: Path) -> None:
    (scanqa(root) / f"data/scannet/scans/{SCENES['val']}/{SCENES['val']}.sens").unlink()
    plain = json.loads(json.dumps(as_dict(inventory(root, "scanqa"))))
    assert plain["complete"] is False
    assert plain["benchmark"] == "scanqa"
    assert plain["clips"] == {
        "key": "data.scannet",
        "path": (root / "data/scannet/scans").as_posix(),
        "advice": None,
    }
    assert plain["files"][2] == {
        "name": SCANQA_FILES["test_w_obj"],
        "state": "absent",
        "bytes": None,
        "sha256": None,
    }
    assert plain["splits"][1] == {
        "split": "val",
        "counted": True,
        "error": None,
        "content": {
            "kept": 2,
            "dropped": {},
            "clips": 1,
            "missing": {SCENES["val"]: f"{SCENES['val']}: 0 .sens files and no color/ folder"},
            "bytes": 0,
            "clip_sha256": {},
            "comparisons": [
                {
                    "published": 4_675,
                    "unit": "questions",
                    "confidence": "published",
                    "difference": -4_673,
                },
                {"published": 71, "unit": "scenes", "confidence": "published", "difference": -70},
            ],
            "differing_groups": {},
        },
    }


@pytest.mark.parametrize("width", [80, 160])
def test_tables_fit_the_terminal(root: Path, width: int) -> None:
    found = inventory(avsd(root, dialogs=1_710), "avsd")
    tables = [line for line in printed(found, width).splitlines() if "  " in line]
    assert tables
    assert max(map(len, tables)) <= width
    assert not any("…" in line for line in tables)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1_500, "1.5 kB"), (36_670_000_000, "36.7 GB")]
)
def test_sizes_are_short(count: int, text: str) -> None:
    assert size(count) == text


def test_nothing_of_it_imports_torch() -> None:
    code = "import sys, lynx.report.inventory_table; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
