"""Stage `sft`: train and publish the language adapter of one variant on one benchmark."""

from __future__ import annotations

from collections.abc import Sequence

from lynx.artifacts.manifest import Manifest, parent_entry
from lynx.artifacts.verify import require_parent, require_stage
from lynx.benchmarks import get_benchmark
from lynx.config.experiment import Stream
from lynx.config.slices import sft_slice
from lynx.features.clips import usable_samples
from lynx.features.stage import is_streamed, token_source
from lynx.model.adapters import add_adapter, load_adapter, save_adapter
from lynx.model.base import Base, Part, load_base
from lynx.model.chat import ChatEncoder
from lynx.model.stage import require_base
from lynx.model.vision_adapter import require_rank, require_settings
from lynx.project import Project, StageRun, device_name, pick_device
from lynx.sft.dataset import group_by_clip
from lynx.sft.train import sft_training
from lynx.training.loop import PUBLISHED_LOG_NAME, log_text, run_training
from lynx.training.plan import derived_seed

ADAPTER_FOLDER = "language"


def load_for(project: Project, benchmark: str, split: str, streams: Sequence[Stream]) -> Base:
    """The language model, and the tower too where a stream is encoded on demand."""
    parts: list[Part] = ["language"]
    if is_streamed(project, benchmark, split, streams):
        parts.append("tower")
    dtype = project.experiment.scale.dtype
    return load_base(require_base(project), parts, dtype=dtype, device=pick_device(project))


def run_sft(project: Project, variant: str, benchmark: str) -> None:
    """Stage 3 for the configured seed, on a benchmark with a training split."""
    experiment, layout, seed = project.experiment, project.layout, project.seed
    split = experiment.training_split(benchmark)
    streams = experiment.variants[variant].streams
    run = StageRun.prepare(
        project,
        "sft",
        layout.sft(variant, benchmark, seed),
        sft_slice(experiment, variant, benchmark),
        [
            ("base", layout.base),
            ("data", layout.data(benchmark)),
            *(
                ("features", layout.features(benchmark, split, each, seed))
                for each in dict.fromkeys(streams)
            ),
        ],
        seed,
    )
    settings = experiment.training_recipe(benchmark).sft
    with run.state() as state:
        base = load_for(project, benchmark, split, streams)
        sources = [token_source(project, benchmark, split, each, base) for each in streams]
        # The seed of the start is the same for every variant, so that they differ by what they see.
        adapter = add_adapter(
            base, "language", settings.lora, seed=derived_seed(seed, "language lora")
        )
        groups = group_by_clip(
            usable_samples(project, benchmark, split),
            get_benchmark(benchmark).prompt,
            settings.questions_per_clip,
        )
        encoder = ChatEncoder.load(base.info.folder, base.info.image_token_id)
        training = sft_training(base, sources, groups, encoder, settings, derived_seed(seed, "sft"))
        records = run_training(training, state)
        with run.publish(device_name(base.device)) as draft:
            save_adapter(adapter, "language", draft.folder / ADAPTER_FOLDER)
            log = draft.folder / PUBLISHED_LOG_NAME
            log.write_text(log_text(records), encoding="utf-8")
            draft.counts.update(
                samples=sum(len(group.conversations) for group in groups), steps=len(records)
            )
            draft.facts.update(first=records[0], last=records[-1])


def attach_language(project: Project, base: Base, variant: str, benchmark: str) -> Manifest:
    """Load a variant's language adapter, frozen; refuse another rank, base or recipe."""
    experiment, layout = project.experiment, project.layout
    folder = layout.sft(variant, experiment.trainer_of(benchmark), project.seed)
    manifest = require_stage(folder, "sft", deep=True)
    require_settings(folder, manifest.settings, sft_slice(experiment, variant, benchmark))
    require_parent(folder, manifest, parent_entry(layout.base))
    require_rank(folder / ADAPTER_FOLDER, experiment.training_recipe(benchmark).sft.lora)
    load_adapter(base, "language", folder / ADAPTER_FOLDER)
    return manifest
