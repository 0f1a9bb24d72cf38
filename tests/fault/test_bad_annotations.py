"""Faults anywhere in the annotation of any registered benchmark: a sentence, or good samples.

In every file of the fixtures each value of the first item is left out, or something else stands in
its place. The contract test sees to it that every benchmark has its fixture.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lynx.benchmarks import get_benchmark
from lynx.benchmarks.sample import read_samples, write_samples
from lynx.errors import InputError
from tests.unit.benchmark_cases import CASES, TRAINING_SETS

HALF = "\ud800"  # half a character: JSON can hold it, UTF-8 cannot
WRONG: tuple[object, ...] = (
    None, True, -1, 0.5, 10**30, float("inf"), "", " ", HALF, "a\0b", "../x", "/x", [], {}, [None],
)  # fmt: skip
GONE = object()

Place = tuple[str | int, ...]


MAPPED: dict[str, dict[str, object]] = {
    "avqa": {"avqa_from_vid_to_video_name.json": {"aBcDeFgHiJk_000030": "a.mp4"}},
    "avsd": {"avsd_all_videos_mapping.json": {"A1": "a.mp4"}},
    "llava_video": {"1_2_m_academic_v0_1_videos_mapping_updated.json": {"v1": "a.mp4"}},
    "music_avqa": {"music_avqa_all_videos_mapping.json": {"00009999": "a.mp4"}},
    "music_avqa_original": {"music_avqa_all_videos_mapping.json": {"00009999": "a.mp4"}},
}
"""Files that the fixtures do without: which file shows a clip."""


def files_of(name: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Each split that the fixtures have files of; no list is without items."""
    mapped = MAPPED.get(name, {})
    if name in TRAINING_SETS:
        yield "train", TRAINING_SETS[name].files | mapped
        return
    case = CASES[name]
    yield case.split, filled(case.files) | mapped
    if case.training:
        yield "train", case.training | mapped
    if name == "egoexo":  # without the official file the mapping names the videos
        instruct = "proficiency_demonstrator_train_instruct.json"
        mapping: dict[str, object] = {"from_take_id_to_video.json": {"t7": "a.mp4"}}
        yield "train", {instruct: case.training[instruct]} | mapping


def filled(files: dict[str, object]) -> dict[str, object]:
    """With an item of the first file of several in those that are empty, as most tasks are."""
    some = next(content for content in files.values() if content)
    return {name: content or some[:1] for name, content in files.items()}  # type: ignore[index]


def places(value: object, before: Place = ()) -> Iterator[Place]:
    """Every value in a JSON text but for further items of its lists and objects of videos."""
    if before:
        yield before
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*before, key))
    elif isinstance(value, list):
        for number, item in enumerate(value[:1]):
            yield from places(item, (*before, number))


def changed(content: object, place: Place, wrong: object) -> object:
    result: Any = copy.deepcopy(content)
    holder = result
    for step in place[:-1]:
        holder = holder[step]
    if wrong is GONE:
        del holder[place[-1]]
    else:
        holder[place[-1]] = wrong
    return result


