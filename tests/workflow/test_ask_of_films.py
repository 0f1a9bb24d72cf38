"""`lynx ask` about films of one's own: sound, another camera, dense frames, letters to choose from.

The adapters are fresh: what they are shown is what their benchmarks' recipe says, untrained or not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from lynx.evaluate.own_clip import open_own_clip
from lynx.features.encode import StreamEncoder
from lynx.media.video import Reader, clip_indices, read_video_frames
from lynx.media.video_clip import VideoClip
from lynx.model.stage import run_base
from tests.command_line import Outcome, call
from tests.lmms_project import publish_adapters
from tests.media_writer import click, number_of, picture, write_film, write_video
from tests.project_copy import ROOT, copy_tree, edit_yaml, load

TRAINED = ("music_avqa", "avqa", "egoexo", "llava_video")
BENCHMARKS = ["music_avqa", "avqa", "egoexo", "videomme"]
Encoded = list[tuple[str, torch.Tensor]]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with untrained adapters of two benchmarks, and films in its folder."""
    root = copy_tree(tmp_path_factory.mktemp("ask") / "project")
    edit_yaml(root / "config/config.yaml", {"benchmarks": BENCHMARKS})
    edit_yaml(root / "config/site.yaml", {"device": "cpu", "threads": 1, "workers": 1})
    (root / "models").symlink_to(ROOT / "models")  # whose tokenizer has the letters
    project = load(root)
    run_base(project)
    for name in TRAINED:
        publish_adapters(project, name)
    for name, at in (("early", 0.3), ("late", 1.7)):
        write_film(root / f"{name}.mp4", click(2.0, at, 16000, 1), 16000)
    write_film(root / "silent.mp4", np.zeros((1, 32000), np.float32), 16000)
    for name, first in (("ego", 0), ("exo", 100), ("other", 60)):
        write_video(root / f"{name}.mp4", 20, draw=lambda n, w, h, k=first: picture(n + k, w, h))
    write_video(root / "cut.mp4", 19)
    return root


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> Encoded:
    """What is encoded, in its order: stream and tokens (V, D)."""
    found: Encoded = []
    encode = StreamEncoder.encode

    def recording(self: StreamEncoder, clip: str) -> torch.Tensor:
        tokens = encode(self, clip)
        found.append((self.stream, tokens))
        return tokens

    monkeypatch.setattr(StreamEncoder, "encode", recording)
    return found


