from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lynx.benchmarks.llava_video import CONFIGS, chosen_files, mapping_files, official_file, read
from lynx.benchmarks.sample import Sample, Turn
from lynx.errors import InputError

FIRST, SECOND = CONFIGS[:2]


def _record(name: str = "v1", answer: str = "An egg.", **changes: Any) -> dict[str, Any]:
    said = [
        {"from": "human", "value": "<image>\nWhat is in the pan?"},
        {"from": "gpt", "value": answer},
    ]
    record = {"id": name, "video": f"academic_source/Toy/{name}.mp4", "conversations": said}
    return record | {"data_source": FIRST} | changes


def _write(root: Path, name: str, records: object) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(records))
    return path


def _all(root: Path, *records: dict[str, Any]) -> Path:
    """The first configuration with these records, the others with none."""
    for config in CONFIGS:
        _write(root, official_file(config), list(records) if config == FIRST else [])
    return root


def _refusal(root: Path, allow_missing: float = 0.0) -> str:
    with pytest.raises(InputError) as caught:
        read(root, "train", allow_missing)
    return str(caught.value)


def test_the_first_two_records_of_each_id_are_kept(tmp_path: Path) -> None:
    rows = [_record(), _record("v2", "b"), _record(answer="c"), _record(answer="d"), _record("v2")]
    found = read(_all(tmp_path, *rows), "train")
    assert [(sample.id, sample.turns[0].answer) for sample in found.samples] == [
        (f"{FIRST}/v1", "An egg."),
        (f"{FIRST}/v2", "b"),
        (f"{FIRST}/v1#2", "c"),
        (f"{FIRST}/v2#2", "An egg."),
    ]
    assert found.samples[0] == Sample(
        id=f"{FIRST}/v1",
        clip=f"{FIRST}--academic_source--Toy--v1.mp4",
        turns=(Turn(question="What is in the pan?", answer="An egg."),),
        references=("An egg.",),
    )
    assert found.clip_files == {
        f"{FIRST}--academic_source--Toy--{name}.mp4": (f"{FIRST}/academic_source/Toy/{name}.mp4",)
        for name in ("v1", "v2")
    }
    assert found.files == [tmp_path / official_file(config) for config in CONFIGS]


def test_one_id_in_two_configurations_is_two_videos(tmp_path: Path) -> None:
    _all(tmp_path, _record())
    _write(tmp_path, official_file(SECOND), [_record()])
    samples = read(tmp_path, "train").samples
    assert [sample.id for sample in samples] == [f"{FIRST}/v1", f"{SECOND}/v1"]
    assert len({sample.clip for sample in samples}) == 2


@pytest.mark.parametrize("place", [0, 1])
def test_the_choice_of_pave_is_read_without_the_official_file(tmp_path: Path, place: int) -> None:
    _all(tmp_path, _record())
    chosen = _write(tmp_path, chosen_files(FIRST)[place], [_record("chosen")])
    assert [sample.id for sample in read(tmp_path, "train").samples] == [f"{FIRST}/v1"]
    (tmp_path / official_file(FIRST)).unlink()
    found = read(tmp_path, "train")
    assert [sample.id for sample in found.samples] == [f"{FIRST}/chosen"]
    assert found.files[0] == chosen


@pytest.mark.parametrize("place", [0, 1])
def test_a_mapping_moves_videos_below_their_source(tmp_path: Path, place: int) -> None:
    _all(tmp_path, _record(), _record("v2"))
    mapping = _write(tmp_path, mapping_files(FIRST)[place], {"v1": "moved/one.mp4"})
    found = read(tmp_path, "train")
    assert list(found.clip_files.values()) == [
        (f"{FIRST}/academic_source/moved/one.mp4",),
        (f"{FIRST}/academic_source/Toy/v2.mp4",),
    ]
    assert found.files[-1] == mapping


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    _all(tmp_path, _record())
    (tmp_path / official_file(SECOND)).unlink()
    assert _refusal(tmp_path) == (
        f"{tmp_path}/{SECOND}/1_2_m_youtube_oe_v0_1_qa_processed.json: file not found, expected "
        "it, or PAVE's 1_2_m_youtube_oe_v0_1_qa_processed_2pv.json, with the open questions of "
        f"{SECOND}; copy the folders {', '.join(CONFIGS)} of lmms-lab/LLaVA-Video-178K on the "
        "Hugging Face hub, with the archives in them unpacked"
    )


def test_a_name_stays_below_the_media_root(tmp_path: Path) -> None:
    root = _all(tmp_path, _record(video="../v1.mp4"))
    assert _refusal(root) == (
        f"{root}/{official_file(FIRST)}, item 0 (from 0): found the file name '../v1.mp4', "
        "expected a relative name that stays below the media root; correct the file"
    )


def test_a_record_without_an_answer_needs_a_budget(tmp_path: Path) -> None:
    root = _all(tmp_path, _record(), _record("v2", " "))
    assert _refusal(root) == (
        f"{root}/{official_file(FIRST)}: question '{FIRST}/v2': found empty answer (1 of 2 "
        "questions are unusable), expected at most the share allow_missing = 0; correct the file, "
        "or of a training split raise allow_missing"
    )
    found = read(root, "train", 0.5)
    assert found.dropped == {"empty answer": 1}
    assert list(found.clip_files) == [f"{FIRST}--academic_source--Toy--v1.mp4"]


def test_there_is_nothing_to_score(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, "test")
    assert str(caught.value) == "split: found 'test', expected one of train; correct the recipe"
