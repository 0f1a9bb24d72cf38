"""`lynx ask`: a trained adapter answers about a file that no benchmark lists."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lynx.benchmarks.sample import Sample
from lynx.benchmarks.stage import read_split
from lynx.evaluate.predictions import read_predictions
from tests.command_line import Outcome
from tests.project_copy import load

ADAPTER = "runs/demo/sft/lynx/scanqa/seed0"
SCANS = Path("runs/demo/world/rooms/scannet/scans")


def scored_samples(root: Path) -> list[Sample]:
    """The samples of the first scored scene."""
    samples = read_split(load(root), "scanqa", "test_w_obj")
    return [sample for sample in samples if sample.clip == samples[0].clip]


def own_scan(root: Path, clip: str) -> str:
    """The raw scan under another name, where no stage looks."""
    shutil.copytree(root / SCANS / clip, root / "my scan")
    return "my scan"


def test_the_answers_are_those_of_the_evaluation(root: Path, lynx: Callable[..., Outcome]) -> None:
    samples = scored_samples(root)
    predicted = read_predictions(root / "runs/demo/predictions/lynx/scanqa/seed0")
    questions = [sample.turns[0].question for sample in samples]
    scan = own_scan(root, samples[0].clip)
    done = lynx("ask", "--adapter", ADAPTER, "--json", scan, *questions)
    assert done.code == 0
    assert json.loads(done.out) == [
        {"question": question, "answer": predicted[sample.id]}
        for question, sample in zip(questions, samples, strict=True)
    ]
    alone = lynx("ask", "--adapter", ADAPTER, scan, questions[0])
    assert alone.out.strip() == predicted[samples[0].id]


def test_a_clip_is_encoded_once(
    root: Path, lynx: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lynx.features.encode import StreamEncoder

    encoded: list[str] = []
    encode = StreamEncoder.encode

    def counting(self: StreamEncoder, clip: str) -> object:
        encoded.append(self.stream)
        return encode(self, clip)

    monkeypatch.setattr(StreamEncoder, "encode", counting)
    scan = own_scan(root, scored_samples(root)[0].clip)
    assert lynx("ask", "--adapter", ADAPTER, scan, "What is it?", "Where is it?").code == 0
    assert encoded == ["video", "aligned"]


def test_what_cannot_be_asked(root: Path, lynx: Callable[..., Outcome]) -> None:
    asked = lynx("ask", "--adapter", "runs/demo/align/3d/seed0", "nowhere", "What?")
    assert (asked.code, asked.said) == (
        2,
        "lynx: runs/demo/align/3d/seed0: an artefact of stage align, expected sft; give the folder "
        "of that stage",
    )
    asked = lynx("ask", "--adapter", ADAPTER, "nowhere", "What?")
    assert (asked.code, asked.said) == (
        2,
        "lynx: nowhere: found no file or folder, expected one folder of posed RGB-D frames "
        "(color/, depth/, pose/, intrinsic_depth.txt) or one .sens file; give its path",
    )
    asked = lynx("ask", "--adapter", ADAPTER, "nowhere", "What?", "--option", "a chair")
    assert (asked.code, asked.said) == (
        2,
        "lynx: --option: found 1, expected none because the adapter was trained on ScanQA; give "
        "--option once for each answer to choose from",
    )
