"""Video-MME with subtitles: the same questions behind what is said at the frames that are shown.

Of a video's subtitles only those may be used that are on screen at a sampled frame (official rule).
The frames are those of the video stream, as many as the recipe shows, whatever X adds: so every
variant reads the same text. lmms-eval takes 32 whatever the model is shown. 156 of the 900 videos
have no subtitles; their questions are asked without the block. The prompt ends as lmms-eval's does
here, whose tags of one colour alone and unordered lines are not taken over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lynx.benchmarks import videomme
from lynx.benchmarks.annotation import Annotation
from lynx.benchmarks.registry import Benchmark
from lynx.benchmarks.sample import Sample, Subtitle
from lynx.benchmarks.subtitles import on_screen, read_subtitles

OPENING = "This video's subtitles are listed below:"
CLOSING = "The best answer is:"


def read(annotations_root: Path, split: str, allow_missing: float = 0.0) -> Annotation:
    """Read the split ``test``, with all subtitles of each video.

    Raises:
        InputError: as ``lynx.benchmarks.videomme.read``, and about a faulty subtitle file.
    """
    found = videomme.read(annotations_root, split, allow_missing)
    paths = {clip: annotations_root / f"subtitle/{clip}.srt" for clip in found.clip_files}
    there = {clip: path for clip, path in paths.items() if path.is_file()}
    said: dict[str, tuple[Subtitle, ...]] = {
        clip: read_subtitles(path) for clip, path in there.items()
    }
    samples = [
        sample.model_copy(update={"subtitles": said.get(sample.clip, ())})
        for sample in found.samples
    ]
    return replace(found, samples=samples, files=[*found.files, *there.values()])


def at_moments(sample: Sample, moments: Sequence[float]) -> Sample:
    """The sample with the subtitles that are on screen at one of the moments."""
    return sample.model_copy(update={"subtitles": on_screen(sample.subtitles, moments)})


def prompt(sample: Sample, turn: int) -> str:
    """The subtitles, if any, then instruction, question, options, and a last line to go on from."""
    said = [item.text for item in sample.subtitles]
    block = [OPENING, *said] if said else []
    return "\n".join([*block, *videomme.question_lines(sample, turn), CLOSING])


BENCHMARK = Benchmark(
    name="videomme_subtitles",
    title="Video-MME with subtitles",
    group="fast",
    modality="fast",
    splits=("test",),
    metrics=tuple(videomme.RULES),
    read=read,
    prompt=prompt,
    score=videomme.score,
    at_moments=at_moments,
)
