"""Video clips: what `frames` finds in their files, and what is read of them afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lynx.config.stages import ViewSettings
from lynx.errors import InputError
from lynx.features.clips import one_pass_shelf
from lynx.media.clip_table import CLIPS_NAME, ShownBy, read_clip_table, write_clip_table
from lynx.media.inventory import (
    InspectedClip,
    VideoFile,
    inspect_clip,
    read_inventory,
    require_budgets,
    write_inventory,
)
from lynx.media.shelf import VideoShelf
from lynx.media.video import Reader, clip_indices, read_video_frames
from lynx.media.video_clip import VideoClip
from lynx.modalities import get_modality
from lynx.modalities.audio import AudioDrawing, align_image, clip_images, spread_starts
from lynx.modalities.fast import FastDrawing, tile_frames
from lynx.modalities.view import ViewDrawing
from tests.media_writer import click, number_of, picture, write_film, write_video


def film(path: Path, sound: np.ndarray | None) -> Path:
    """Two seconds of pictures, with or without sound."""
    if sound is None:
        write_video(path, 50)
    else:
        write_film(path, sound, 16000)
    return path


@pytest.fixture
def inspected(tmp_path: Path) -> dict[str, InspectedClip]:
    """A clip of each kind: with sound, without a track, an empty or a silent one, broken, gone."""
    film(tmp_path / "sound.mp4", click(2.0, 1.0, 16000, 1))
    film(tmp_path / "mute.mp4", None)
    film(tmp_path / "silent.mp4", np.zeros((1, 32000), np.float32))
    # All of its sound is over when the pictures begin.
    write_film(tmp_path / "empty.mp4", click(2.0, 1.0, 16000, 1), 16000, video_at=3.0)
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    names = ("sound", "mute", "silent", "empty", "broken", "gone")
    return {name: inspect_clip(tmp_path, name, [f"{name}.mp4"], heard=True) for name in names}


def test_each_kind_is_told_from_the_others(inspected: dict[str, InspectedClip]) -> None:
    states = {name: clip.files[0].audio for name, clip in inspected.items() if clip.files}
    assert states == {"sound": "sound", "mute": "absent", "silent": "silent", "empty": "empty"}
    assert {name for name, clip in inspected.items() if clip.missing} == {"broken", "gone"}
    assert require_budgets(list(inspected.values()), 0.4, 0.5) == {
        "videos": 4,
        "missing": 2,
        "audio absent": 1,
        "audio empty": 1,
        "audio silent": 1,
    }


def test_more_missing_than_allowed(inspected: dict[str, InspectedClip]) -> None:
    with pytest.raises(InputError) as caught:
        require_budgets(list(inspected.values()), 0.3, 1.0)
    assert str(caught.value) == (
        f"{inspected['broken'].missing} (2 of 6 clips are missing, allow_missing = 0.3)"
    )


def test_more_unheard_than_allowed(inspected: dict[str, InspectedClip]) -> None:
    with pytest.raises(InputError) as caught:
        require_budgets(list(inspected.values()), 0.4, 0.2)
    assert str(caught.value) == (
        "mute.mp4: found no sound in the audio of clip 'mute' (3 of 6 clips: 1 absent, 1 empty, 1 "
        "silent), expected at most the share allow_unheard = 0.2; get the files with their sound "
        "or raise allow_unheard"
    )


def test_the_inventory_holds_what_can_be_used(
    inspected: dict[str, InspectedClip], tmp_path: Path
) -> None:
    write_inventory(tmp_path, "avqa", inspected.values())
    shelf = VideoShelf.read(tmp_path, "avqa", tmp_path, "decord")
    assert read_inventory(tmp_path, "avqa") == shelf.clips
    assert [name for name in inspected if shelf.usable(name)] == [
        "sound",
        "mute",
        "silent",
        "empty",
    ]
    assert number_of(shelf.open("mute").color([7])[0]) == 7
    with pytest.raises(InputError) as caught:
        shelf.open("gone")
    assert str(caught.value) == (
        f"clip 'gone': found no entry in the inventory of {tmp_path}, expected one; run the frames "
        "rule again"
    )


def clip_of(root: Path, *names: str) -> VideoClip:
    found = inspect_clip(root, "clip", names, True, other_views=len(names) - 1)
    assert found.missing is None
    return VideoClip("clip", root, found.files, "decord")


def test_frames_are_spread_over_the_video(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", 40)
    clip = clip_of(tmp_path, "a.mp4")
    places = clip.choose(4, "uniform")
    assert places == (0, 13, 26, 39)
    assert clip.items(4) == [places]
    assert [number_of(frame) for frame in clip.color(places)] == list(places)
    assert clip.times(places) == pytest.approx([place / 25 for place in places])
    with pytest.raises(InputError) as caught:
        clip.choose(4, "pose")
    assert str(caught.value) == (
        "view.sampling: found 'pose' for the video a.mp4, expected 'uniform' because a video has "
        "no camera poses; correct the recipe"
    )


def test_frames_of_a_variable_rate_are_shown_at_their_own_times(tmp_path: Path) -> None:
    """Ten frames in the first second and thirty in the next: ticks of 1/12800 s."""
    ticks = [1280 * n for n in range(10)] + [12800 + 400 * n for n in range(30)]
    write_video(tmp_path / "a.mp4", 40, times=ticks)
    inspected = inspect_clip(tmp_path, "a", ["a.mp4"], heard=False)
    clip = VideoClip("a", tmp_path, inspected.files, "decord")
    assert clip.times((0, 5, 10, 26, 39)) == pytest.approx([0.0, 0.5, 1.0, 1.5, 1 + 29 * 0.03125])


def test_a_name_may_hold_a_break_that_is_no_newline(tmp_path: Path) -> None:
    """Unicode has several; of these a row of JSON Lines escapes none."""
    name = "a\u2028b\x85c.mp4"
    write_video(tmp_path / name, 6)
    found = inspect_clip(tmp_path, "a\u2028b", [name], heard=False)
    write_inventory(tmp_path, "fast", [found])
    assert read_inventory(tmp_path, "fast") == {"a\u2028b": found}


def test_a_clip_may_be_a_part_of_its_file(tmp_path: Path) -> None:
    """At 25 frames a second, 0.4 s to 1.0 s are frames 10 to 25, whatever X is drawn of them."""
    film(tmp_path / "a.mp4", click(2.0, 1.0, 16000, 1))
    whole = inspect_clip(tmp_path, "a", ["a.mp4"], heard=True)
    part = inspect_clip(tmp_path, "a@0.4-1", ["a.mp4"], heard=True, bounds=(0.4, 1.0))
    late = inspect_clip(tmp_path, "a@1-9", ["a.mp4"], heard=True, bounds=(1.0, 9.0))
    write_inventory(tmp_path, "mvbench", [whole, part, late])
    shelf = VideoShelf.read(tmp_path, "mvbench", tmp_path, "decord")
    assert shelf.clips == {clip.clip: clip for clip in (whole, part, late)}
    clip = shelf.open("a@0.4-1")
    assert isinstance(clip, VideoClip)
    places = clip.choose(4, "uniform")
    assert places == (10, 15, 20, 25)
    assert [number_of(frame) for frame in clip.color(places)] == list(places)
    assert clip.times(places) == pytest.approx([0.0, 0.2, 0.4, 0.6])
    assert clip.seconds == pytest.approx(0.6)
    drawn = get_modality("fast").draw(clip, places, FastDrawing(modality="fast", per_step=4))
    numbers = [number_of(frame) for frame in drawn]
    assert (numbers[0], numbers[-1], len(numbers)) == (10, 25, 16)
    heard = VideoClip("a", tmp_path, whole.files, "decord").sound(16000)
    np.testing.assert_array_equal(clip.sound(16000), heard[6400:16000])
    assert shelf.open("a@1-9").choose(2, "uniform") == (25, 49)
    assert shelf.open("a").choose(2, "uniform") == (0, 49)


@pytest.mark.parametrize("bounds", [(2.0, 3.0), (1.0, 1.0), (-1.0, 1.0)])
def test_a_part_outside_the_file_is_missing(tmp_path: Path, bounds: tuple[float, float]) -> None:
    film(tmp_path / "a.mp4", None)
    found = inspect_clip(tmp_path, "a", ["a.mp4"], heard=False, bounds=bounds)
    assert found.missing == (
        f"a.mp4: found a clip from {bounds[0]:g} s to {bounds[1]:g} s, expected a part of its "
        "2.00 s; correct the annotation or get the whole video"
    )


def test_the_clip_table_keeps_bounds(tmp_path: Path) -> None:
    write_clip_table(tmp_path, {"a": ("a.mp4", "b.mp4"), "c": ("c.mp4",)}, {"c": (1.5, 2.0)})
    assert read_clip_table(tmp_path) == {
        "a": ShownBy(("a.mp4", "b.mp4")),
        "c": ShownBy(("c.mp4",), (1.5, 2.0)),
    }
    first, _ = (tmp_path / CLIPS_NAME).read_text().splitlines()
    assert first == '{"clip": "a", "files": ["a.mp4", "b.mp4"]}'


def test_a_file_that_changed_is_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", 10)
    clip = clip_of(tmp_path, "a.mp4")
    size = clip.files[0].bytes
    write_video(tmp_path / "a.mp4", 12)
    with pytest.raises(InputError, match=rf"a.mp4: found \d+ bytes, expected {size} bytes as when"):
        clip.color([0])
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(InputError, match=rf"a.mp4: found no file, expected {size} bytes as when"):
        clip.color([0])


def test_views_of_one_clock(tmp_path: Path) -> None:
    write_views(tmp_path)
    clip = clip_of(tmp_path, "ego.mp4", "one.mp4", "two.mp4")
    drawing = ViewDrawing(modality="view", cameras="others", count=2)
    drawn = get_modality("view").draw(clip, (3, 9), drawing)
    assert [number_of(frame) for frame in drawn] == [3, 9, 3, 9]
    assert len(drawn) == drawing.pseudo_frames(2)
    late = VideoClip("clip", tmp_path, (*clip.files[:1], *late_file(tmp_path)), "decord")
    with pytest.raises(InputError) as caught:
        late.view(1, (0,))
    assert str(caught.value) == OTHER_CLOCK
    with pytest.raises(InputError) as caught:
        clip.view(3, (0,))
    assert str(caught.value) == (
        "clip 'clip': found 2 views beside ego.mp4, expected 3; lower drawing.count or get the "
        "other cameras' files"
    )


OTHER_CLOCK = (
    "late.mp4: found 19 frames, expected 20 as in ego.mp4 because views of one clock are shown; "
    "cut both to the same take"
)


def write_views(root: Path) -> None:
    """A video and three views, one of them a frame short."""
    for name, frames in (("ego.mp4", 20), ("one.mp4", 20), ("two.mp4", 20), ("late.mp4", 19)):
        write_video(root / name, frames)


def late_file(root: Path) -> tuple[VideoFile, ...]:
    return inspect_clip(root, "late", ["late.mp4"], heard=False).files


@pytest.mark.parametrize(
    ("names", "needed", "sentence"),
    [
        (("ego.mp4",), 0, None),
        (("ego.mp4", "gone.mp4", "broken.mp4"), 0, None),
        (("ego.mp4", "one.mp4", "gone.mp4"), 1, None),
        (("ego.mp4", "one.mp4", "two.mp4", "late.mp4"), 2, None),
        (
            ("ego.mp4", "one.mp4", "gone.mp4"),
            2,
            "{root}/gone.mp4: not found, expected a video file; copy it there or correct the path",
        ),
        (
            ("ego.mp4", "broken.mp4"),
            1,
            "{root}/broken.mp4: found 7 bytes that do not open as media, expected a video file; "
            "copy or download it again",
        ),
        (("ego.mp4", "late.mp4"), 1, OTHER_CLOCK),
        (
            ("ego.mp4", "one.mp4"),
            2,
            "clip 'clip': found 1 views beside ego.mp4, expected 2; lower drawing.count or get the "
            "other cameras' files",
        ),
    ],
)
def test_the_views_that_x_is_drawn_from_are_inspected_and_no_others(
    tmp_path: Path, names: tuple[str, ...], needed: int, sentence: str | None
) -> None:
    write_views(tmp_path)
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    found = inspect_clip(tmp_path, "clip", names, heard=False, other_views=needed)
    assert found.missing == (None if sentence is None else sentence.format(root=tmp_path))
    listed = [] if sentence else list(names[: 1 + needed])
    assert [file.name for file in found.files] == listed


def test_fast_frames_fill_the_gaps_between_slow_ones(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", 33)
    clip, fast = clip_of(tmp_path, "a.mp4"), get_modality("fast")
    drawing = FastDrawing(modality="fast", per_step=4)
    drawn = fast.draw(clip, clip.choose(2, "uniform"), drawing)
    assert [number_of(frame) for frame in drawn] == [0, 4, 9, 13, 18, 22, 27, 32]
    assert fast.compose is not None
    tiled = fast.compose(drawn.astype(np.float32), drawing)
    np.testing.assert_array_equal(tiled, tile_frames(drawn.astype(np.float32), 4))
    assert len(tiled) == drawing.pseudo_frames(2) == 2


def test_sound_is_drawn_in_both_forms(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", click(2.0, 1.0, 16000, 1))
    clip, audio = clip_of(tmp_path, "a.mp4"), get_modality("audio")
    samples, places = clip.sound(16000), clip.choose(3, "uniform")
    image = AudioDrawing(modality="audio", form="image", placement="start", stride=None)
    np.testing.assert_array_equal(audio.draw(clip, places, image), align_image(samples))
    assert image.pseudo_frames(3) == 1
    stride = AudioDrawing(modality="audio", form="clips", placement="stride", stride=0.5)
    expected = clip_images(samples, [0.0, 0.5, 1.0])
    np.testing.assert_array_equal(audio.draw(clip, places, stride), expected)
    spread = AudioDrawing(modality="audio", form="clips", placement="spread", stride=None)
    starts = spread_starts(clip.seconds, 3, clip.times(places))
    np.testing.assert_array_equal(audio.draw(clip, places, spread), clip_images(samples, starts))
    assert spread.pseudo_frames(3) == len(expected) == 3


def test_pictures_carry_their_number() -> None:
    assert [number_of(picture(number)) for number in (0, 5, 200)] == [0, 5, 200]


@pytest.mark.parametrize("reader", ["decord", "pyav"])
@pytest.mark.parametrize("count", [40, 6])
def test_slow_and_dense_frames_are_decoded_in_one_pass(
    tmp_path: Path, reader: Reader, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video(tmp_path / "a.mp4", count)
    write_inventory(tmp_path, "fast", [inspect_clip(tmp_path, "a", ["a.mp4"], heard=False)])
    asked: list[list[int]] = []
    original = read_video_frames

    def recording(path: Path, indices: Sequence[int], by: Reader) -> np.ndarray:
        asked.append(list(indices))
        return original(path, indices, by)

    monkeypatch.setattr("lynx.media.video_clip.read_video_frames", recording)
    view = ViewSettings(
        frames=4,
        sampling="uniform",
        drawing=FastDrawing(modality="fast", per_step=4),
        merge_pairs=False,
        pool_x=False,
    )
    shelf = one_pass_shelf(VideoShelf.read(tmp_path, "fast", tmp_path, reader), view)
    for stream in ("video", "x"):
        clip = shelf.open("a")
        places = clip.choose(4, "uniform")
        drawn = get_modality("fast").draw(clip, places, view.drawing)
        shown = clip.color(places) if stream == "video" else drawn
        wanted = clip_indices(count, 4 if stream == "video" else 16)
        assert [number_of(frame) for frame in shown] == list(wanted)
    assert asked == [sorted({*clip_indices(count, 4), *clip_indices(count, 16)})]
    assert shelf.open("a").color((1,)).shape == (1, 48, 64, 3)
    assert asked[1:] == ([] if count == 6 else [[1]])
