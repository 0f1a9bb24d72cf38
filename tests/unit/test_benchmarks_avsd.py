from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from lynx.benchmarks.avsd import BENCHMARK as AVSD
from lynx.benchmarks.avsd import DSTC7_TRAIN, FILES, prompt, read
from lynx.benchmarks.sample import Sample, Turn
from lynx.errors import InputError
from lynx.metrics.captions import CAPTION_METRICS

PUBLISHED = "; use the file as published"
HOW = (
    "download avsd_train.json from video-dialog.com or train_set4DSTC7-AVSD.json of the DSTC7 AVSD "
    "track, the single-reference test file of the DSTC10 AVSD track, and the videos of Charades"
)


def _turns(count: int) -> list[dict[str, str]]:
    return [{"question": f"q{n} ?", "answer": f"a{n} ."} for n in range(1, count + 1)]


def _taught(first: int, last: int) -> tuple[Turn, ...]:
    return tuple(Turn(question=f"q{n} ?", answer=f"a{n} .") for n in range(first, last + 1))


def _dialog(video: str = "ZZ1QX", answer: str = "no , he only hums .") -> dict[str, Any]:
    return {
        "image_id": video,
        "caption": "a man hums",
        "summary": "he hums",
        "dialog": [
            {"question": "how many people ?", "answer": "just one ."},
            {"question": "does he speak ?", "answer": answer},
        ],
    }


def _record(name: str, first: int, last: int) -> dict[str, Any]:
    said = [
        {"from": speaker, "value": text}
        for n in range(first, last + 1)
        for speaker, text in (("human", f"q{n} ?"), ("gpt", f"a{n} ."))
    ]
    said[0]["value"] = "<image>\n" + said[0]["value"]
    return {"id": name, "video": "V1.mp4", "conversations": said}


def _write(root: Path, content: object, name: str = FILES["test"]) -> Path:
    path = root / name
    path.write_text(json.dumps(content))
    return path


def _train(root: Path, **videos: list[dict[str, str]]) -> Path:
    content = {video: {"data": turns, "caption": "x"} for video, turns in videos.items()}
    return _write(root, content, FILES["train"])


def _challenge(root: Path, **videos: list[dict[str, str]]) -> Path:
    dialogs = [
        {"image_id": video, "caption": "x", "summary": "y", "dialog": turns}
        for video, turns in videos.items()
    ]
    return _write(root, {"dialogs": dialogs}, DSTC7_TRAIN)


def _refusal(root: Path, split: str = "test", allow_missing: float = 1.0) -> str:
    with pytest.raises(InputError) as caught:
        read(root, split, allow_missing)
    return str(caught.value)


def test_a_training_dialog_is_cut_in_two_and_every_answer_taught(tmp_path: Path) -> None:
    path = _train(tmp_path, V1=_turns(10))
    annotation = read(tmp_path, "train")
    assert annotation.samples == [
        Sample(id="V1_0", clip="V1", turns=_taught(1, 5), references=("a5 .",)),
        Sample(id="V1_1", clip="V1", turns=_taught(6, 10), references=("a10 .",)),
    ]
    assert annotation.files == [path]
    assert annotation.dropped == {}
    assert annotation.clip_files == {"V1": ("V1.mp4",)}


def test_the_remainder_is_dropped_and_counted(tmp_path: Path) -> None:
    _train(tmp_path, V1=_turns(12), V2=_turns(4), V3=_turns(5))
    annotation = read(tmp_path, "train")
    assert [sample.id for sample in annotation.samples] == ["V1_0", "V1_1", "V3_0"]
    assert annotation.dropped == {"turn behind the last whole conversation of 5": 6}


def test_training_files_teach_the_same_and_the_first_that_is_there_is_read(tmp_path: Path) -> None:
    records = [_record("V1_0", 1, 5), _record("V1_1", 6, 10)]
    instruct = _write(tmp_path, records, "avsd_train_instruct.json")
    taught = read(tmp_path, "train")
    challenge = _challenge(tmp_path, V1=_turns(10))
    listed = read(tmp_path, "train")
    official = _train(tmp_path, V1=_turns(10))
    annotation = read(tmp_path, "train")
    assert [each.files for each in (taught, listed, annotation)] == [
        [instruct],
        [challenge],
        [official],
    ]
    assert taught.samples == listed.samples == annotation.samples
    assert taught.clip_files == listed.clip_files == annotation.clip_files


