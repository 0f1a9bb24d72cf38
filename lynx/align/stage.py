"""Stages `reference` and `align`: interface guidance and interface alignment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from lynx.align.items import ClipItem, clip_items, open_sources, reference_pixels
from lynx.align.reference import Counted, ReferenceBuilder, load_reference, pool
from lynx.align.train import align_training
from lynx.artifacts.lineage import VIDEOS
from lynx.artifacts.verify import require_stage
from lynx.config.slices import align_slice, reference_slice
from lynx.model.adapters import add_adapter, parameter_count, save_adapter
from lynx.model.base import Base
from lynx.model.configured import open_base
from lynx.model.vision_adapter import ADAPTER_FOLDER
from lynx.project import Project, StageRun
from lynx.ranks.device import device_name
from lynx.ranks.in_order import in_order
from lynx.ranks.place import here
from lynx.training.loop import PUBLISHED_LOG_NAME, log_text, run_training
from lynx.training.plan import derived_seed, require_ranks


def run_reference(project: Project, group: str) -> None:
    """Stage 1 for one group: training scenes only.

    Clips are summed up one by one in their order, whichever rank has seen them.
    """
    experiment, layout = project.experiment, project.layout
    settings = experiment.group_recipe(group).reference
    sources = tuple(settings.sources)
    run = StageRun.prepare(
        project,
        "reference",
        layout.reference(group),
        reference_slice(experiment, group),
        [
            ("base", layout.base),
            ("frames", layout.frames(group)),
            *(("data", layout.data(name)) for name in sources),
        ],
    )
    base = open_base(project, ["tower"])
    processor, builder = base.processor(), ReferenceBuilder(base.info)
    shelves, chunk = open_sources(project, sources), settings.frames_per_clip
    items = clip_items(project, shelves, chunk)[: settings.max_clips]

    def observed(item: ClipItem) -> ReferenceBuilder:
        own = ReferenceBuilder(base.info)
        own.add(base, reference_pixels(shelves, item, processor)[None], frame_chunk=chunk)
        return own

    with run.first_publishes(device_name(base.device)) as draft:
        bar = tqdm(
            in_order(items, observed),
            total=len(items),
            desc="reference",
            unit="clip",
            mininterval=1.0,
            disable=draft is None,
        )
        for _, part in bar:
            builder.merge(part)
        if draft is None:
            return
        builder.save(draft.folder)
        draft.attention = base.attention
        videos_read = len({(item.source, item.clip) for item in items})
        draft.counts.update({"clips": builder.clips, "frames": builder.frames, VIDEOS: videos_read})


def run_align(project: Project, name: str) -> None:
    """Stage 2: train and publish the vision adapter `name` for the configured seed."""
    experiment, layout, seed = project.experiment, project.layout, project.seed
    alignment = experiment.alignments[name]
    settings, group, references = alignment.settings, alignment.group, alignment.references
    require_ranks(settings.optimizer, here().count, "align")
    run = StageRun.prepare(
        project,
        "align",
        layout.align(name, seed),
        align_slice(experiment, name),
        [
            ("base", layout.base),
            ("frames", layout.frames(group)),
            *(("reference", layout.reference(each)) for each in references),
            *(("data", layout.data(source)) for source in settings.sources),
        ],
        seed,
    )
    with run.shared_state() as state:
        base = open_base(project, ["tower"])
        reference = pool([_counted(layout.reference(each), base) for each in references])
        adapter = add_adapter(base, "vision", settings.lora, seed=derived_seed(seed, "vision lora"))
        shelves = open_sources(project, settings.sources)
        items = clip_items(project, shelves, settings.steps_per_item)
        training = align_training(
            base,
            reference,
            items,
            shelves,
            base.processor(),
            settings,
            derived_seed(seed, "align"),
        )
        records = run_training(replace(training, zero=experiment.site.zero), state)
        if not here().first:
            return
        with run.publish(device_name(base.device)) as draft:
            save_adapter(adapter, "vision", draft.folder / ADAPTER_FOLDER)
            log = draft.folder / PUBLISHED_LOG_NAME
            log.write_text(log_text(records), encoding="utf-8")
            draft.attention = base.attention
            draft.counts.update(items=len(items), steps=len(records))
            parameters = {"vision": parameter_count(adapter, "vision")}
            draft.facts.update(first=records[0], last=records[-1], parameters=parameters)


def _counted(folder: Path, base: Base) -> Counted:
    """A published reference with the counts of its manifest; a clip ends with a newline token."""
    counts = require_stage(folder, "reference", deep=True).counts
    rows = counts["frames"] * base.info.tokens_per_frame + counts["clips"]
    return Counted(load_reference(folder, base.info, base.device), rows, counts["frames"])
