"""`lynx inventory`: what of a benchmark's raw data is here, and how it compares with the published.

Every split is read as the `data` stage reads it, every clip is looked for where the `frames` stage
looks; nothing is published and no clip is decoded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from lynx.artifacts.hashing import hash_file
from lynx.benchmarks import get_benchmark
from lynx.benchmarks.annotation import Annotation
from lynx.benchmarks.sample import Sample
from lynx.benchmarks.source import UNKNOWN, Confidence, PublishedCount, Source, SplitSource
from lynx.benchmarks.splits import apart
from lynx.config.stages import VideoFiles
from lynx.errors import InputError
from lynx.project import Project
from lynx.report.inventory_clips import ClipOnDisk, find_clips, hash_clips

FileState = Literal["read", "not read", "missing", "absent"]


@dataclass(frozen=True)
class DataRoot:
    """A folder of raw data, and what to do where it does not exist (else None)."""

    key: str
    path: Path
    advice: str | None


@dataclass(frozen=True)
class AnnotationFile:
    """An annotation file below the annotations' root.

    ``missing`` is an official file without which a split cannot be read; ``absent`` is one that
    nothing needs: optional, or another file stands in for it.
    """

    name: str
    state: FileState
    bytes: int | None
    sha256: str | None


@dataclass(frozen=True)
class Comparison:
    """A published count and how many more are found here (fewer: below zero)."""

    published: int
    unit: str
    confidence: Confidence
    difference: int


@dataclass(frozen=True)
class SplitContent:
    """What a readable split holds.

    Items are ``kept`` as samples or ``dropped`` by reason. ``missing`` says of each clip without
    its files what it lacks; ``bytes`` are those of all clip files that are there; ``clip_sha256``
    is empty unless hashes were asked for. ``differing_groups`` are question types and tags that
    hold other numbers than published.
    """

    kept: int
    dropped: dict[str, int]
    clips: int
    missing: dict[str, str]
    bytes: int
    clip_sha256: dict[str, str]
    comparisons: tuple[Comparison, ...]
    differing_groups: dict[str, Comparison]


@dataclass(frozen=True)
class SplitEntry:
    """A split: what it holds, and the sentence about why the `data` stage would refuse it.

    Both are there where single items are faulty. One that is not ``counted`` has no public answers
    and decides nothing.
    """

    split: str
    counted: bool
    error: str | None
    content: SplitContent | None

    def complete(self, allow_missing: float) -> bool:
        """Whether it can be read and at most this share of its clips is missing."""
        if self.error is not None or self.content is None:
            return False
        return len(self.content.missing) <= allow_missing * self.content.clips


@dataclass(frozen=True)
class Inventory:
    """Everything that `lynx inventory` says.

    ``allow_missing`` is the share of the clips that the recipe lets lack; None where clips are
    scenes, of which none may.
    """

    benchmark: str
    title: str
    scale: str
    synthetic: bool
    licence: str
    access: str
    disk: str
    allow_missing: float | None
    annotations: DataRoot
    clips: DataRoot
    files: tuple[AnnotationFile, ...]
    splits: tuple[SplitEntry, ...]

    @property
    def complete(self) -> bool:
        """Whether every split with public answers is readable and lacks no clip.

        The recipe's `frames.allow_missing` is 0 unless a user raises it; then so many may lack.
        """
        allowed = self.allow_missing or 0.0
        return all(entry.complete(allowed) for entry in self.splits if entry.counted)


def take_inventory(project: Project, benchmark: str, hashes: bool) -> Inventory:
    """Read every split that the benchmark is configured with and look for every clip.

    ``hashes`` reads all bytes of the clips too; annotation files are hashed always.

    Raises:
        InputError: `config/site.yaml` lacks a root, or the benchmark is not configured. A faulty
            annotation file raises nothing: its sentence stands at its splits.
    """
    item = project.experiment.benchmarks[benchmark]
    source = get_benchmark(benchmark).source or UNKNOWN
    synthetic = project.experiment.synthetic
    root, media = project.annotations_root(benchmark), project.clips_root(benchmark)
    read = _read_splits(project, benchmark, root)
    annotations = [annotation for annotation, _ in read.values() if annotation]
    others = project.experiment.other_views(project.experiment.frames_of(benchmark))
    found = _find(media, annotations, others, hashes)
    entries = []
    for split, (annotation, error) in read.items():
        counted = synthetic or source.split(split).answers_public
        content = None
        if annotation is not None:
            comparable = not synthetic and _is_counted(source.split(split), annotation, root)
            published = source.split(split) if comparable else SplitSource(())
            content = _content(annotation, found, published)
        entries.append(SplitEntry(split, counted, error, content))
    settings = project.experiment.group_recipe(item.group).frames
    return Inventory(
        benchmark=benchmark,
        title=get_benchmark(benchmark).title,
        scale=project.experiment.scale_name,
        synthetic=synthetic,
        **_terms(source, project.experiment.world_of(benchmark)),
        allow_missing=settings.allow_missing if isinstance(settings, VideoFiles) else None,
        annotations=_data_root(project, benchmark, item.annotations, root),
        clips=_data_root(project, benchmark, item.clips, media),
        files=tuple(_annotation_files(root, source, entries, read)),
        splits=tuple(entries),
    )


def as_dict(inventory: Inventory) -> dict[str, Any]:
    """Plain data for JSON: the fields, `complete`, and paths as text."""
    plain: dict[str, Any] = asdict(inventory)
    for name in ("annotations", "clips"):
        plain[name]["path"] = plain[name]["path"].as_posix()
    return {"complete": inventory.complete, **plain}


_Read = tuple[Annotation | None, str | None]


def _read_splits(project: Project, benchmark: str, root: Path) -> dict[str, _Read]:
    """Every configured split; that for training without what the recipe's other split scores."""
    experiment, item = project.experiment, project.experiment.benchmarks[benchmark]
    budgets = {
        split: item.allow_missing if experiment.is_training(benchmark, split) else 0.0
        for split in item.splits
    }
    read = {split: _read(benchmark, root, split, budgets[split]) for split in item.splits}
    used = {split: read[split][0] for split in experiment.splits_used(benchmark)}
    whole = {split: annotation for split, annotation in used.items() if annotation is not None}
    train = experiment.training_split(benchmark)
    if experiment.is_training(benchmark, train) and len(whole) == len(used):
        try:
            read[train] = (apart(whole, train, item.allow_missing)[train], read[train][1])
        except InputError as error:
            read[train] = (whole[train], read[train][1] or str(error))
    return read