def write(root: Path, files: dict[str, object]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        (root / name).write_text(text)


@pytest.mark.parametrize("name", sorted({*CASES, *TRAINING_SETS}))
def test_any_fault_is_a_sentence_about_its_file(name: str, tmp_path: Path) -> None:
    benchmark, refused = get_benchmark(name), 0
    for number, (split, files) in enumerate(files_of(name)):
        root = tmp_path / str(number)
        write(root, files)
        assert benchmark.read(root, split).samples
        for file, place, wrong in faults(files):
            write(root, {file: changed(files[file], place, wrong)})
            try:
                samples = benchmark.read(root, split).samples
            except InputError as error:
                refused += 1
                sentence = str(error)
                assert sentence.startswith(str(root)), (file, place, wrong)
                # Or the tags beside it, where a question of theirs is gone.
                assert Path(file).stem in sentence, (file, place, wrong)
                assert len(sentence.splitlines()) == 1, (file, place, wrong)
                assert "expected" in sentence, (file, place, wrong)
                assert ";" in sentence, (file, place, wrong)
            else:
                write_samples(tmp_path / "table.jsonl", samples)
                assert read_samples(tmp_path / "table.jsonl") == samples
                for sample in samples:
                    assert benchmark.prompt(sample, 0)
            write(root, {file: files[file]})
    assert refused > 50


def faults(files: dict[str, object]) -> Iterator[tuple[str, Place, object]]:
    """What is put where in which file; subtitles, which are no JSON, stay as they are."""
    for file, content in files.items():
        if not isinstance(content, str):
            for place in places(content):
                for wrong in (GONE, *WRONG):
                    yield file, place, wrong


@pytest.mark.parametrize(
    ("name", "file", "field", "wrong"),
    [
        ("avqa", "val_qa.json", "question_text", HALF),
        ("mlvu", "json/1_plotQA.json", "question", HALF),
    ],
)
def test_half_a_character(name: str, file: str, field: str, wrong: str, tmp_path: Path) -> None:
    files = CASES[name].files
    write(tmp_path, files | {file: changed(files[file], (0, field), wrong)})
    with pytest.raises(InputError) as caught:
        get_benchmark(name).read(tmp_path, CASES[name].split)
    assert str(caught.value).startswith(
        f"{tmp_path / file}: found text that is not JSON ('utf-8' codec can't encode character "
    )
    assert str(caught.value).endswith(
        "surrogates not allowed), expected the annotation as published; get the file again"
    )
    whole = changed(files[file], (0, field), "\U0001f600?")  # both halves of a character are one
    write(tmp_path, {file: whole})
    assert get_benchmark(name).read(tmp_path, CASES[name].split).samples[0].turns[0].question == (
        "\U0001f600?"
    )


def test_brackets_without_end(tmp_path: Path) -> None:
    (tmp_path / "val_qa.json").write_text("[" * 200_000)
    with pytest.raises(InputError) as caught:
        get_benchmark("avqa").read(tmp_path, "val")
    assert str(caught.value).startswith(f"{tmp_path}/val_qa.json: found text that is not JSON (max")


def test_a_number_of_many_digits(tmp_path: Path) -> None:
    """Python converts no more than 4300 of them, and says so with a plain ValueError."""
    (tmp_path / "val_qa.json").write_text(f'[{{"id": {"9" * 5000}}}]')
    with pytest.raises(InputError) as caught:
        get_benchmark("avqa").read(tmp_path, "val")
    assert str(caught.value).startswith(
        f"{tmp_path}/val_qa.json: found text that is not JSON (Exceeds the limit (4300 digits)"
    )


@pytest.mark.parametrize("text", ["[" * 200_000, "[" + "9" * 5000 + "]", "[1"])
@pytest.mark.parametrize("field", ["type", "templ_values"])
def test_a_list_within_a_string(field: str, text: str, tmp_path: Path) -> None:
    files = CASES["music_avqa"].files
    file = next(iter(files))
    write(tmp_path, files | {file: changed(files[file], (0, field), text)})
    with pytest.raises(InputError) as caught:
        get_benchmark("music_avqa").read(tmp_path, CASES["music_avqa"].split)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / file}: question ")
    assert f"field {field!r}: found '{text[:5]}" in said
    assert said.endswith("expected a JSON list of strings in a string; use the file as published")


@pytest.mark.parametrize(
    ("name", "file", "place", "field"),
    [
        ("videomme", "videomme/test.json", (0,), "question_id"),
        ("avsd", next(iter(CASES["avsd"].files)), ("dialogs", 0), "image_id"),
    ],
)
def test_a_blank_id(name: str, file: str, place: Place, field: str, tmp_path: Path) -> None:
    files = CASES[name].files
    write(tmp_path, files | {file: changed(files[file], (*place, field), " ")})
    with pytest.raises(InputError) as caught:
        get_benchmark(name).read(tmp_path, CASES[name].split)
    where = f"{tmp_path / file}" + (", 'dialogs'" if "dialogs" in place else "")
    assert str(caught.value) == (
        f"{where}, item 0 (from 0): field {field!r}: found ' ', expected an id; use the file as "
        "published"
    )


def test_a_blank_id_of_a_record(tmp_path: Path) -> None:
    files = TRAINING_SETS["llava_video"].files
    file = next(iter(files))
    write(tmp_path, files | {file: changed(files[file], (0, "id"), "")})
    with pytest.raises(InputError) as caught:
        get_benchmark("llava_video").read(tmp_path, "train")
    assert str(caught.value) == (
        f"{tmp_path / file}, item 0 (from 0): field 'id': found '', expected an id; use the file "
        "as published"
    )


@pytest.mark.parametrize(
    ("name", "file"), [("mvbench", "json/moving_count.json"), ("mlvu", "json/1_plotQA.json")]
)
@pytest.mark.parametrize("answer", [None, GONE])
def test_no_answer_is_not_the_option_none(
    name: str, file: str, answer: object, tmp_path: Path
) -> None:
    row = {"video": "a.mp4", "question": "Who?", "candidates": ["None", "one"], "answer": "None"}
    write(tmp_path, CASES[name].files | {file: [row]})
    split = CASES[name].split
    read = get_benchmark(name).read
    chosen = [item for item in read(tmp_path, split).samples if "None" in item.options]
    assert [sample.references for sample in chosen] == [("A",)]
    write(tmp_path, {file: changed([row], (0, "answer"), answer)})
    with pytest.raises(InputError) as caught:
        read(tmp_path, split)
    assert str(caught.value) == (
        f"{tmp_path / file}, item 0 (from 0): field 'answer': found None, expected one of the "
        "options None, one; use the file as published"
    )
