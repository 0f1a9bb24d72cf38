"""Stage `sft`: train and publish the language adapter of one variant on one benchmark.

That of `x: joint` trains and publishes a vision adapter with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from peft import PeftModel

from lynx.artifacts.lineage import aligned_with
from lynx.artifacts.manifest import Manifest, ParentEntry, parent_entry
from lynx.artifacts.verify import require_parent, require_same, require_stage
from lynx.benchmarks import get_benchmark
from lynx.config.files import Stream
from lynx.config.slices import sft_slice
from lynx.config.streams import stream_folder, vision_parent
from lynx.errors import InputError
from lynx.features.clips import usable_samples
from lynx.features.encode import StreamEncoder
from lynx.features.stage import is_streamed, make_encoder, token_sources
from lynx.model.adapters import Role, add_adapter, load_adapter, parameter_count, save_adapter
from lynx.model.attention import attention_used, use_packed_attention
from lynx.model.base import Base, Part
from lynx.model.chat import ChatEncoder
from lynx.model.configured import open_base
from lynx.model.vision_adapter import ADAPTER_FOLDER as VISION
from lynx.model.vision_adapter import require_rank, require_settings
from lynx.project import Project, StageRun
from lynx.ranks.device import device_name
from lynx.ranks.place import here
from lynx.sft.dataset import ClipQuestions, group_by_clip
from lynx.sft.train import LoadedClip, TokenSource, sft_training
from lynx.training.loop import PUBLISHED_LOG_NAME, Training, log_text, run_training
from lynx.training.plan import derived_seed, require_ranks

ADAPTER_FOLDER = "language"
FOLDERS: dict[Role, str] = {"vision": VISION, "language": ADAPTER_FOLDER}


def load_for(
    project: Project, variant: str, benchmark: str, split: str, streams: Sequence[Stream]
) -> Base:
    """The language model, and the tower too where a stream is encoded on demand."""
    parts: list[Part] = ["language"]
    if is_streamed(project, variant, benchmark, split, streams):
        parts.append("tower")
    return open_base(project, parts)


def run_sft(project: Project, variant: str, benchmark: str) -> None:
    """Stage 3 for the configured seed, on a benchmark with a training split."""
    experiment, layout, seed = project.experiment, project.layout, project.seed
    split, streams = _read_by(project, variant, benchmark)
    joint = experiment.variants[variant].x == "joint"
    frames = [("frames", layout.frames(experiment.frames_of(benchmark)))]
    require_ranks(experiment.sft_settings(variant, benchmark).optimizer, here().count, "sft")
    run = StageRun.prepare(
        project,
        "sft",
        layout.sft(variant, benchmark, seed),
        sft_slice(experiment, variant, benchmark),
        [
            ("base", layout.base),
            ("data", layout.data(benchmark)),
            *(frames if joint else ()),
            *(
                ("features", stream_folder(experiment, layout, variant, benchmark, split, each))
                for each in dict.fromkeys(streams)
            ),
        ],
        seed,
    )
    with run.shared_state() as state:
        training, adapters = (_joint if joint else _alone)(project, variant, benchmark)
        records = run_training(replace(training, zero=experiment.site.zero), state)
        if not here().first:
            return
        with run.publish(device_name(training.device)) as draft:
            for role, adapter in adapters.items():
                save_adapter(adapter, role, draft.folder / FOLDERS[role])
            log = draft.folder / PUBLISHED_LOG_NAME
            log.write_text(log_text(records), encoding="utf-8")
            draft.attention = attention_used(next(iter(adapters.values())).get_base_model())
            samples = sum(len(group.conversations) for group in training.plan.items)
            draft.counts.update(samples=samples, steps=len(records))
            parameters = {role: parameter_count(item, role) for role, item in adapters.items()}
            draft.facts.update(first=records[0], last=records[-1], parameters=parameters)


Run = tuple[Training[ClipQuestions, list[LoadedClip]], dict[Role, PeftModel]]
"""What is to be trained, and its adapters by role."""


def _alone(project: Project, variant: str, benchmark: str) -> Run:
    """The language adapter on frozen streams."""
    split, streams = _read_by(project, variant, benchmark)
    base = load_for(project, variant, benchmark, split, streams)
    sources = token_sources(project, variant, benchmark, split, streams, base)
    adapter = _fresh(project, variant, benchmark, base, "language")
    return _training(project, variant, benchmark, base, sources), {"language": adapter}


def _joint(project: Project, variant: str, benchmark: str) -> Run:
    """Both adapters, X encoded in every step; the video stream is frozen."""
    split, streams = _read_by(project, variant, benchmark)
    base, reader = open_base(project, ["tower", "language"]), None
    if is_streamed(project, variant, benchmark, split, streams):
        # Read one step ahead, video would switch the adapter off while X is encoded with it.
        reader = open_base(project, ["tower"])
    sources = token_sources(project, variant, benchmark, split, streams, reader)
    roles: tuple[Role, ...] = ("vision", "language")
    adapters = {role: _fresh(project, variant, benchmark, base, role) for role in roles}
    live = make_encoder(project, base, benchmark, split, "aligned")
    return _training(project, variant, benchmark, base, sources, live), adapters


def _read_by(project: Project, variant: str, benchmark: str) -> tuple[str, tuple[Stream, ...]]:
    """The training split and its streams that are features."""
    experiment = project.experiment
    return experiment.training_split(benchmark), experiment.variants[variant].training_streams


def _fresh(project: Project, variant: str, benchmark: str, base: Base, role: Role) -> PeftModel:
    """A new adapter; its start is the same for every variant, so that these differ by what they see
    and train alone. That of a vision adapter is the one of alignment.
    """
    experiment = project.experiment
    lora = experiment.sft_settings(variant, benchmark).lora
    if role == "vision":
        lora = experiment.vision_lora(variant, benchmark)
    return add_adapter(base, role, lora, seed=derived_seed(project.seed, f"{role} lora"))


def _training(
    project: Project,
    variant: str,
    benchmark: str,
    base: Base,
    sources: Sequence[TokenSource],
    live: StreamEncoder | None = None,
) -> Training[ClipQuestions, list[LoadedClip]]:
    use_packed_attention(base.model)
    settings = project.experiment.sft_settings(variant, benchmark)
    groups = group_by_clip(
        usable_samples(project, benchmark, project.experiment.training_split(benchmark)),
        get_benchmark(benchmark).prompt,
        settings.questions_per_clip,
    )
    encoder = ChatEncoder.load(base.info.folder, base.info.image_token_id)
    seed = derived_seed(project.seed, "sft")
    return sft_training(base, sources, groups, encoder, settings, seed, live)


def attach_language(project: Project, base: Base, variant: str, benchmark: str) -> Manifest:
    """Load a variant's language adapter, frozen; refuse what `require_language` refuses."""
    folder, manifest = require_language(project, variant, benchmark)
    load_adapter(base, "language", folder / ADAPTER_FOLDER)
    return manifest