def _read(benchmark: str, root: Path, split: str, allow_missing: float) -> _Read:
    """The split as the `data` stage reads it; with faulty items counted where it refuses them."""
    read = get_benchmark(benchmark).read
    annotation, error = _attempt(lambda: read(root, split, allow_missing))
    if error is not None:
        annotation, _ = _attempt(lambda: read(root, split, 1.0))
    elif annotation is not None and not annotation.samples:
        error = f"{annotation.files[0]}: found no item, expected the {split} split; get it again"
    return annotation, error


def _attempt(read: Callable[[], Annotation]) -> _Read:
    try:
        return read(), None
    except InputError as error:
        return None, str(error)
    except OSError as error:
        return None, f"{error.filename}: {error.strerror}, expected a file to read; get it again"


def _find(
    media: Path, annotations: Iterable[Annotation], other_views: int, hashes: bool
) -> dict[str, tuple[ClipOnDisk, str | None]]:
    clips: dict[str, tuple[str, ...]] = {}
    for annotation in annotations:
        clips |= _clips(annotation)
    found = find_clips(media, clips, other_views)
    digests = hash_clips(media, found) if hashes else {}
    return {clip: (item, digests.get(clip)) for clip, item in found.items()}


def _clips(annotation: Annotation) -> dict[str, tuple[str, ...]]:
    """Clips that are asked about, with their files; without any where a clip is a folder."""
    clips = dict.fromkeys(sample.clip for sample in annotation.samples)
    return {clip: annotation.clip_files.get(clip, ()) for clip in clips}


def _is_counted(published: SplitSource, annotation: Annotation, root: Path) -> bool:
    """Whether the published counts are of what was read."""
    name = published.counted_file
    return name is None or root / name in annotation.files


def _content(
    annotation: Annotation,
    found: Mapping[str, tuple[ClipOnDisk, str | None]],
    published: SplitSource,
) -> SplitContent:
    clips = {clip: found[clip] for clip in _clips(annotation)}
    items = len(annotation.samples) + sum(annotation.dropped.values())
    pairs = [(published.items, items), (published.clips, len(clips))]
    return SplitContent(
        kept=len(annotation.samples),
        dropped=dict(annotation.dropped),
        clips=len(clips),
        missing={clip: item.lacking for clip, (item, _) in clips.items() if item.lacking},
        bytes=sum(item.bytes for item, _ in clips.values()),
        clip_sha256={clip: digest for clip, (_, digest) in clips.items() if digest},
        comparisons=tuple(_compare(count, here) for count, here in pairs if count),
        differing_groups=dict(_differing_groups(annotation.samples, published)),
    )


def _differing_groups(
    samples: Iterable[Sample], published: SplitSource
) -> Iterator[tuple[str, Comparison]]:
    found = Counter(name for item in samples for name in (item.type, *item.tags.values()))
    for name, count in published.groups.items():
        if found[name] != count.value:
            yield name, _compare(count, found[name])


def _compare(count: PublishedCount, here: int) -> Comparison:
    return Comparison(count.value, count.unit, count.confidence, here - count.value)


def _terms(source: Source, world: str | None) -> dict[str, str]:
    if world is None:
        return {"licence": source.licence, "access": source.access, "disk": source.disk}
    return {
        "licence": "synthetic data rendered by this project, CC0 1.0",
        "access": f"nothing to sign: `lynx world --name {world}` renders it",
        "disk": "some MB",
    }


def _data_root(project: Project, benchmark: str, key: str, path: Path) -> DataRoot:
    world = project.experiment.world_of(benchmark)
    if path.is_dir():
        advice = None
    elif world is not None:
        advice = f"no folder {path}; run `lynx world --name {world}`"
    else:
        # Scenes lie in `scans/` below the folder that the site names.
        below = path.relative_to(project.experiment.site.data[key]).as_posix()
        what = "where they lie" if below == "." else f"the folder that holds {below}/"
        advice = (
            f"no folder {path}; put the data there or set data.{key} in config/site.yaml to {what}"
        )
    return DataRoot(f"data.{key}", path, advice)


def _annotation_files(
    root: Path, source: Source, entries: Iterable[SplitEntry], read: Mapping[str, _Read]
) -> Iterable[AnnotationFile]:
    """Official files in the order of the splits, further ones, then others that were read."""
    used = [path for annotation, _ in read.values() if annotation for path in annotation.files]
    needed: dict[str, bool] = {}
    for entry in entries:
        unread = entry.counted and entry.content is None
        for name in source.split(entry.split).files:
            needed[name] = needed.get(name, False) or unread
    others = [path.relative_to(root).as_posix() for path in used]
    for name in dict.fromkeys([*needed, *source.further, *others]):
        path = root / name
        if path.is_file():
            state: FileState = "read" if path in used else "not read"
            yield AnnotationFile(name, state, path.stat().st_size, hash_file(path))
        else:
            yield AnnotationFile(name, "missing" if needed.get(name) else "absent", None, None)
