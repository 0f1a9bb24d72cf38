"""Faults in the video files of every set that has them: one sentence, nothing published.

The annotations are those of the contract test, the files one short film with a sound.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lynx.artifacts.manifest import read_manifest
from lynx.benchmarks.stage import group_clips, run_data
from lynx.errors import InputError
from lynx.media.clip_table import read_clip_table
from lynx.media.stage import run_frames
from lynx.project import Project
from tests.media_writer import click, write_film, write_video
from tests.project_copy import copy_tree, edit_yaml, load
from tests.unit.benchmark_cases import CASES, TRAINING_SETS

SETS = ("avqa", "avsd", "egoexo", "llava_video", "mlvu", "music_avqa", "music_avqa_original",
        "mvbench", "videomme", "videomme_subtitles")  # fmt: skip
APART = {
    "avqa": [("aBcDeFgHiJk", "kJiHgFeDcBa")],
    "avsd": [('"A1"', '"T1"')],
    "music_avqa": [("00009999", "00001111"), ('"question_id": 1', '"question_id": 91')],
}
HEARD = ("avqa", "avsd", "music_avqa", "music_avqa_original")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_film(path, click(4.0, 1.0, 16000, 1), 16000)
    return path


class Raw:
    """A project with a set's annotations read and a film for each of its files."""

    def __init__(
        self,
        root: Path,
        name: str,
        film: Path,
        allow_missing: float = 0.0,
        recipe: str | None = None,
    ) -> None:
        self.name, self.film = name, film
        copy_tree(root)
        edit_yaml(root / "config/site.yaml", {"workers": 1})
        chosen = "videomme" if name in TRAINING_SETS else name
        overrides = {"frames.allow_missing": allow_missing} if allow_missing else {}
        self.project: Project = load(
            root, scale="0.5b", recipe=recipe, benchmarks=[chosen], overrides=overrides
        )
        for file, content in self._annotations().items():
            path = self.project.annotations_root(name) / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))

    def _annotations(self) -> dict[str, object]:
        """Of a scored set with its training split, whose videos the fixtures show in both."""
        if self.name in TRAINING_SETS:
            return TRAINING_SETS[self.name].files
        text = json.dumps(CASES[self.name].training)
        for old, new in APART.get(self.name, ()):
            assert old in text
            text = text.replace(old, new)
        return {**CASES[self.name].files, **json.loads(text)}

    def place_films(self) -> list[Path]:
        """Read the annotations, put every file where they say; the files in the table's order."""
        run_data(self.project, self.name)
        root = self.project.clips_root(self.name)
        table = read_clip_table(self.project.layout.data(self.name))
        names = dict.fromkeys(name for shown in table.values() for name in shown.files)
        for path in (root / name for name in names):
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.film, path)
        return [root / name for name in names]

    @property
    def clips(self) -> int:
        return len(read_clip_table(self.project.layout.data(self.name)))

    def frames(self) -> dict[str, int]:
        group = self.project.experiment.frames_of(self.name)
        run_frames(self.project, group, group_clips(self.project, group))
        return read_manifest(self.project.layout.frames(group) / "manifest.json").counts

    def refuses(self, gone: Path) -> None:
        """Stage frames names the one file that is not there."""
        with pytest.raises(InputError) as caught:
            self.frames()
        assert str(caught.value) == (
            f"{gone}: not found, expected a video file; copy it there or correct the path (1 of "
            f"{self.clips} clips are missing, allow_missing = 0)"
        )

    def shown_by(self, path: Path) -> int:
        """How many clips a file shows, whole or in part."""
        name = path.relative_to(self.project.clips_root(self.name)).as_posix()
        table = read_clip_table(self.project.layout.data(self.name))
        return sum(name in shown.files for shown in table.values())