def test_the_challenges_training_file_is_cut_and_counted_alike(tmp_path: Path) -> None:
    path = _challenge(tmp_path, V1=_turns(12), V2=_turns(4))
    annotation = read(tmp_path, "train")
    assert [sample.id for sample in annotation.samples] == ["V1_0", "V1_1"]
    assert annotation.dropped == {"turn behind the last whole conversation of 5": 6}
    _write(tmp_path, {"dialogs": [{"image_id": "V1", "dialog": []}] * 2}, DSTC7_TRAIN)
    assert _refusal(tmp_path, "train") == (
        f"{path}: found video 'V1' more than once, expected unique video ids; remove the duplicate"
    )


def test_the_test_asks_the_last_question_behind_the_gold_history(tmp_path: Path) -> None:
    path = _write(tmp_path, {"dialogs": [_dialog()]})
    annotation = read(tmp_path, "test")
    assert annotation.samples == [
        Sample(
            id="ZZ1QX",
            clip="ZZ1QX",
            turns=(
                Turn(question="how many people ?", answer="just one ."),
                Turn(question="does he speak ?", answer="no , he only hums ."),
            ),
            references=("no , he only hums .",),
        )
    ]
    sample = annotation.samples[0]
    assert [prompt(sample, turn) for turn in (0, 1)] == ["how many people ?", "does he speak ?"]
    assert annotation.files == [path]
    assert annotation.clip_files == {"ZZ1QX": ("ZZ1QX.mp4",)}
    assert AVSD.splits == ("train", "test")


def test_an_undisclosed_answer_can_be_predicted_but_not_scored(tmp_path: Path) -> None:
    _write(tmp_path, {"dialogs": [_dialog(answer="__UNDISCLOSED__")]})
    samples = read(tmp_path, "test").samples
    assert samples[0].references == ()
    assert samples[0].turns[-1] == Turn(question="does he speak ?", answer="")
    with pytest.raises(InputError) as caught:
        AVSD.score(samples, {"ZZ1QX": "no"})
    assert str(caught.value) == (
        "sample 'ZZ1QX': found no reference answers, expected at least one; the answers of this "
        "split are not public, so score another split"
    )


def test_the_mapping_names_files(tmp_path: Path) -> None:
    path = _write(tmp_path, {"dialogs": [_dialog(), _dialog("YY")]})
    mapping = _write(tmp_path, {"YY": "Charades_v1/YY.mp4"}, "avsd_all_videos_mapping.json")
    annotation = read(tmp_path, "test")
    assert annotation.files == [path, mapping]
    assert annotation.clip_files == {"ZZ1QX": ("ZZ1QX.mp4",), "YY": ("Charades_v1/YY.mp4",)}


@pytest.mark.parametrize(
    ("content", "rest"),
    [
        ([], ": found no JSON object, expected one with the list 'dialogs'" + PUBLISHED),
        (
            {"dialog": []},
            ": found no field 'dialogs' among dialog, expected a list" + PUBLISHED,
        ),
        (
            {"dialogs": [{"dialog": []}]},
            ", 'dialogs', item 0 (from 0): found no field 'image_id' among dialog, expected a "
            "string" + PUBLISHED,
        ),
        (
            {"dialogs": [_dialog(), _dialog()]},
            ": found video 'ZZ1QX' more than once, expected unique video ids; remove the duplicate",
        ),
        (
            {"dialogs": [{"image_id": "a", "dialog": [{"question": "q ?"}]}]},
            ": video 'a', turn 1: found no field 'answer' among question, expected a string"
            + PUBLISHED,
        ),
        (
            {"dialogs": [_dialog("../a")]},
            ": video '../a': found the file name '../a', expected a relative name that stays below "
            "the media root; correct the file",
        ),
    ],
)
def test_faults_of_the_test_file_are_sentences(tmp_path: Path, content: object, rest: str) -> None:
    path = _write(tmp_path, content)
    assert _refusal(tmp_path) == f"{path}{rest}"


