from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lynx.benchmarks import music_avqa_original
from lynx.benchmarks.music_avqa import BENCHMARK as MUSIC_AVQA
from lynx.benchmarks.music_avqa import FILES, TYPES, prompt, published_name, read
from lynx.benchmarks.sample import Sample, Turn
from lynx.errors import InputError

INSTRUCT = "music_avqa_train_instruct_duplicate_audio.json"
PUBLISHED = "; use the file as published"


def _item(number: int = 3, **changes: Any) -> dict[str, Any]:
    item = {
        "video_id": "00009999",
        "question_id": number,
        "type": '["Audio-Visual", "Counting"]',
        "question_content": "How many sounding <Object> in the video?",
        "templ_values": '["flute"]',
        "question_deleted": 0,
        "anser": "two",
    }
    return {key: value for key, value in (item | changes).items() if value is not ...}


def _visual(number: int, **changes: Any) -> dict[str, Any]:
    return _item(number, **({"type": '["Visual", "Location"]', "anser": "left"} | changes))


def _record(number: int, question: str, answer: str) -> dict[str, Any]:
    turns = [{"from": "human", "value": f"<image>\n{question}"}, {"from": "gpt", "value": answer}]
    return {"id": number, "video": "00009999", "conversations": turns}


def _write(root: Path, content: object, name: str = FILES["test"]) -> Path:
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def _refusal(root: Path, split: str = "test", allow_missing: float = 1.0) -> str:
    with pytest.raises(InputError) as caught:
        read(root, split, allow_missing)
    return str(caught.value)


def test_the_official_file_becomes_samples(tmp_path: Path) -> None:
    path = _write(tmp_path, [_item()])
    annotation = read(tmp_path, "test")
    assert annotation.samples == [
        Sample(
            id="3",
            clip="00009999",
            turns=(Turn(question="How many sounding flute in the video?", answer="two"),),
            references=("two",),
            type="Audio-Visual Counting",
            tags={"scenario": "Audio-Visual"},
        )
    ]
    assert prompt(annotation.samples[0], 0) == "How many sounding flute in the video?"
    assert annotation.files == [path]
    assert annotation.clip_files == {"00009999": ("MUSIC-AVQA-videos-Real/00009999.mp4",)}


def test_the_first_test_set_is_a_benchmark_of_its_own() -> None:
    assert MUSIC_AVQA.splits == ("train", "val", "test")
    assert music_avqa_original.BENCHMARK.splits == ("test",)
    assert FILES["test"] == "json_update/avqa-test.json"
    assert music_avqa_original.FILES == {"test": "json/avqa-test.json"}


@pytest.mark.parametrize(
    ("question", "values", "filled"),
    [
        ("Is it <A>?", ["b"], "Is it b?"),
        (
            "Where is the <LL> <Object> of the <Object>?",
            ["first", "erhu", "suona"],
            "Where is the first erhu of the suona?",
        ),
        ("No slot?", [], "No slot?"),
        ("<A> and <B>", ["<B>", "c"], "<B> and c"),
        (r"<A>", [r"\1"], r"\1"),
    ],
)
def test_slots_are_filled_from_left_to_right(
    tmp_path: Path, question: str, values: list[str], filled: str
) -> None:
    _write(tmp_path, [_item(question_content=question, templ_values=json.dumps(values))])
    assert read(tmp_path, "test").samples[0].turns[0].question == filled


def test_training_meets_questions_about_sound_twice(tmp_path: Path) -> None:
    rows = [_item(1), _visual(2), _item(3, type='["Audio", "Counting"]'), _item(1)]
    _write(tmp_path, rows, FILES["train"])
    samples = read(tmp_path, "train").samples
    assert [sample.id for sample in samples] == ["1", "1#2", "2", "3", "3#2", "1#3", "1#4"]
    assert samples[0].model_copy(update={"id": "1#2"}) == samples[1]


def test_the_instruct_file_teaches_the_same_where_the_official_one_is_missing(
    tmp_path: Path,
) -> None:
    asked = "How many sounding flute in the video?"
    records = [_record(1, asked, "two"), _record(1, asked, "two"), _record(2, asked, "left")]
    instruct = _write(tmp_path, records, INSTRUCT)
    taught = read(tmp_path, "train")
    official = _write(tmp_path, [_item(1), _visual(2)], FILES["train"])
    annotation = read(tmp_path, "train")
    assert (taught.files, annotation.files) == ([instruct], [official])
    bare = [sample.model_copy(update={"type": None, "tags": {}}) for sample in annotation.samples]
    assert bare == taught.samples
    assert taught.clip_files == annotation.clip_files


def test_repeated_rows_of_the_original_test_all_count(tmp_path: Path) -> None:
    _write(tmp_path, [_item(1), _item(2), _item(1)], music_avqa_original.FILES["test"])
    samples = music_avqa_original.read(tmp_path, "test").samples
    assert [sample.id for sample in samples] == ["1", "2", "1#2"]


def test_the_corrected_test_has_no_repeated_rows(tmp_path: Path) -> None:
    path = _write(tmp_path, [_item(1), _item(2), _item(1)])
    assert _refusal(tmp_path) == (
        f"{path}: found question '1' more than once, expected unique question ids; remove the "
        "duplicate"
    )


@pytest.mark.parametrize(
    ("clip", "name"),
    [
        ("00000093", "MUSIC-AVQA-videos-Real/00000093.mp4"),
        ("va00000093", "MUCIS-AVQA-videos-Synthetic/va00000093.mp4"),
    ],
)
def test_videos_stand_where_the_release_puts_them(clip: str, name: str) -> None:
    assert published_name(clip) == name


