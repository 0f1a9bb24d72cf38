"""Stage `features`: one token stream of one split, encoded once; stored, or streamed if too large.

Shape legend: T tokens per frame, F frames, D language model width.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from lynx.artifacts.manifest import Manifest, parent_entry
from lynx.artifacts.verify import require_parent, require_stage
from lynx.benchmarks.stage import unique_clips
from lynx.config.experiment import MAIN_VARIANT
from lynx.config.files import Stream
from lynx.config.slices import features_slice
from lynx.config.stages import ViewSettings
from lynx.config.streams import stream_folder, vision_parent
from lynx.errors import InputError
from lynx.features.clips import one_pass_shelf, open_shelf, usable_samples
from lynx.features.encode import StreamEncoder
from lynx.features.store import StoredTokens, write_store
from lynx.features.streamed import StreamedTokens
from lynx.media.shelf import Shelf
from lynx.model.base import Base
from lynx.model.configured import open_base
from lynx.model.families.llava_onevision import BaseInfo, describe
from lynx.model.stage import require_base
from lynx.model.vision_adapter import attach_vision
from lynx.project import Project, StageRun
from lynx.ranks.device import device_name, pick_device
from lynx.ranks.in_order import in_order

FRAME_CHUNK = 4
DTYPE_BYTES = {"float32": 4, "bfloat16": 2}


def stream_tokens(info: BaseInfo, view: ViewSettings, stream: Stream) -> int:
    """Tokens of a stream: T * F and the newline that ends a clip."""
    frames = view.frames
    if stream != "video" and not view.merge_pairs:
        frames = view.drawing.pseudo_frames(frames)
    per_frame = 1 if stream != "video" and view.pool_x else info.tokens_per_frame
    return frames * per_frame + 1


def stream_bytes(
    project: Project, info: BaseInfo, view: ViewSettings, stream: Stream, clips: int
) -> int:
    """Bytes that a stored stream takes, its tokens of width D."""
    width = info.text_width * DTYPE_BYTES[project.experiment.scale.dtype]
    return clips * stream_tokens(info, view, stream) * width


def make_encoder(
    project: Project,
    base: Base,
    benchmark: str,
    split: str,
    stream: Stream,
    shelf: Shelf | None = None,
) -> StreamEncoder:
    """The encoder of one stream; the base carries its vision adapter already if it is `aligned`.

    `shelf` is one that several encoders share; without it the encoder opens its own.
    """
    return StreamEncoder(
        base=base,
        processor=base.processor(),
        shelf=open_shelf(project, benchmark) if shelf is None else shelf,
        stream=stream,
        view=project.experiment.view_of(benchmark, split),
        frame_chunk=FRAME_CHUNK,
    )


def run_features(
    project: Project, benchmark: str, split: str, stream: Stream, variant: str = MAIN_VARIANT
) -> None:
    """Encode and publish one stream, or publish that it is to be streamed.

    Ranks encode a clip each in turn, and the first one stores all of them in their order.
    `variant` is the one whose vision adapter reads an `aligned` stream.
    """
    experiment, layout = project.experiment, project.layout
    parents = [
        ("base", layout.base),
        ("data", layout.data(benchmark)),
        ("frames", layout.frames(experiment.frames_of(benchmark))),
    ]
    if stream == "aligned":
        parents.append(vision_parent(experiment, layout, variant, benchmark))
    run = StageRun.prepare(
        project,
        "features",
        stream_folder(experiment, layout, variant, benchmark, split, stream),
        features_slice(experiment, benchmark, split, stream),
        parents,
        project.seed if stream == "aligned" else None,
    )
    clips = unique_clips([usable_samples(project, benchmark, split)])
    info = describe(require_base(project))
    view = experiment.view_of(benchmark, split)
    size = stream_bytes(project, info, view, stream, len(clips))
    stored = size <= experiment.site.feature_disk_gb * 1e9
    device = pick_device(project.experiment.site)
    with run.first_publishes(device_name(device)) as draft:
        if draft is not None:
            draft.facts.update(storage="stored" if stored else "streamed", stream_bytes=size)
            draft.counts["clips"] = len(clips)
        if stored:
            base = open_base(project, ["tower"])
            if stream == "aligned":
                attach_vision(project, base, variant, benchmark)
            encoder = make_encoder(project, base, benchmark, split, stream)
            bar = tqdm(
                in_order(clips, encoder.encode),
                total=len(clips),
                desc=f"encode {stream}",
                unit="clip",
                mininterval=1.0,
                disable=draft is None,
            )
            if draft is None:
                deque(bar, maxlen=0)  # this rank's share, which the first one stores
            else:
                draft.attention = base.attention
                write_store(draft.folder, bar)


def open_features(
    project: Project, variant: str, benchmark: str, split: str, stream: Stream
) -> tuple[Path, Manifest]:
    """A published stream, checked to be of this configuration and of these very parents."""
    experiment, layout = project.experiment, project.layout
    folder = stream_folder(experiment, layout, variant, benchmark, split, stream)
    manifest = require_stage(folder, "features")
    expected = features_slice(experiment, benchmark, split, stream)
    if manifest.settings != expected:
        keys = sorted(key for key in expected if manifest.settings.get(key) != expected[key])
        raise InputError(
            f"{folder}: features of other settings ({', '.join(keys)} differ from the recipe); "
            "run the features rule again"
        )
    require_parent(folder, manifest, parent_entry(layout.base))
    if stream == "aligned":
        _, adapter = vision_parent(experiment, layout, variant, benchmark)
        require_parent(folder, manifest, parent_entry(adapter))
    return folder, manifest


def token_sources(
    project: Project,
    variant: str,
    benchmark: str,
    split: str,
    streams: Sequence[Stream],
    tower: Base | None,
) -> list[StoredTokens | StreamedTokens]:
    """Read streams from disk, or encode them with `tower`, which decodes a clip's video once."""
    view = project.experiment.view_of(benchmark, split)
    shelf = one_pass_shelf(open_shelf(project, benchmark), view)
    return [
        _token_source(project, variant, benchmark, split, stream, tower, shelf)
        for stream in streams
    ]


def _token_source(
    project: Project,
    variant: str,
    benchmark: str,
    split: str,
    stream: Stream,
    tower: Base | None,
    shelf: Shelf,
) -> StoredTokens | StreamedTokens:
    """Read a stream from disk, or encode it on demand by the same code with `tower`."""
    folder, manifest = open_features(project, variant, benchmark, split, stream)
    if manifest.facts["storage"] == "stored":
        return StoredTokens.open(folder, manifest.files)
    if tower is None:
        raise ValueError(f"{folder} is streamed, so the caller must load the tower")
    if stream == "aligned":
        attach_vision(project, tower, variant, benchmark)
    return StreamedTokens(make_encoder(project, tower, benchmark, split, stream, shelf))


def is_streamed(
    project: Project, variant: str, benchmark: str, split: str, streams: Sequence[Stream]
) -> bool:
    """Whether any of the streams must be encoded by its reader."""
    opened = (open_features(project, variant, benchmark, split, stream)[1] for stream in streams)
    return any(manifest.facts["storage"] == "streamed" for manifest in opened)
