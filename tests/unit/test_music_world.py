"""The demo's world of music: official files, true answers, pictures that tell nothing of sound."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lynx.artifacts.hashing import hash_file
from lynx.benchmarks import get_benchmark
from lynx.demo.music.export import export_music, video_id
from lynx.demo.music.instruments import INSTRUMENTS, RATE, play
from lynx.demo.music.performance import SECONDS, Performance, perform
from lynx.demo.music.questions import MusicQuestion, music_questions
from lynx.demo.world import WorldSettings, build_scene
from lynx.demo.world.scene import stream
from lynx.media.audio import read_audio
from lynx.media.inventory import inspect_clip
from lynx.modalities.mel import log_mel

SMALL = WorldSettings(seed=3, train_scenes=4, val_scenes=1, test_scenes=3, frames_per_scene=4)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    export_music(folder, SMALL, workers=1)
    return folder


def asked(count: int) -> list[tuple[Performance, MusicQuestion]]:
    """Every question of many clips."""
    clips = [(build_scene(0, index), perform(0, index)) for index in range(count)]
    return [(heard, item) for scene, heard in clips for item in music_questions(scene, heard)]


def test_bytes_do_not_depend_on_the_run_or_the_workers(world: Path, tmp_path: Path) -> None:
    export_music(tmp_path, SMALL, workers=2)

    def digests(root: Path) -> dict[str, str]:
        files = (path for path in root.rglob("*") if path.is_file())
        return {str(path.relative_to(root)): hash_file(path) for path in files}

    assert digests(tmp_path) == digests(world)


def test_the_benchmark_reads_it_as_it_reads_the_official_files(world: Path) -> None:
    benchmark, videos = get_benchmark("music_avqa"), world / "music_avqa_videos"
    for split, scenes in (("train", 4), ("val", 1), ("test", 3)):
        found = benchmark.read(world / "music_avqa", split)
        assert len(found.clip_files) == scenes
        assert found.dropped == {}
        for clip, names in found.clip_files.items():
            inspected = inspect_clip(videos, clip, names, heard=True)
            assert inspected.missing is None
            (file,) = inspected.files
            assert (file.frames, file.seconds, file.audio) == (4, SECONDS, "sound")


def test_the_first_release_of_the_test_differs_from_the_corrected_one(world: Path) -> None:
    """So that reading one for the other shows."""
    original, corrected = (
        get_benchmark(name).read(world / "music_avqa", "test").samples
        for name in ("music_avqa_original", "music_avqa")
    )
    assert len(original) == len(corrected) + 1
    assert original[-1].turns == original[0].turns
    pairs = [
        (one.references, two.references) for one, two in zip(original, corrected, strict=False)
    ]
    changed = [pair for pair in pairs if pair[0] != pair[1]]
    assert len(changed) == 1
    assert {*changed[0]} == {("yes",), ("no",)}


def test_what_is_heard_in_the_file_is_the_performance(world: Path) -> None:
    path = world / f"music_avqa_videos/MUSIC-AVQA-videos-Real/{video_id(2)}.mp4"
    performance = perform(SMALL.seed, 2)
    assert performance.in_turn
    half, track = round(SECONDS / 2 * RATE), read_audio(path, RATE).samples
    for part, heard in zip(performance.parts, (track[:half], track[half : 2 * half]), strict=True):
        mels = {
            name: log_mel(play(name, 4.0, stream(9, 9)), 1024, 1024, 256).mean(axis=1)
            for name in INSTRUMENTS
        }
        seen = log_mel(heard.astype(np.float64), 1024, 1024, 256).mean(axis=1)
        likeness = {name: float(np.corrcoef(mel, seen)[0, 1]) for name, mel in mels.items()}
        assert max(likeness, key=lambda name: likeness[name]) == part.name


def test_answers_are_true() -> None:
    for performance, item in asked(200):
        names = performance.names
        truth = {
            ("Audio", "Counting"): {1: "one", 2: "two"}[len(names)],
            ("Audio-Visual", "Existential"): "yes" if set(item.values) & set(names) else "no",
            ("Audio-Visual", "Comparative"): names[0],
        }
        if item.type in truth:
            assert item.answer == truth[item.type]
        elif item.type == ("Audio", "Comparative"):
            assert item.answer == ("yes" if item.values == names else "no")
        elif item.type == ("Audio-Visual", "Temporal"):
            assert item.answer == (names[0] if "first" in item.content else names[-1])
        else:
            assert item.type[0] == "Visual"


def test_guessing_does_not_pay() -> None:
    answers: dict[tuple[str, str], Counter[str]] = {}
    for _, item in asked(400):
        answers.setdefault(item.type, Counter())[item.answer] += 1
    for kind, most in (
        (("Audio", "Counting"), 0.55),
        (("Audio", "Comparative"), 0.62),
        (("Audio-Visual", "Existential"), 0.58),
        (("Audio-Visual", "Temporal"), 0.25),
        (("Audio-Visual", "Comparative"), 0.30),
    ):
        counts = answers[kind]
        assert counts.most_common(1)[0][1] / counts.total() <= most


def test_pictures_depend_on_nothing_that_is_heard() -> None:
    # A scene is drawn from streams of its own: no number of the score enters it.
    before = build_scene(5, 7)
    perform(5, 7).sound()
    assert build_scene(5, 7) == before
    floors: dict[int, set[str]] = {1: set(), 2: set()}
    for index in range(96):
        floors[len(perform(5, index).names)].add(build_scene(5, index).room.floor_colour)
    assert floors[1] == floors[2]


def test_instruments_can_be_told_apart() -> None:
    """The nearest mean spectrum of other takes names the instrument of a take."""
    takes = {
        name: [log_mel(play(name, 2.0, stream(1, n)), 1024, 1024, 256) for n in range(4)]
        for name in INSTRUMENTS
    }
    means = {
        name: np.mean([mel.mean(axis=1) for mel in mels[1:]], axis=0)
        for name, mels in takes.items()
    }
    for name, mels in takes.items():
        taken = mels[0].mean(axis=1)
        assert min(means, key=lambda other: float(np.abs(means[other] - taken).mean())) == name
