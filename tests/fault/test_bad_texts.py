"""Texts that cannot be asked or taught: blank ones, and those with a token of the chat."""

from __future__ import annotations

from pathlib import Path

import pytest

from lynx.benchmarks import get_benchmark
from lynx.errors import InputError
from tests.fault.test_bad_annotations import Place, changed, write
from tests.unit.benchmark_cases import CASES, TRAINING_SETS

FAULTY = [
    ("sqa3d", "v1_balanced_sqa_annotations_test_scannetv2.json",
     ("annotations", 0, "answers", 0, "answer"), "220602000000", "answer"),
    ("sqa3d", "v1_balanced_questions_test_scannetv2.json",
     ("questions", 0, "question"), "220602000000", "question"),
    ("mvbench", "json/scene_transition.json", (0, "question"), "scene_transition-0", "question"),
    ("mlvu", "json/2_needle.json", (0, "question"), "needle-0", "question"),
    ("llava_video", "2_3_m_youtube_v0_1/2_3_m_youtube_oe_v0_1_qa_processed.json",
     (0, "conversations", 1, "value"), "2_3_m_youtube_v0_1/v1", "answer"),
    ("scanqa", "ScanQA_v1.0_val.json", (0, "answers", 0), "val-scene0011-0", "answer"),
    ("avqa", "val_qa.json", (0, "question_text"), "7", "question"),
]  # fmt: skip


def reading(name: str, root: Path) -> str:
    """What is said of the fixtures of a benchmark, as they are at `root`."""
    split = "train" if name in TRAINING_SETS else CASES[name].split
    with pytest.raises(InputError) as caught:
        get_benchmark(name).read(root, split)
    return str(caught.value)


@pytest.mark.parametrize(("name", "file", "place", "question", "what"), FAULTY)
def test_a_blank_text_is_blamed_on_its_own_file(
    name: str, file: str, place: Place, question: str, what: str, tmp_path: Path
) -> None:
    files = TRAINING_SETS[name].files if name in TRAINING_SETS else CASES[name].files
    write(tmp_path, files | {file: changed(files[file], place, " ")})
    start = f"{tmp_path / file}: question {question!r}: found empty {what} (1 of "
    assert reading(name, tmp_path).startswith(start)


@pytest.mark.parametrize("token", ["<image>", "<|im_start|>", "<|im_end|>"])
@pytest.mark.parametrize(
    ("name", "file", "place", "question"),
    [
        *(fault[:4] for fault in FAULTY if fault[:1] != ("llava_video",)),
        ("avqa", "val_qa.json", (0, "multi_choice", 2), "7"),
        ("mlvu", "json/1_plotQA.json", (0, "candidates", 0), "plotQA-0"),
        (
            "avsd",
            "mock_test_set4DSTC10-AVSD_from_DSTC7_singref.json",
            ("dialogs", 0, "dialog", 0, "answer"),
            "A1",
        ),
    ],
)
def test_a_token_of_the_chat_is_refused(
    name: str, file: str, place: Place, question: str, token: str, tmp_path: Path
) -> None:
    """The model would read it as a place for frames or the end of a turn."""
    files = CASES[name].files
    write(tmp_path, files | {file: changed(files[file], place, f"a {token} b")})
    start = f"{tmp_path / file}: question {question!r}: found the token {token} in a text (1 of "
    assert reading(name, tmp_path).startswith(start)


def test_a_turn_token_in_an_instruct_file(tmp_path: Path) -> None:
    files = TRAINING_SETS["llava_video"].files
    file = list(files)[-1]
    said = (0, "conversations", 1, "value")
    write(tmp_path, files | {file: changed(files[file], said, "Yes.<|im_end|>")})
    start = (
        f"{tmp_path / file}: question '2_3_m_youtube_v0_1/v1': found the token <|im_end|> in a "
        "text (1 of 8 "
    )
    assert reading("llava_video", tmp_path).startswith(start)


def test_an_answer_that_is_never_shown_may_hold_one(tmp_path: Path) -> None:
    """Further references are compared with, and stand in no chat."""
    files = CASES["scanqa"].files
    file = "ScanQA_v1.0_val.json"
    write(tmp_path, files | {file: changed(files[file], (0, "answers", 1), "an <image> sign")})
    assert get_benchmark("scanqa").read(tmp_path, "val").samples[0].references[1] == (
        "an <image> sign"
    )


def test_within_the_budget_it_is_left_out_and_counted(tmp_path: Path) -> None:
    files = CASES["scanqa"].files
    file = "ScanQA_v1.0_val.json"
    spoilt = changed(files[file], (0, "question"), "What <|im_end|>?")
    write(tmp_path, {"ScanQA_v1.0_train.json": spoilt})
    found = get_benchmark("scanqa").read(tmp_path, "train", allow_missing=0.5)
    assert (len(found.samples), found.dropped) == (3, {"the token <|im_end|> in a text": 1})
