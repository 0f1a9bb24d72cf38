"""Video-MME with subtitles: the same questions behind what is said at the frames that are shown.

Of a video's subtitles only those may be used that are on screen at a sampled frame (official rule).
The frames are those of the video stream, as many as the recipe shows, whatever X adds: so every
variant reads the same text. lmms-eval takes 32 whatever the model is shown. 156 of the 900 videos
have no subtitles; their questions are asked without the block. The prompt ends as lmms-eval's does
here, whose tags of one colour alone and unordered lines are not taken over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lynx.benchmarks import videomme
from lynx.benchmarks.annotation import Annotation
from lynx.benchmarks.registry import Benchmark
from lynx.benchmarks.sample import Sample, Subtitle
from lynx.benchmarks.source import counted
from lynx.benchmarks.subtitles import on_screen, read_subtitles
from lynx.errors import InputError

OPENING = "This video's subtitles are listed below:"
CLOSING = "The best answer is:"
SUBTITLED, NOT_SUBTITLED = "with subtitles", "without subtitles"


def read(annotations_root: Path, split: str, allow_missing: float = 0.0) -> Annotation:
    """Read the split ``test``, with all subtitles of each video; a tag says whether it has any.

    Raises:
        InputError: as ``lynx.benchmarks.videomme.read``, about a faulty subtitle file, or if there
            is none at all: then every question would be asked as without subtitles.
    """
    found = videomme.read(annotations_root, split, allow_missing)
    paths = {clip: annotations_root / f"subtitle/{clip}.srt" for clip in found.clip_files}
    there = {clip: path for clip, path in paths.items() if path.is_file()}
    if not there:
        raise InputError(
            f"{annotations_root / 'subtitle'}: found no subtitles of any video of the table, "
            f"expected <videoID>.srt; {videomme.HOW_TO_GET}"
        )
    said: dict[str, tuple[Subtitle, ...]] = {
        clip: read_subtitles(path) for clip, path in there.items()
    }
    return replace(found, samples=[_with(sample, said) for sample in found.samples])


def _with(sample: Sample, said: Mapping[str, tuple[Subtitle, ...]]) -> Sample:
    tag = SUBTITLED if sample.clip in said else NOT_SUBTITLED
    tags, subtitles = sample.tags | {"subtitles": tag}, said.get(sample.clip, ())
    return sample.model_copy(update={"tags": tags, "subtitles": subtitles})


def at_moments(sample: Sample, moments: Sequence[float]) -> Sample:
    """The sample with the subtitles that are on screen at one of the moments."""
    return sample.model_copy(update={"subtitles": on_screen(sample.subtitles, moments)})


def prompt(sample: Sample, turn: int) -> str:
    """The subtitles, if any, then instruction, question, options, and a last line to go on from."""
    said = [item.text for item in sample.subtitles]
    block = [OPENING, *said] if said else []
    return "\n".join([*block, *videomme.question_lines(sample, turn), CLOSING])


# 744 of the 900 videos have subtitles, and every video three questions.
_GROUPS = {SUBTITLED: counted(744 * 3, "questions"), NOT_SUBTITLED: counted(156 * 3, "questions")}
SOURCE = replace(
    videomme.SOURCE,
    splits={"test": replace(videomme.SOURCE.splits["test"], groups=_GROUPS)},
)

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
    source=SOURCE,
)