def require_language(project: Project, variant: str, benchmark: str) -> tuple[Path, Manifest]:
    """A variant's published language adapter: of this recipe and base, trained on features that the
    vision adapter has made which reads X now.

    Raises InputError if it is absent, damaged or another one.
    """
    experiment, layout = project.experiment, project.layout
    folder = layout.sft(variant, experiment.trainer_of(benchmark), project.seed)
    manifest = require_stage(folder, "sft", deep=True)
    require_settings(folder, manifest.settings, sft_slice(experiment, variant, benchmark))
    require_parent(folder, manifest, parent_entry(layout.base))
    require_rank(folder / ADAPTER_FOLDER, experiment.sft_settings(variant, benchmark).lora)
    if experiment.variants[variant].x == "aligned":
        reader = vision_parent(experiment, layout, variant, benchmark)[1]
        _require_same_vision(layout.root, folder, manifest, parent_entry(reader))
    return folder, manifest


def _require_same_vision(root: Path, folder: Path, manifest: Manifest, reader: ParentEntry) -> None:
    met = list(aligned_with(root, folder, manifest))
    if not met:
        raise InputError(
            f"{folder}: names no aligned features, expected those of {reader.path}; run its rule "
            "again"
        )
    for align in met:
        require_same(folder, align, reader)
