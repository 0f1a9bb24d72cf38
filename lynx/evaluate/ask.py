"""Answers about a file of one's own, by a trained adapter (`lynx ask`).

What the clip is shown as, and whether X is drawn, is what the adapter was trained with: its
manifest says so, and leads to the vision adapter through the features that it was trained on.

Shape legend: V tokens of a stream, D language model width.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from lynx.artifacts.manifest import Manifest, parent_entry
from lynx.artifacts.verify import require_parent, require_stage
from lynx.benchmarks import Benchmark, get_benchmark
from lynx.benchmarks.sample import Sample, Turn
from lynx.config.experiment import Stream
from lynx.config.names import require_names
from lynx.config.stages import RgbdFrames, VideoFiles, ViewSettings
from lynx.errors import InputError
from lynx.evaluate.predict import answering
from lynx.features.encode import StreamEncoder
from lynx.features.stage import FRAME_CHUNK
from lynx.media.clip import Clip, RgbdClip
from lynx.media.inventory import inspect_clip
from lynx.media.posed_rgbd import open_folder
from lynx.media.square_frames import prepare_scene
from lynx.media.video_clip import VideoClip
from lynx.model.adapters import load_adapter
from lynx.model.base import Base, load_base
from lynx.model.chat import ChatEncoder
from lynx.model.stage import require_base
from lynx.model.vision_adapter import ADAPTER_FOLDER as VISION
from lynx.project import Project, pick_device
from lynx.sft.stage import ADAPTER_FOLDER as LANGUAGE


@dataclass(frozen=True)
class Trained:
    """A published language adapter and what it was trained with."""

    folder: Path
    manifest: Manifest
    benchmark: Benchmark
    streams: tuple[Stream, ...]
    view: ViewSettings

    @classmethod
    def open(cls, project: Project, folder: Path) -> Trained:
        """Read an sft artefact; InputError if it is none, or of another base or scale."""
        manifest = require_stage(folder, "sft", deep=True)
        base, name = manifest.settings["model"], str(manifest.settings["benchmark"])
        scale = project.experiment.scale
        if base != {"base": scale.base, "dtype": scale.dtype}:
            raise InputError(
                f"{folder}: an adapter trained on {base}, but scale "
                f"{project.experiment.scale_name} has base {scale.base} in {scale.dtype}; name its "
                "own scale with --set scale=..."
            )
        require_names(project.experiment, {"trainer": name})
        require_parent(folder, manifest, parent_entry(project.layout.base))
        x = str(manifest.settings["x"])
        streams = next(v.streams for v in project.experiment.variants.values() if v.x == x)
        view = project.experiment.training_recipe(name).sft.view
        if "drawing" in (kept := manifest.settings["view"]):  # type: ignore[operator]
            view = ViewSettings.model_validate(kept)
        return cls(folder, manifest, get_benchmark(name), streams, view)

    def vision(self, root: Path) -> Path:
        """The folder of the vision adapter behind the features that were trained on."""
        for entry in self.manifest.parents:
            if entry.stage != "features":
                continue
            for parent in require_stage(root / entry.path, "features").parents:
                if parent.stage == "align":
                    require_stage(root / parent.path, "align", deep=True)
                    return root / parent.path / VISION
        raise InputError(
            f"{self.folder}: found no aligned features among its parents, expected those that it "
            "was trained on; restore them or train it again"
        )


def ask(
    project: Project,
    adapter: Path,
    files: Sequence[Path],
    questions: Sequence[str],
    options: Sequence[str],
) -> list[str]:
    """Answers to `questions` about one clip, which is encoded once.

    `files` are a video and further views of the same moments, or one folder of posed RGB-D frames.
    `options` are needed where the adapter was trained to choose among letters, and only there.

    Raises:
        InputError: a file or the adapter cannot be used, or options are missing or not asked for.
    """
    trained = Trained.open(project, adapter)
    _check_options(trained.benchmark, options)
    device = pick_device(project)
    dtype = project.experiment.scale.dtype
    base = load_base(require_base(project), ["tower", "language"], dtype=dtype, device=device)
    if "aligned" in trained.streams:
        load_adapter(base, "vision", trained.vision(project.layout.root))
    load_adapter(base, "language", trained.folder / LANGUAGE)
    with open_own_clip(project, trained.benchmark.name, files) as clip:
        streams = [_encode(base, clip, stream, trained.view) for stream in trained.streams]
    encoder = ChatEncoder.load(base.info.folder, base.info.image_token_id)
    chats = [
        encoder.encode([(_prompt(trained.benchmark, question, options), "")], answer_last=False)
        for question in questions
    ]
    settings = project.experiment.training_recipe(trained.benchmark.name).evaluate
    return answering(base, encoder, trained.benchmark, settings)(streams, chats)


@dataclass(frozen=True)
class _OneClip:
    """A shelf that holds one clip."""

    clip: Clip

    def usable(self, clip: str) -> bool:
        return True

    def open(self, clip: str) -> Clip:
        return self.clip


def _encode(base: Base, clip: Clip, stream: Stream, view: ViewSettings) -> torch.Tensor:
    """Tokens (V, D) of one stream, by the code that stores features."""
    shelf = _OneClip(clip)
    encoder = StreamEncoder(base, base.processor(), shelf, stream, view, FRAME_CHUNK)
    return encoder.encode(clip.name)


def _prompt(benchmark: Benchmark, question: str, options: Sequence[str]) -> str:
    turn = Turn(question=question, answer="")
    sample = Sample(id="0", clip="0", turns=(turn,), references=(), options=tuple(options))
    return benchmark.prompt(sample, 0)


def _check_options(benchmark: Benchmark, options: Sequence[str]) -> None:
    if len(options) != len(benchmark.letters):
        wanted = f"{len(benchmark.letters)}" if benchmark.letters else "none"
        raise InputError(
            f"--option: found {len(options)}, expected {wanted} because the adapter was trained on "
            f"{benchmark.title}; give --option once for each answer to choose from"
        )


@contextmanager
def open_own_clip(project: Project, benchmark: str, files: Sequence[Path]) -> Iterator[Clip]:
    """A clip that stands in no inventory: inspected, or prepared, on the spot."""
    group = project.experiment.benchmarks[benchmark].group
    settings = project.experiment.group_recipe(group).frames
    if isinstance(settings, VideoFiles):
        yield _own_video(settings, files)
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield _own_scene(settings, files, Path(folder) / "scene")


def _own_scene(settings: RgbdFrames, files: Sequence[Path], target: Path) -> Clip:
    if len(files) != 1 or not files[0].exists():
        found = f"{len(files)} paths" if len(files) != 1 else "no file or folder"
        raise InputError(
            f"{', '.join(map(str, files))}: found {found}, expected one folder of posed RGB-D "
            "frames (color/, depth/, pose/, intrinsic_depth.txt) or one .sens file; give its path"
        )
    prepare_scene(files[0], target, settings.per_scene, settings.size)
    return RgbdClip(open_folder(target))


def _own_video(settings: VideoFiles, files: Sequence[Path]) -> Clip:
    root = Path(files[0].anchor or ".").resolve()
    names = [path.resolve().relative_to(root).as_posix() for path in files]
    inspected = inspect_clip(root, files[0].stem, names, settings.audio)
    if inspected.missing is not None:
        raise InputError(inspected.missing)
    return VideoClip(files[0].stem, root, inspected.files, settings.reader)
