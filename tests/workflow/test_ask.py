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
from tests.project_copy import edit_yaml, load

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


SCENE = (
    "expected one folder of posed RGB-D frames (color/, depth/, pose/, intrinsic_depth.txt) or one "
    ".sens file because the adapter was trained on rooms with depth; give such a path, or an "
    "adapter that was trained on videos"
)


def test_what_is_no_room_with_depth(root: Path, lynx: Callable[..., Outcome]) -> None:
    (root / "clip.mp4").write_bytes(b"film")
    (root / "two/scans").mkdir(parents=True)
    for name in ("a", "b"):
        (root / f"two/{name}.sens").touch()
    for clip, found in (
        ("clip.mp4", "a file that is no .sens recording"),
        ("two/scans", "a folder with 0 .sens files and no color/"),
        ("two", "a folder with 2 .sens files and no color/"),
    ):
        asked = lynx("ask", "--adapter", ADAPTER, clip, "What?")
        assert (asked.code, asked.said) == (2, f"lynx: {clip}: found {found}, {SCENE}")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("What?", ""), "question 2 of 2: found '', expected some text"),
        (("\t ",), "question 1 of 1: found '\\t ', expected some text"),
        (
            ("What?", "--option", "a", "--option", " "),
            "--option 2 of 2: found ' ', expected some text",
        ),
    ],
)
def test_blank_texts(
    arguments: tuple[str, ...], sentence: str, lynx: Callable[..., Outcome]
) -> None:
    asked = lynx("ask", "--adapter", ADAPTER, "nowhere", *arguments)
    assert (asked.code, asked.said) == (
        2,
        f"lynx: {sentence}; write what is meant, or leave it out",
    )


@pytest.mark.parametrize("token", ["<image>", "<|im_end|>"])
def test_a_token_of_the_chat_in_a_question(token: str, lynx: Callable[..., Outcome]) -> None:
    asked = lynx("ask", "--adapter", ADAPTER, "nowhere", "What?", f"{token} Where?")
    assert (asked.code, asked.said) == (
        2,
        f"lynx: question 2 of 2: found {token} in '{token} Where?', expected none because the "
        "model reads it as a part of the chat, not as text; leave it out",
    )


def test_what_is_no_adapter(root: Path, lynx: Callable[..., Outcome]) -> None:
    """A mistyped path is no artefact that could be deleted."""
    (root / "README.md").write_text("mine", encoding="utf-8")
    for path in ("README.md", "config", "nowhere"):
        asked = lynx("ask", "--adapter", path, "nowhere", "What?")
        assert (asked.code, asked.said) == (
            2,
            f"lynx: --adapter {path}: found no folder with a manifest.json, expected a trained "
            "adapter; name the folder of an sft artefact, e.g. runs/demo/sft/lynx/scanqa/seed0",
        )


def test_an_adapter_of_what_is_not_configured(root: Path, lynx: Callable[..., Outcome]) -> None:
    """It is opened with its own set; the answers are the same."""
    scan = own_scan(root, scored_samples(root)[0].clip)
    asked = ("ask", "--adapter", ADAPTER, scan, "What is it?")
    configured = lynx(*asked)
    edit_yaml(root / "config/config.yaml", {"benchmarks": ["sqa3d"]})
    assert configured.code == 0
    assert lynx(*asked).out == configured.out


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
        f"lynx: nowhere: found no file or folder, {SCENE}",
    )
    asked = lynx("ask", "--adapter", ADAPTER, "nowhere", "What?", "--option", "a chair")
    assert (asked.code, asked.said) == (
        2,
        "lynx: --option: found 1, expected none because the adapter was trained on ScanQA; give "
        "--option once for each answer to choose from",
    )