@pytest.mark.parametrize("name", SETS)
def test_a_film_in_the_middle(name: str, film: Path, tmp_path: Path) -> None:
    """Cut short, without a byte, gone: each is named, with how many clips it takes along."""
    raw = Raw(tmp_path / "project", name, film)
    paths = raw.place_films()
    spoilt = paths[len(paths) // 2]
    lost = raw.shown_by(spoilt)
    tail = f" ({lost} of {raw.clips} clips are missing, allow_missing = 0)"
    whole = spoilt.read_bytes()
    for content, sentence in (
        (whole[:900], "found 900 bytes that do not open as media, expected a video file; copy or "
         "download it again"),
        (b"", "found 0 bytes, expected a video file; copy or download it again"),
        (None, "not found, expected a video file; copy it there or correct the path"),
    ):  # fmt: skip
        spoilt.unlink() if content is None else spoilt.write_bytes(content)
        with pytest.raises(InputError) as caught:
            raw.frames()
        assert str(caught.value) == f"{spoilt}: {sentence}{tail}"
        group = raw.project.experiment.frames_of(name)
        assert not raw.project.layout.frames(group).exists()
    spoilt.write_bytes(whole)
    assert raw.frames()[f"{name} videos"] == raw.clips


@pytest.mark.parametrize("name", ["music_avqa", "egoexo", "mvbench"])
def test_within_the_budget_it_is_counted(name: str, film: Path, tmp_path: Path) -> None:
    raw = Raw(tmp_path / "project", name, film, allow_missing=0.9)
    spoilt = raw.place_films()[0]
    spoilt.write_bytes(b"")
    lost = raw.shown_by(spoilt)
    assert lost < raw.clips
    counts = raw.frames()
    assert counts[f"{name} missing"] == lost
    assert counts[f"{name} videos"] == raw.clips - lost


@pytest.mark.parametrize("name", HEARD)
def test_a_film_without_its_sound(name: str, film: Path, tmp_path: Path) -> None:
    raw = Raw(tmp_path / "project", name, film)
    path = raw.place_films()[0]
    write_video(path, 5)
    with pytest.raises(InputError) as caught:
        raw.frames()
    file = path.relative_to(raw.project.clips_root(name)).as_posix()
    assert str(caught.value).startswith(f"{file}: found no sound in the audio of clip ")
    assert str(caught.value).endswith(
        f"(1 of {raw.clips} clips: 1 absent, 0 empty, 0 silent), expected at most the share "
        "allow_unheard = 0; get the files with their sound or raise allow_unheard"
    )


LLAVA = "2_3_m_youtube_v0_1"
LLAVA_GONE = f"{LLAVA}/academic_source/moved/gone.mp4"


@pytest.mark.parametrize(
    ("name", "file", "gone"),
    [
        ("avqa", "avqa_from_vid_to_video_name.json", "moved/gone.mp4"),
        ("music_avqa", "music_avqa_all_videos_mapping.json", "moved/gone.mp4"),
        ("avsd", "avsd_all_videos_mapping.json", "moved/gone.mp4"),
        ("llava_video", f"{LLAVA}/{LLAVA}_videos_mapping_updated.json", LLAVA_GONE),
        ("llava_video", f"{LLAVA}_videos_mapping_updated.json", LLAVA_GONE),
    ],
)
def test_a_mapping_to_a_file_that_is_gone(
    name: str, file: str, gone: str, film: Path, tmp_path: Path
) -> None:
    raw = Raw(tmp_path / "project", name, film)
    raw.place_films()
    table = read_clip_table(raw.project.layout.data(name))
    clip = "v1" if name == "llava_video" else list(table)[-1]  # it goes by the records' ids
    (raw.project.annotations_root(name) / file).write_text(json.dumps({clip: "moved/gone.mp4"}))
    run_data(raw.project, name)
    raw.refuses(raw.project.clips_root(name) / gone)


def test_a_mapping_of_takes_to_a_file_that_is_gone(film: Path, tmp_path: Path) -> None:
    """It is read where the official files are missing, as in the released code."""
    raw = Raw(tmp_path / "project", "egoexo", film, recipe="released")
    annotations = raw.project.annotations_root("egoexo")
    for split in ("train", "val"):
        (annotations / f"proficiency_demonstrator_{split}.json").unlink()
    (record,) = json.loads(
        (annotations / "proficiency_demonstrator_train_instruct.json").read_text()
    )
    scored = json.dumps([{**record, "id": "t1", "video": "t1"}])
    (annotations / "proficiency_demonstrator_val_instruct.json").write_text(scored)
    mapping = {record["id"]: "there.mp4", "t1": "moved/gone.mp4"}
    (annotations / "from_take_id_to_video.json").write_text(json.dumps(mapping))
    raw.place_films()
    gone = raw.project.clips_root("egoexo") / "moved/gone.mp4"
    gone.unlink()
    raw.refuses(gone)
