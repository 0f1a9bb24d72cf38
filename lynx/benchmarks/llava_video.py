"""LLaVA-Video-178K (Zhang et al. 2024), for training: open questions on videos of 1 to 3 minutes.

As PAVE and LynX take it: the open-ended files of four configurations, and of these the first two
records of each id in file order, which PAVE's ``*_2pv.json`` hold ready. A record's video is named
below its configuration's folder; a mapping file, whose names are below the folder with which that
name begins, moves it. The set has no split to score: others are trained on it.

ActivityNet, Charades and NExT-QA are among its sources, and among those of scored sets (MVBench has
clips of Charades): no split keeps them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lynx.benchmarks.annotation import Annotation, Faulty, usable, within_budget
from lynx.benchmarks.instruct import Record, fault_of, read_instruct, turns_of
from lynx.benchmarks.mappings import ClipFiles, existing, file_name, read_mapping
from lynx.benchmarks.registry import Benchmark
from lynx.benchmarks.sample import Sample
from lynx.benchmarks.scores import Scores
from lynx.benchmarks.source import Source, SplitSource
from lynx.errors import InputError

CONFIGS = ("1_2_m_academic_v0_1", "1_2_m_youtube_v0_1", "2_3_m_academic_v0_1", "2_3_m_youtube_v0_1")
PER_VIDEO = 2

_HOW_TO_GET = (
    "copy the folders "
    f"{', '.join(CONFIGS)} of lmms-lab/LLaVA-Video-178K on the Hugging Face hub, with the archives "
    "in them unpacked"
)


def official_file(config: str) -> str:
    """The open-ended questions of a configuration."""
    return f"{config}/{config.removesuffix('_v0_1')}_oe_v0_1_qa_processed.json"


def chosen_files(config: str) -> tuple[str, str]:
    """PAVE's choice of them: beside the official file, or at the root as in PAVE's own tree."""
    name = f"{config.removesuffix('_v0_1')}_oe_v0_1_qa_processed_2pv.json"
    return f"{config}/{name}", name


def mapping_files(config: str) -> tuple[str, str]:
    """{video id: file}, in either of the same places."""
    name = f"{config}_videos_mapping_updated.json"
    return f"{config}/{name}", name


@dataclass(frozen=True)
class _Shown:
    """A record with the file below the media root that shows its video."""

    config: str
    record: Record
    file: str


def read(annotations_root: Path, split: str, allow_missing: float = 0.0) -> Annotation:
    """Read the four configurations of the split ``train``.

    Raises:
        InputError: the split or a configuration's file is unknown, a record is not as
            ``lynx.benchmarks.instruct.read_instruct`` wants it, a name leaves the media root, or
            more than the share ``allow_missing`` of the records is unusable.
    """
    if split != "train":
        raise InputError(f"split: found {split!r}, expected one of train; correct the recipe")
    sources = {config: _source(annotations_root, config) for config in CONFIGS}
    mappings = {
        config: existing(*(annotations_root / name for name in mapping_files(config)))[:1]
        for config in CONFIGS
    }
    shown = {
        path: [*_shown(config, first_of_each(read_instruct(path)), mappings[config])]
        for config, path in sources.items()
    }
    items = [item for path, found in shown.items() for item in usable(path, map(_sample, found))]
    samples, dropped = within_budget(annotations_root, items, allow_missing)
    used = {sample.clip for sample in samples}
    files: ClipFiles = {
        _clip(item.file): (item.file,)
        for found in shown.values()
        for item in found
        if _clip(item.file) in used
    }
    maps = [path for found in mappings.values() for path in found]
    return Annotation(samples, dropped, [*sources.values(), *maps], files)


def _source(root: Path, config: str) -> Path:
    names = (official_file(config), *chosen_files(config))
    found = existing(*(root / name for name in names))
    if not found:
        raise InputError(
            f"{root / names[0]}: file not found, expected it, or PAVE's {names[2]}, with the open "
            f"questions of {config}; {_HOW_TO_GET}"
        )
    return found[0]


def first_of_each(records: Iterable[Record]) -> Iterator[Record]:
    """The first two records of each id, in their order."""
    seen: dict[str, int] = {}
    for record in records:
        seen[record.written_id] = seen.get(record.written_id, 0) + 1
        if seen[record.written_id] <= PER_VIDEO:
            yield record


def _shown(config: str, records: Iterable[Record], mapping: Sequence[Path]) -> Iterator[_Shown]:
    names = read_mapping(mapping[0]) if mapping else {}
    for record in records:
        video = file_name(record.video, record.place)
        moved = names.get(record.written_id)
        if moved is not None:
            video = f"{video.split('/')[0]}/{moved}"
        yield _Shown(config, record, f"{config}/{video}")


def _clip(file: str) -> str:
    return file.replace("/", "--")


def _sample(shown: _Shown) -> Sample | Faulty:
    record = shown.record
    name = f"{shown.config}/{record.id}"
    reason = fault_of(record.exchanges)
    if reason:
        return Faulty(name, reason)
    return Sample(
        id=name,
        clip=_clip(shown.file),
        turns=turns_of(record.exchanges),
        references=(record.exchanges[-1][1],),
    )


def prompt(sample: Sample, turn: int) -> str:
    """The question as it stands."""
    return sample.turns[turn].question


def score(samples: Sequence[Sample], predictions: Mapping[str, str]) -> Scores:
    """Refused: there is no split to score.

    Raises:
        InputError: always.
    """
    raise InputError(
        f"llava_video: found {len(samples)} samples to score, expected none because the set is for "
        "training; score a benchmark that is trained on it"
    )


SOURCE = Source(
    splits={
        # About 57,000 videos and 114,000 questions are taken, which is rounded: no count of these.
        "train": SplitSource(tuple(map(official_file, CONFIGS)))
    },
    further=tuple(
        name for config in CONFIGS for name in (*chosen_files(config), *mapping_files(config))
    ),
    licence=(
        "for academic use; the text is GPT-4o's, under OpenAI's terms too, and the videos stay "
        "under those of their sources"
    ),
    access=(
        "the archives and JSON files lie in lmms-lab/LLaVA-Video-178K on the Hugging Face hub, no "
        "form"
    ),
    disk=(
        "150 to 180 GB for each of the two youtube configurations (published, not measured); of "
        "the two academic ones not known, a shorter one takes about 50 GB"
    ),
)

BENCHMARK = Benchmark(
    name="llava_video",
    title="LLaVA-Video-178K",
    group="fast",
    modality="fast",
    splits=("train",),
    metrics=(),
    read=read,
    prompt=prompt,
    score=score,
    source=SOURCE,
)
