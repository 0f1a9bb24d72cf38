"""Faults anywhere in the annotation of any registered benchmark: a sentence, or good samples.

Each value of the fixtures' first items is left out, or something else stands in its place. The
contract test sees to it that every benchmark has its fixture.
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


def files_of(name: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Each split that the fixtures have files of."""
    if name in TRAINING_SETS:
        yield "train", TRAINING_SETS[name].files
        return
    yield CASES[name].split, CASES[name].files
    if CASES[name].training:
        yield "train", CASES[name].training


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
        (root / name).write_text(json.dumps(content))


@pytest.mark.parametrize("name", sorted({*CASES, *TRAINING_SETS}))
def test_any_fault_is_a_sentence_about_its_file(name: str, tmp_path: Path) -> None:
    benchmark, refused = get_benchmark(name), 0
    for split, files in files_of(name):
        root = tmp_path / split
        write(root, files)
        first = next(file for file, content in files.items() if content)
        for place in places(files[first]):
            for wrong in (GONE, *WRONG):
                write(root, {first: changed(files[first], place, wrong)})
                try:
                    samples = benchmark.read(root, split).samples
                except InputError as error:
                    refused += 1
                    sentence = str(error)
                    assert sentence.startswith(str(root)), (place, wrong)
                    assert len(sentence.splitlines()) == 1, (place, wrong)
                    assert "expected" in sentence, (place, wrong)
                    assert ";" in sentence, (place, wrong)
                else:
                    write_samples(tmp_path / "table.jsonl", samples)
                    assert read_samples(tmp_path / "table.jsonl") == samples
                    for sample in samples:
                        assert benchmark.prompt(sample, 0)
    assert refused > 50


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