def test_the_mapping_goes_first(tmp_path: Path) -> None:
    path = _write(tmp_path, [_item(1), _item(2, video_id="va1")])
    mapping = _write(tmp_path, {"va1": "more/va1.mp4"}, "music_avqa_all_videos_mapping.json")
    annotation = read(tmp_path, "test")
    assert annotation.files == [path, mapping]
    assert annotation.clip_files == {
        "00009999": ("MUSIC-AVQA-videos-Real/00009999.mp4",),
        "va1": ("more/va1.mp4",),
    }


@pytest.mark.parametrize(
    ("changes", "rest"),
    [
        (
            {"anser": ..., "answer": "two"},
            "found no field 'anser' among answer, question_content, question_deleted, question_id, "
            "templ_values, type, video_id, expected a string" + PUBLISHED,
        ),
        (
            {"templ_values": "[]"},
            "found 1 slots in 'How many sounding <Object> in the video?' and 0 values in "
            "'templ_values', expected a value for each slot" + PUBLISHED,
        ),
        (
            {"templ_values": '["a", "b"]'},
            "found 1 slots in 'How many sounding <Object> in the video?' and 2 values in "
            "'templ_values', expected a value for each slot" + PUBLISHED,
        ),
        (
            {"templ_values": ["flute"]},
            "field 'templ_values': found a list, expected a string" + PUBLISHED,
        ),
        (
            {"templ_values": "flute"},
            "field 'templ_values': found 'flute', expected a JSON list of strings in a string"
            + PUBLISHED,
        ),
        (
            {"templ_values": "[1]"},
            "field 'templ_values': found '[1]', expected a JSON list of strings in a string"
            + PUBLISHED,
        ),
        (
            {"type": '["Audio", "Temporal"]'},
            "field 'type': found ['Audio', 'Temporal'], expected a scenario and one of its "
            "question types, such as Audio and Counting" + PUBLISHED,
        ),
        (
            {"video_id": "../1"},
            "found the file name '../1', expected a relative name that stays below the media root; "
            "correct the file",
        ),
        (
            {"video_id": "a/1"},
            "found the clip id 'a/1', expected a plain name without folders; correct the file",
        ),
    ],
)
def test_faults_of_the_file_are_sentences(
    tmp_path: Path, changes: dict[str, Any], rest: str
) -> None:
    path = _write(tmp_path, [_item(3, **changes)])
    assert _refusal(tmp_path) == f"{path}: question '3': {rest}"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"anser": " "}, "empty answer"),
        ({"question_content": "", "templ_values": "[]"}, "empty question"),
    ],
)
def test_unusable_questions_need_a_budget_and_are_counted(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    path = _write(tmp_path, [_item(1), _item(2, **changes)])
    assert _refusal(tmp_path, allow_missing=0.4) == (
        f"{path}: question '2': found {reason} (1 of 2 questions are unusable), expected at most "
        "the share allow_missing = 0.4; correct the file, or "
        "of a training split raise allow_missing"
    )
    assert read(tmp_path, "test", 0.5).dropped == {reason: 1}


@pytest.mark.parametrize("split", MUSIC_AVQA.splits)
def test_a_missing_file_says_how_to_get_it(tmp_path: Path, split: str) -> None:
    if split != "train":  # the instruct file stands in for training alone
        _write(tmp_path, [], INSTRUCT)
    assert _refusal(tmp_path, split) == (
        f"{tmp_path}/{FILES[split]}: file not found, expected the {split} annotation; copy the "
        "folders json and json_update from data/ of the repository GeWu-Lab/MUSIC-AVQA and, for "
        "the videos, follow its links"
    )


def test_metrics_by_type_and_scenario(tmp_path: Path) -> None:
    _write(
        tmp_path,
        [
            _item(1),
            _item(2, type='["Audio-Visual", "Existential"]', anser="no"),
            _item(3, type='["Audio", "Comparative"]', anser="yes"),
            _item(4, type='["Audio", "Counting"]', anser="acoustic_guitar"),
            _visual(5),
            _visual(6),
            _visual(7, type='["Visual", "Counting"]', anser="one"),
        ],
    )
    samples = read(tmp_path, "test").samples
    predictions = {
        "1": "Two.",  # both right
        "2": "piano",  # a substring alone
        "3": "",  # blank: wrong
        "4": "acoustic guitar",  # the exact rule alone: the underscore is a space to it
        "5": "left",  # both right
        "7": "saxophone",  # a substring alone
    }
    scores = MUSIC_AVQA.score(samples, predictions)
    assert tuple(scores.metrics) == MUSIC_AVQA.metrics == ("substring_accuracy", "exact_accuracy")
    assert {key: metric.value for key, metric in scores.metrics.items()} == {
        "substring_accuracy": 4 / 7,
        "exact_accuracy": 3 / 7,
    }
    assert (scores.samples, scores.missing, scores.empty) == (7, 1, 1)
    found = {
        group: (values["substring_accuracy"].value, values["exact_accuracy"].value)
        for group, values in scores.groups["scenario"].items()
    }
    assert found == {"Audio": (0, 1 / 2), "Audio-Visual": (1, 1 / 2), "Visual": (2 / 3, 1 / 3)}
    assert scores.groups["scenario"]["Visual"]["exact_accuracy"].count == 3
    types = scores.groups["type"]
    assert types["Visual Location"]["substring_accuracy"].value == 1 / 2
    assert types["Visual Counting"]["exact_accuracy"].value == 0
    assert set(types) < {" ".join(pair) for pair in TYPES}
    assert len(TYPES) == 9
