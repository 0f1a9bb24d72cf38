"""MUSIC-AVQA's first test set: 9,185 rows, among which 55 question ids stand more than once.

The corrected release (``lynx.benchmarks.music_avqa``) takes the repeats out and changes 26 answers,
so accuracies on the two do not compare, and papers rarely say which one they used. Trained is on
the corrected release's training split, and every row counts here as it did then.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lynx.benchmarks import music_avqa
from lynx.benchmarks.annotation import Annotation, annotation_file, within_budget
from lynx.benchmarks.mappings import existing, files_of, read_mapping
from lynx.benchmarks.registry import Benchmark
from lynx.benchmarks.source import SplitSource, counted

FILES = {"test": "json/avqa-test.json"}


def read(annotations_root: Path, split: str, allow_missing: float = 0.0) -> Annotation:
    """Read the split ``test`` of the first release.

    Raises:
        InputError: as ``lynx.benchmarks.music_avqa.read``, but ids may repeat.
    """
    path = annotation_file(annotations_root, FILES, split, music_avqa.HOW_TO_GET)
    rows = music_avqa.official_rows(path, twice=False, repeats=True)
    samples, dropped = within_budget(path, rows, allow_missing)
    mapping = annotations_root / music_avqa.MAPPING
    clip_files = files_of(samples, read_mapping(mapping), music_avqa.published_name)
    return Annotation(samples, dropped, [path, *existing(mapping)], clip_files)


SOURCE = replace(
    music_avqa.SOURCE,
    splits={"test": SplitSource((FILES["test"],), counted(9_185, "questions"))},
    further=(music_avqa.MAPPING,),
)

BENCHMARK = Benchmark(
    name="music_avqa_original",
    title="MUSIC-AVQA, first test set",
    group="audio",
    modality="audio",
    splits=tuple(FILES),
    metrics=tuple(music_avqa.RULES),
    read=read,
    prompt=music_avqa.prompt,
    score=music_avqa.score,
    source=SOURCE,
)
