"""Stages `predict` and `score`: answers of one run, and what they come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lynx.artifacts.environment import package_versions
from lynx.artifacts.hashing import hash_file
from lynx.artifacts.lineage import lineage
from lynx.artifacts.manifest import MANIFEST_NAME, parent_entry
from lynx.artifacts.stages import STAGE_VERSIONS
from lynx.artifacts.verify import require_parent, require_settings, require_stage
from lynx.benchmarks import get_benchmark
from lynx.benchmarks.sample import Sample
from lynx.benchmarks.stage import read_split, require_held_out
from lynx.config.slices import predict_slice
from lynx.config.streams import stream_folder
from lynx.config.training_sets import tables_read, training_sources
from lynx.errors import InputError
from lynx.evaluate.metrics_file import write_report
from lynx.evaluate.overlap import shared_names
from lynx.evaluate.predictions import read_predictions, write_predictions
from lynx.evaluate.verified import SHOWN_BESIDE, read_placed
from lynx.project import Project, StageRun
from lynx.ranks.device import device_name

# Among the facts of predictions and in a score: tokens of all streams before each question, the
# first question as it was asked, what became of the clips, and those named as a file trained on.
VISUAL_TOKENS, PROMPT, CLIPS, SHARED_NAMES = FACTS = (
    "visual_tokens", "prompt", "clips", "shared_names"
)  # fmt: skip


def run_predict(project: Project, variant: str, benchmark: str) -> None:
    """Answer the evaluation split with one variant; resumable per batch of one clip's questions."""
    from lynx.evaluate.predict import answer_all, answering  # torch: `score` does without
    from lynx.features.clips import clip_counts, samples_as_shown
    from lynx.features.stage import stream_tokens, token_sources
    from lynx.model.chat import ChatEncoder
    from lynx.sft.stage import attach_language, load_for

    experiment, layout, seed = project.experiment, project.layout, project.seed
    settings = experiment.recipe_of(variant, benchmark).evaluate
    streams = experiment.variants[variant].streams
    met = training_sources(experiment, variant, benchmark)
    tables = tables_read(experiment, variant, benchmark)
    parents = [
        ("base", layout.base),
        *(("data", layout.data(name)) for name in tables),
        *(
            ("features", stream_folder(experiment, layout, variant, benchmark, settings.split, x))
            for x in dict.fromkeys(streams)
        ),
    ]
    trained = experiment.variants[variant].sft
    if trained:
        trainer = experiment.trainer_of(benchmark)
        parents.append(("sft", layout.sft(variant, trainer, seed)))
    run = StageRun.prepare(
        project,
        "predict",
        layout.predictions(variant, benchmark, seed),
        predict_slice(experiment, variant, benchmark),
        parents,
        seed,
    )
    require_held_out(project, benchmark, settings.split, met)
    shared = shared_names(project, benchmark, settings.split, met)
    with run.state() as state:
        samples = samples_as_shown(project, benchmark, settings.split)
        _require_some(samples, benchmark, settings.split)
        base = load_for(project, variant, benchmark, settings.split, streams)
        sources = token_sources(project, variant, benchmark, settings.split, streams, base)
        if trained:
            attach_language(project, base, variant, benchmark)
        encoder = ChatEncoder.load(base.info.folder, base.info.image_token_id)
        task, per_batch = get_benchmark(benchmark), settings.questions_per_batch
        answer = answering(base, encoder, task, settings)
        answers = answer_all(answer, sources, encoder, samples, task.prompt, per_batch, state)
        with run.publish(device_name(base.device)) as draft:
            write_predictions(draft.folder, samples, answers)
            draft.attention = base.attention
            draft.counts["answered"] = len(answers)
            if subtitles := sum(len(sample.subtitles) for sample in samples):
                draft.counts["subtitles on screen"] = subtitles
            view, first = experiment.view_of(benchmark, settings.split), samples[0]
            draft.facts[VISUAL_TOKENS] = sum(stream_tokens(base.info, view, x) for x in streams)
            draft.facts[PROMPT] = task.prompt(first, len(first.turns) - 1)
            draft.facts[CLIPS] = clip_counts(project, benchmark, settings.split)
            draft.facts[SHARED_NAMES] = shared


def _require_some(samples: Sequence[Sample], benchmark: str, split: str) -> None:
    """Refuse a split of which nothing can be asked; a budget may have let every clip pass."""
    if not samples:
        raise InputError(
            f"split {split!r} of {benchmark}: found no clip that can be read, expected one at "
            "least; stage frames has listed them as missing, so get the files or lower "
            "frames.allow_missing"
        )


def run_score(project: Project, variant: str, benchmark: str) -> None:
    """Score a run's predictions over every annotated item and write its `metrics.json`."""
    experiment, layout, seed = project.experiment, project.layout, project.seed
    folder = layout.predictions(variant, benchmark, seed)
    manifest = require_stage(folder, "predict", deep=True)
    table = require_stage(layout.data(benchmark), "data", deep=True)
    settings = predict_slice(experiment, variant, benchmark)
    require_settings(folder, manifest, settings, "predictions")
    split = experiment.recipes[benchmark].evaluate.split
    if experiment.is_training(benchmark, split):
        raise InputError(f"evaluate.split: {split!r} is the training split; score a held-out one")
    require_parent(folder, manifest, parent_entry(layout.data(benchmark)))
    samples = read_split(project, benchmark, split)
    scores = get_benchmark(benchmark).score(samples, read_predictions(folder))
    report = {
        "benchmark": benchmark,
        "split": split,
        "scale": experiment.scale_name,
        "variant": variant,
        "recipe": experiment.recipe_name,
        "seed": seed,
        "synthetic": experiment.synthetic,
        **scores.as_dict(),
        "predictions": hash_file(folder / MANIFEST_NAME),
        "parents": {
            parent.stage: parent.content
            for parent in manifest.parents
            if parent.stage in ("base", "sft")
        },
        "data": table.content,
        "stage_version": STAGE_VERSIONS["score"],
        "versions": package_versions(),
        **{key: manifest.facts[key] for key in FACTS},
        "settings": manifest.settings,
        "ranks": experiment.adapter_ranks(variant, benchmark),
        **asdict(lineage(layout.root, folder)),
    }
    write_report(layout.metrics(variant, benchmark, seed), report)


def run_headline(project: Project, benchmark: str) -> None:
    """Write `results/<benchmark>/metrics.json`: lynx at the configured scale and its controls.

    Raises InputError for a score that is absent, damaged, edited, or of another run.
    """
    layout, seed = project.layout, project.seed

    def read(variant: str) -> dict[str, Any]:
        path = layout.metrics(variant, benchmark, seed)
        if not path.is_file():
            raise InputError(
                f"{path}: no metrics of this run; run the score rule of {variant} on {benchmark} "
                "first"
            )
        return read_placed(layout.root, path)

    first, *others = project.experiment.shown_variants
    report, beside = read(first), {variant: read(variant) for variant in others}
    report["compare_with"] = {
        variant: {key: found[key] for key in SHOWN_BESIDE} for variant, found in beside.items()
    }
    write_report(layout.headline(benchmark), report)
