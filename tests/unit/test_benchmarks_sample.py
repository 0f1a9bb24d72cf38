from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lynx.benchmarks.sample import Sample, Turn, read_samples, write_samples
from lynx.errors import InputError

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
SAMPLES = st.lists(
    st.builds(
        Sample,
        id=TEXT,
        clip=TEXT,
        turns=st.lists(st.builds(Turn, question=TEXT, answer=TEXT), min_size=1, max_size=3).map(
            tuple
        ),
        references=st.lists(TEXT, max_size=3).map(tuple),
        type=st.none() | TEXT,
        tags=st.dictionaries(TEXT, TEXT, max_size=2),
    ),
    max_size=4,
    unique_by=lambda sample: sample.id,
)


def _sample(name: str) -> Sample:
    turn = Turn(question="What is red?", answer="chair")
    return Sample(id=name, clip="scene0000_00", turns=(turn,), references=("chair",))


@given(samples=SAMPLES)
def test_a_table_comes_back_as_it_went(
    tmp_path_factory: pytest.TempPathFactory, samples: list[Sample]
) -> None:
    path = tmp_path_factory.mktemp("table") / "samples.jsonl"
    write_samples(path, samples)
    assert read_samples(path) == samples


def test_the_table_is_one_object_a_line(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    write_samples(path, [_sample("q1"), _sample("é")])
    assert path.read_bytes().decode() == "".join(
        f'{{"id":"{name}","clip":"scene0000_00","turns":[{{"question":"What is red?",'
        '"answer":"chair"}],"references":["chair"],"type":null,"tags":{}}\n'
        for name in ("q1", "é")
    )


FIELDS = "expected a sample with the fields id, clip, turns, references, type, tags"


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('"clip"', '"video"', "clip: Field required"),
        ('"tags":{}', '"tags":{},"extra":1', "extra: Extra inputs are not permitted"),
        ('"id":"q2"', '"id":2', "id: Input should be a valid string"),
        (
            '[{"question":"What is red?","answer":"chair"}]',
            "[]",
            "turns: Tuple should have at least 1 item after validation, not 0",
        ),
        ('"question":"What is red?"', '"question":3', "turns.0.question: Input should be a valid"),
    ],
)
def test_errors_name_file_line_and_field(tmp_path: Path, old: str, new: str, found: str) -> None:
    path = tmp_path / "samples.jsonl"
    write_samples(path, [_sample("q1"), _sample("q2")])
    first, second = path.read_text().splitlines()
    assert old in second
    path.write_text(f"{first}\n{second.replace(old, new)}\n")
    with pytest.raises(InputError) as caught:
        read_samples(path)
    assert str(caught.value).startswith(f"{path}, line 2: {found}")
    assert FIELDS in str(caught.value)


@pytest.mark.parametrize("broken", ['{"id": "q', "", "[]", '"q2"'])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "samples.jsonl"
    write_samples(path, [_sample("q1")])
    with path.open("a") as file:
        file.write(f"{broken}\n")
    with pytest.raises(InputError) as caught:
        read_samples(path)
    assert str(caught.value).startswith(f"{path}, line 2: the line: ")


def test_an_id_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    write_samples(path, [_sample("q1"), _sample("q2"), _sample("q1")])
    with pytest.raises(InputError) as caught:
        read_samples(path)
    assert str(caught.value) == (
        f"{path}, line 3: found sample 'q1' again, expected each id once (first on line 1); write "
        "the table anew"
    )


def test_a_missing_table_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_samples(tmp_path / "samples.jsonl")
    assert str(caught.value) == (
        f"{tmp_path}/samples.jsonl: no sample table found, expected JSON Lines; run the stage that "
        "reads the benchmark's annotation first"
    )


def test_samples_do_not_change() -> None:
    with pytest.raises(ValidationError):
        _sample("q1").clip = "scene0001_00"