@pytest.mark.parametrize(
    ("content", "rest"),
    [
        (
            [],
            ": found no JSON object, expected {video id: {'data': turns}}" + PUBLISHED,
        ),
        (
            {"V1": {"dialog": []}},
            ": video 'V1': found no field 'data' among dialog, expected a list" + PUBLISHED,
        ),
        (
            {"V1": []},
            ": field 'V1': found a list, expected an object" + PUBLISHED,
        ),
        (
            {"a/b": {"data": []}},
            ": video 'a/b': found the clip id 'a/b', expected a plain name without folders; "
            "correct the file",
        ),
    ],
)
def test_faults_of_the_training_file_are_sentences(
    tmp_path: Path, content: object, rest: str
) -> None:
    path = _write(tmp_path, content, FILES["train"])
    assert _refusal(tmp_path, "train") == f"{path}{rest}"


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        ({"answer": " "}, "empty answer"),
        ({"question": ""}, "empty question"),
        ({"answer": "__UNDISCLOSED__"}, "hidden answer"),
    ],
)
def test_unusable_conversations_need_a_budget_and_are_counted(
    tmp_path: Path, turn: dict[str, str], reason: str
) -> None:
    turns = _turns(10)
    turns[7].update(turn)
    path = _train(tmp_path, V1=turns)
    assert _refusal(tmp_path, "train", 0.4) == (
        f"{path}: question 'V1_1': found {reason} (1 of 2 questions are unusable), expected at "
        "most the share allow_missing = 0.4; correct the file, or "
        "of a training split raise allow_missing"
    )
    annotation = read(tmp_path, "train", 0.5)
    assert annotation.dropped == {reason: 1}
    assert [sample.id for sample in annotation.samples] == ["V1_0"]


@pytest.mark.parametrize(
    ("dialog", "reason"),
    [
        ([], "empty dialog"),
        ([{"question": "q ?", "answer": ""}], "empty answer"),
        (
            [{"question": "q ?", "answer": "__UNDISCLOSED__"}, {"question": "q ?", "answer": "a"}],
            "hidden answer in the history",
        ),
    ],
)
def test_unusable_test_dialogs_need_a_budget(
    tmp_path: Path, dialog: list[dict[str, str]], reason: str
) -> None:
    _write(tmp_path, {"dialogs": [_dialog(), {"image_id": "a", "dialog": dialog}]})
    assert f"question 'a': found {reason} (1 of 2 questions" in _refusal(tmp_path, "test", 0.0)
    assert read(tmp_path, "test", 0.5).dropped == {reason: 1}


@pytest.mark.parametrize("split", AVSD.splits)
def test_a_missing_file_says_how_to_get_it(tmp_path: Path, split: str) -> None:
    if split == "test":  # other files stand in for training alone
        _write(tmp_path, [], "avsd_train_instruct.json")
        _write(tmp_path, {"dialogs": []}, DSTC7_TRAIN)
    assert _refusal(tmp_path, split) == (
        f"{tmp_path}/{FILES[split]}: file not found, expected the {split} annotation; {HOW}"
    )


def test_caption_metrics_have_one_denominator(tmp_path: Path) -> None:
    answers = {"a": "he hums softly", "b": "no", "c": "a red door", "d": "yes"}
    _write(tmp_path, {"dialogs": [_dialog(video, text) for video, text in answers.items()]})
    samples = read(tmp_path, "test").samples
    # As the reference but for case and a full stop; half of it; blank; none given.
    scores = AVSD.score(samples, {"a": "He hums softly.", "c": "door", "b": " "})
    values = {key: metric.value for key, metric in scores.metrics.items()}
    assert tuple(values) == AVSD.metrics == CAPTION_METRICS
    assert {metric.count for metric in scores.metrics.values()} == {4}
    assert (scores.samples, scores.missing, scores.empty) == (4, 1, 1)
    # 4 words, all right, where the references have 3 + 1 + 3 + 1.
    assert values["bleu1"] == pytest.approx(math.exp(1 - 8 / 4), abs=1e-6)
    # "door": precision 1, recall 1/3, beta 1.2.
    assert values["rouge_l"] == pytest.approx((1 + 2.44 / 3 / (1 / 3 + 1.44)) / 4, abs=1e-6)
    # "he hums softly": cosine 1 for words, pairs and triples, of 4 lengths. "door": each word of
    # its reference is in 1 of 4 items, so the cosine is 1 / sqrt(3) for words alone, and two
    # pairs of words less cost exp(-4 / 72).
    expected = 10 * (3 / 4 + math.exp(-4 / 72) / math.sqrt(3) / 4) / 4
    assert values["cider"] == pytest.approx(expected, abs=1e-6)
