"""The demo's worlds on film: official files, true answers, senses apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lynx.artifacts.hashing import hash_file
from lynx.benchmarks import get_benchmark
from lynx.benchmarks.annotation import Annotation
from lynx.benchmarks.videomme_subtitles import NOT_SUBTITLED, SUBTITLED
from lynx.demo.choice import Choice, seen_choices
from lynx.demo.dialogs import export_dialogs
from lynx.demo.dialogs.talk import conversations, question_at_the_end
from lynx.demo.events import export_events
from lynx.demo.events.happening import FLASH_FRAMES, FRAMES, Flash
from lynx.demo.events.light import film_flashes
from lynx.demo.film import film_room
from lynx.demo.skills import export_skills
from lynx.demo.skills.cameras import film_person
from lynx.demo.skills.take import LEVEL_COLOURS, skill_take
from lynx.demo.sounds import export_sounds
from lynx.demo.sounds.noises import NOISES, RATE, hear
from lynx.demo.sounds.questions import SOUND, VIEW, sound_questions
from lynx.demo.world import WorldSettings, build_scene
from lynx.demo.world.palette import CEILING, DOOR, PALETTE
from lynx.demo.world.scene import stream
from lynx.media.inventory import inspect_clip
from lynx.media.video_clip import VideoClip
from lynx.modalities.mel import log_mel

WITH_VAL = WorldSettings(seed=3, train_scenes=4, val_scenes=4, test_scenes=0, frames_per_scene=4)
WITH_TEST = WorldSettings(seed=3, train_scenes=4, val_scenes=0, test_scenes=4, frames_per_scene=4)
EVENTS = WorldSettings(seed=3, train_scenes=4, val_scenes=0, test_scenes=60, frames_per_scene=4)

# export, benchmark, settings, splits, files of a clip, whether they are heard
WORLDS = {
    "sounds": (export_sounds, "avqa", WITH_VAL, ("train", "val"), 1, True),
    "dialogs": (export_dialogs, "avsd", WITH_TEST, ("train", "test"), 1, True),
    "skills": (export_skills, "egoexo", WITH_VAL, ("train", "val"), 2, False),
}


@pytest.fixture(scope="module", params=WORLDS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("worlds") / str(request.param)
    export, _, settings, *_ = WORLDS[request.param]
    export(folder, settings, workers=1)
    return folder


def read(world: Path, split: str) -> Annotation:
    name = WORLDS[world.name][1]
    return get_benchmark(name).read(world / name, split)


def test_bytes_do_not_depend_on_the_run_or_the_workers(world: Path, tmp_path: Path) -> None:
    export, _, settings, *_ = WORLDS[world.name]
    export(tmp_path, settings, workers=2)

    def digests(root: Path) -> dict[str, str]:
        files = (path for path in root.rglob("*") if path.is_file())
        return {str(path.relative_to(root)): hash_file(path) for path in files}

    assert digests(tmp_path) == digests(world)


def test_the_benchmark_reads_it_as_it_reads_the_official_files(world: Path) -> None:
    _, name, _, splits, files, heard = WORLDS[world.name]
    clips: list[str] = []
    for split in splits:
        found = read(world, split)
        assert found.dropped == {}
        assert len(found.clip_files) == 4
        clips += found.clip_files
        for clip, names in found.clip_files.items():
            root = world / f"{name}_videos"
            inspected = inspect_clip(root, clip, names, heard, other_views=files - 1)
            assert inspected.missing is None
            assert [file.frames for file in inspected.files] == [4] * files
            assert {file.audio for file in inspected.files} == {"sound" if heard else None}
    assert len(set(clips)) == 8


def test_every_question_says_which_sense_it_needs(world: Path) -> None:
    tag = {"sounds": "relation", "dialogs": "needs", "skills": "scenario"}[world.name]
    splits = WORLDS[world.name][3]
    assert len({sample.tags[tag] for sample in read(world, splits[1]).samples}) == 2


def choices(count: int, relation: str) -> list[tuple[int, Choice]]:
    return [
        (index, item.choice)
        for index in range(count)
        for item in sound_questions(build_scene(0, index), hear(0, index))
        if item.relation == relation
    ]


def test_what_is_heard_is_asked_truly_and_evenly() -> None:
    answers: Counter[str] = Counter()
    for index, choice in choices(400, SOUND):
        names = hear(0, index).names
        assert choice.answer == names[-1 if choice.kind == "last" else 0]
        assert (choice.kind == "heard") == (len(names) == 1)
        answers[choice.letter] += 1
    assert max(answers.values()) / answers.total() <= 0.3


def test_seen_choices_hold_the_right_option_once_in_any_place() -> None:
    letters: Counter[str] = Counter()
    for index, choice in choices(300, VIEW):
        room = build_scene(0, index).room
        assert len(set(choice.options)) == 4
        truth = {"floor_colour": room.floor_colour, "wall_colour": room.wall_colour}
        assert choice.answer == truth.get(choice.kind, choice.answer)
        letters[choice.letter] += 1
    assert max(letters.values()) / letters.total() <= 0.4
    scene = build_scene(0, 0)
    assert len(seen_choices(scene, 9, stream(0, 99))) <= 5


def test_noises_can_be_told_apart() -> None:
    """The nearest mean spectrum of other takes names the noise of a take."""

    def spectrum(play: Callable[..., np.ndarray], number: int) -> np.ndarray:
        return log_mel(play(2.0, stream(1, number)), 1024, 1024, 256).mean(axis=1)

    means = {
        name: np.mean([spectrum(play, n) for n in (1, 2, 3)], axis=0)
        for name, play in NOISES.items()
    }
    for name, play in NOISES.items():
        taken = spectrum(play, 0)
        assert min(means, key=lambda other: float(np.abs(means[other] - taken).mean())) == name


def test_two_noises_come_one_after_the_other() -> None:
    hearing = hear(0, 1)
    track = hearing.sound()
    assert len(hearing.names) == 2
    assert len(track) == 8 * RATE
    first, last = (log_mel(part.astype(float), 1024, 1024, 256) for part in np.split(track, 2))
    assert not np.allclose(first.mean(axis=1), last.mean(axis=1), atol=1.0)


def test_no_turn_tells_what_another_asks_about_sound() -> None:
    ends: Counter[str] = Counter()
    for index in range(200):
        scene, hearing = build_scene(0, index), hear(0, index)
        for talk in conversations(scene, hearing):
            assert [said.needs for said in talk].count("sound") == 1
            assert len({said.kind for said in talk}) == 5
        last = question_at_the_end(scene, hearing)
        assert all(said.needs == "colour" for said in last[:-1])
        ends[last[-1].needs] += 1
    assert ends["sound"] == ends["colour"] == 100


def test_skills_are_even_and_each_scenario_has_its_camera() -> None:
    levels: Counter[tuple[str, int]] = Counter()
    for index in range(160):
        take = skill_take(0, index)
        levels[take.scenario, take.level] += 1
        floor = take.scene.room.floor_colour
        if take.scenario == "Dance":
            assert floor == LEVEL_COLOURS[take.level]
        else:
            assert floor not in LEVEL_COLOURS
    assert set(levels.values()) == {20}


def test_the_other_camera_shows_the_level_of_a_climber_and_nothing_of_a_dancer() -> None:
    for index in range(40):
        take = skill_take(0, index)
        colours = {tuple(pixel) for pixel in film_person(take, 2).reshape(-1, 3).tolist()}
        route = {PALETTE[LEVEL_COLOURS[take.level]]} if take.scenario != "Dance" else set()
        assert colours == {CEILING, DOOR, *route}


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("events")
    export_events(folder, EVENTS, workers=1)
    return folder


def test_the_fast_sets_are_read_from_a_world_of_events(events: Path) -> None:
    clips: dict[str, set[str]] = {}
    for name in ("llava_video", "videomme", "mvbench", "mlvu"):
        benchmark = get_benchmark(name)
        found = benchmark.read(events / name, benchmark.splits[0])
        assert found.dropped == {}
        for clip, names in found.clip_files.items():
            bounds = found.clip_bounds.get(clip)
            inspected = inspect_clip(events / name, clip, names, False, bounds)
            assert inspected.missing is None
            assert inspected.files[0].frames == (FRAMES if bounds is None else 2 * FRAMES)
        assert bool(found.clip_bounds) == (name == "mvbench")
        clips[name] = {Path(files[0]).stem for files in found.clip_files.values()}
        if name != "llava_video":
            assert {sample.tags["needs"] for sample in found.samples} == {"fast", "colour"}
    assert len(clips["llava_video"]) == 4
    for name in ("videomme", "mvbench", "mlvu"):
        assert len(clips[name]) == 20
        assert not clips[name] & clips["llava_video"]


def test_every_task_of_the_fast_sets_has_questions(events: Path) -> None:
    for name, tasks in (("mvbench", 20), ("mlvu", 7)):
        benchmark = get_benchmark(name)
        samples = benchmark.read(events / name, benchmark.splits[0]).samples
        assert len({sample.type for sample in samples}) == tasks


def test_a_part_of_a_video_shows_the_clip_that_is_asked_about(events: Path) -> None:
    """Behind another one, which the questions are not about."""
    root = events / "mvbench"
    found = get_benchmark("mvbench").read(root, "test")
    for clip, bounds in found.clip_bounds.items():
        seen = inspect_clip(root, clip, found.clip_files[clip], False, bounds)
        part = VideoClip(clip, root, seen.files, "decord", bounds)
        places = part.choose(4, "uniform")
        assert places == (FRAMES, FRAMES + 21, FRAMES + 42, 2 * FRAMES - 1)
        scene = build_scene(EVENTS.seed, int(clip.split("room")[1].split(".")[0]))
        expected = film_room(scene, EVENTS.frames_per_scene)[[0, -1]].astype(float)
        shown = part.color((places[0], places[-1])).astype(float)
        assert np.abs(shown - expected).mean() < 6


def test_some_videos_have_subtitles_that_are_on_screen(events: Path) -> None:
    found = get_benchmark("videomme_subtitles")
    samples = found.read(events / "videomme", "test").samples
    assert {sample.tags["subtitles"] for sample in samples} == {SUBTITLED, NOT_SUBTITLED}
    assert found.at_moments is not None
    said = {
        tuple(item.text for item in found.at_moments(sample, (0.0, 2.6, 5.3, 7.9)).subtitles)
        for sample in samples
    }
    assert said == {(), ("Look at this room.", "What is in the video?")}


def test_a_flash_colours_its_frames_alone() -> None:
    scene = build_scene(0, 0)
    plain = film_flashes(scene, 4, ())
    lit = film_flashes(scene, 4, (Flash("blue", 10),))
    changed = np.nonzero((plain != lit).any(axis=(1, 2, 3)))[0]
    assert changed.tolist() == list(range(10, 10 + FLASH_FRAMES))
    assert lit[10].mean(axis=(0, 1)).argmax() == 2