@pytest.fixture
def ask(
    films: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """`lynx ask` with the adapter of a benchmark, from the project's folder."""
    monkeypatch.chdir(films)

    def run(benchmark: str, *arguments: str) -> Outcome:
        adapter = f"runs/demo/sft/lynx/{benchmark}/seed0"
        return call(monkeypatch, capsys, "ask", "--adapter", adapter, *arguments)

    return run


def test_several_questions_about_a_sound(ask: Callable[..., Outcome], encoded: Encoded) -> None:
    questions = ["What is playing?", "How many?"]
    done = ask("music_avqa", "--json", "early.mp4", *questions)
    assert (done.code, done.err) == (0, "")
    assert [row["question"] for row in json.loads(done.out)] == questions
    assert all(set(row) == {"question", "answer"} for row in json.loads(done.out))
    assert ask("music_avqa", "late.mp4", questions[0]).code == 0
    assert [stream for stream, _ in encoded] == ["video", "aligned"] * 2
    (_, seen), (_, heard), (_, seen_late), (_, heard_late) = encoded
    assert torch.equal(seen, seen_late)  # the same pictures
    assert not torch.equal(heard, heard_late)  # another moment is loud
    assert len(heard) == len(seen)  # a clip of sound for each frame


def test_the_other_camera_is_shown(ask: Callable[..., Outcome], encoded: Encoded) -> None:
    for other in ("exo.mp4", "other.mp4"):
        done = ask("egoexo", "--json", "--view", other, "ego.mp4", "How skilled?", "Why?")
        assert (done.code, len(json.loads(done.out))) == (0, 2)
    assert [stream for stream, _ in encoded] == ["video", "aligned"] * 2
    (_, ego), (_, exo), (_, again), (_, other_view) = encoded
    assert torch.equal(ego, again)
    assert not torch.equal(exo, other_view)
    assert len(exo) == len(ego)


def test_dense_frames_are_decoded_with_the_others(
    ask: Callable[..., Outcome], encoded: Encoded, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[int]] = []

    def recording(path: Path, indices: Sequence[int], reader: Reader) -> np.ndarray:
        asked.append(list(indices))
        return read_video_frames(path, indices, reader)

    monkeypatch.setattr("lynx.media.video_clip.read_video_frames", recording)
    done = ask("llava_video", "--json", "ego.mp4", "What changes?", "When?")
    assert (done.code, len(json.loads(done.out))) == (0, 2)
    assert [stream for stream, _ in encoded] == ["video", "aligned"]
    # Four frames are shown, sixteen tiled, of the twenty that there are; each is read once.
    assert asked == [sorted({*clip_indices(20, 4), *clip_indices(20, 16)})]


@pytest.mark.parametrize(
    ("benchmark", "arguments", "sentence"),
    [
        (
            "music_avqa",
            ("ego.mp4", "What?"),
            "{root}/ego.mp4: found no sound (its audio track is absent), expected some because the "
            "adapter was trained to hear MUSIC-AVQA's videos; give a file with its sound, or an "
            "adapter of a variant without X",
        ),
        (
            "music_avqa",
            ("silent.mp4", "What?"),
            "{root}/silent.mp4: found no sound (its audio track is silent), expected some because "
            "the adapter was trained to hear MUSIC-AVQA's videos; give a file with its sound, or "
            "an adapter of a variant without X",
        ),
        (
            "music_avqa",
            ("--view", "exo.mp4", "early.mp4", "What?"),
            "--view: found 1, expected none because the adapter was trained so on MUSIC-AVQA; give "
            "--view once for each other camera that it is shown",
        ),
        (
            "egoexo",
            ("ego.mp4", "What?"),
            "--view: found 0, expected 1 because the adapter was trained so on Ego-Exo4D "
            "proficiency; give --view once for each other camera that it is shown",
        ),
        (
            "egoexo",
            ("--view", "cut.mp4", "ego.mp4", "What?"),
            "cut.mp4: found 19 frames, expected 20 as in ego.mp4 because views of one clock are "
            "shown; cut both to the same take",
        ),
    ],
)
def test_what_an_adapter_cannot_be_shown(
    films: Path,
    ask: Callable[..., Outcome],
    benchmark: str,
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    outcome = ask(benchmark, *arguments)
    assert (outcome.code, outcome.said) == (2, "lynx: " + sentence.format(root=films))


def test_an_adapter_of_what_is_not_configured(films: Path, ask: Callable[..., Outcome]) -> None:
    """Of a set that runs, and of one that others are trained on."""
    configured = ask("music_avqa", "early.mp4", "What?")
    assert configured.code == 0
    again = ask("music_avqa", "--set", "benchmarks=[scanqa]", "early.mp4", "What?")
    assert (again.code, again.out) == (0, configured.out)
    alone = ask("llava_video", "--set", "benchmarks=[scanqa]", "ego.mp4", "What changes?")
    assert alone.out == ask("llava_video", "ego.mp4", "What changes?").out


def test_files_may_lie_anywhere(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the working directory, and each in a folder of its own."""
    monkeypatch.chdir(films / "config")
    (films / "config/exo.mp4").symlink_to(films / "exo.mp4")
    project = load(films)
    with open_own_clip(project, "egoexo", [Path("../ego.mp4"), films / "config/exo.mp4"]) as clip:
        assert isinstance(clip, VideoClip)
        assert [clip.path(view) for view in (0, 1)] == [films / "ego.mp4", films / "exo.mp4"]
        assert number_of(clip.view(1, (3,))[0]) == 103


def test_a_letter_is_chosen(ask: Callable[..., Outcome]) -> None:
    options = [part for name in ("dog", "goat", "cow", "pig") for part in ("--option", name)]
    done = ask("avqa", "--json", *options, "early.mp4", "Who is heard?", "Who is seen?")
    assert done.code == 0
    assert {row["answer"].strip() for row in json.loads(done.out)} <= {"A", "B", "C", "D"}
    outcome = ask("avqa", "early.mp4", "Who is heard?")
    assert (outcome.code, outcome.said) == (
        2,
        "lynx: --option: found 0, expected 4 because the adapter was trained on AVQA; give "
        "--option once for each answer to choose from",
    )
