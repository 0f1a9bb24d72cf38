"""The part of the configuration that decides an artefact, stage by stage.

A slice holds what its own stage reads; what a stage takes from the one before is in that stage's
slice and reaches it as a parent manifest. Site settings (threads, workers, disk, device) and
whatever is only shown (headline, compare_with, reasons) stand in no slice, so changing them reruns
nothing. `micro_batch` and `questions_per_batch` do stand in them: the moments of a loss and the
rounding of a padded batch depend on them.
"""

from __future__ import annotations

from typing import Any

from lynx.config.experiment import Experiment
from lynx.config.files import Stream
from lynx.config.stages import ViewSettings
from lynx.errors import InputError

Slice = dict[str, Any]


def world_slice(experiment: Experiment, world: str | None) -> Slice | None:
    """A rendered world; None where the data are the site's own."""
    if world is None:
        return None
    return {"name": world, **experiment.scale.worlds[world].model_dump(mode="json")}


def data_slice(experiment: Experiment, benchmark: str) -> Slice:
    """Raw annotations of one benchmark to samples."""
    item = experiment.benchmarks[benchmark]
    return {
        "benchmark": benchmark,
        "annotations": item.annotations,
        "clips": item.clips,
        "splits": list(experiment.splits_used(benchmark)),
        "allow_missing": item.allow_missing,
        "world": world_slice(experiment, experiment.world_of(benchmark)),
    }


def frames_slice(experiment: Experiment, group: str) -> Slice:
    """Raw clips of a group, or of a benchmark that only scores, to square frames or a list."""
    names = experiment.framed(group)
    worlds = sorted({experiment.world_of(name) or "" for name in names})
    others = experiment.other_views(group)
    return {
        "group": group,
        "clips": sorted({experiment.benchmarks[name].clips for name in names}),
        "frames": experiment.frame_settings(group).model_dump(mode="json"),
        "worlds": [world_slice(experiment, name or None) for name in worlds],
        **({"other_views": others} if others else {}),
    }


def reference_slice(experiment: Experiment, group: str) -> Slice:
    """Stage 1: moments and mean keys/values of ordinary video."""
    recipe = experiment.group_recipe(group)
    return {
        "model": _model(experiment),
        "group": group,
        "frames": recipe.frames.model_dump(mode="json"),
        "reference": recipe.reference.model_dump(mode="json"),
    }


def geometry_slice(experiment: Experiment) -> Slice:
    """Words and frames of the base: of what ordinary video, as the groups' references see it."""
    return {
        "model": _model(experiment),
        "groups": {name: reference_slice(experiment, name) for name in experiment.groups},
    }


def stability_slice(experiment: Experiment) -> Slice:
    """The groups whose references are compared; what decides these is theirs."""
    return {"model": _model(experiment), "groups": experiment.groups}


def align_slice(experiment: Experiment, align: str) -> Slice:
    """Stage 2: the vision adapter; `align` is one of `experiment.alignments`."""
    alignment = experiment.alignments[align]
    group, settings = alignment.group, alignment.settings
    own = alignment.references == (group,)
    return {
        "model": _model(experiment),
        "group": group,
        "seed": experiment.main.seed,
        "frames": experiment.group_recipe(group).frames.model_dump(mode="json"),
        "align": settings.model_dump(mode="json", exclude={"references"}),
        **({} if own else {"references": list(alignment.references)}),
    }


def features_slice(experiment: Experiment, benchmark: str, split: str, stream: Stream) -> Slice:
    """One stored token stream; the training split is seen as sft sees it, any other as scored.

    The adapter of the `aligned` stream is a parent of the artefact, not part of the slice.
    Raises `InputError` for a split that no run of this benchmark reads.
    """
    used = experiment.splits_used(benchmark)
    if split not in used:
        raise InputError(
            f"split '{split}' of {benchmark} has no features; expected one of {', '.join(used)}"
        )
    view = experiment.view_of(benchmark, split)
    return {
        "model": _model(experiment),
        "benchmark": benchmark,
        "split": split,
        "stream": stream,
        "frames": experiment.training_recipe(benchmark).frames.model_dump(mode="json"),
        "view": _view(view, "none" if stream == "video" else stream),
    }


def sft_slice(experiment: Experiment, variant: str, benchmark: str) -> Slice:
    """Stage 3: the language adapter of a variant; one for all that are trained on a benchmark.

    Raises `InputError` for a variant whose language adapter is not trained.
    """
    settings = experiment.variants[variant]
    if not settings.sft:
        raise InputError(
            f"variant '{variant}' is not trained; config/variants.yaml says sft: false"
        )
    sft = experiment.sft_settings(variant, benchmark)
    found: Slice = {
        "model": _model(experiment),
        "benchmark": experiment.trainer_of(benchmark),
        "x": settings.x,
        "seed": experiment.main.seed,
        "view": _view(sft.view, settings.x),
        "questions_per_clip": sft.questions_per_clip,
        "lora": sft.lora.model_dump(mode="json"),
        "optimizer": sft.optimizer.model_dump(mode="json"),
    }
    if settings.x == "joint":
        frames = experiment.training_recipe(benchmark).frames
        found["frames"] = frames.model_dump(mode="json")
        found["vision_lora"] = experiment.vision_lora(variant, benchmark).model_dump(mode="json")
    return found


def predict_slice(experiment: Experiment, variant: str, benchmark: str) -> Slice:
    """Answers of a variant; they carry what the variant was trained with (architecture, rule 7)."""
    settings = experiment.variants[variant]
    evaluate = experiment.recipe_of(variant, benchmark).evaluate
    return {
        "model": _model(experiment),
        "benchmark": benchmark,
        "x": settings.x,
        "sft": sft_slice(experiment, variant, benchmark) if settings.sft else None,
        "split": evaluate.split,
        "view": _view(evaluate.view, settings.x),
        "max_new_tokens": evaluate.max_new_tokens,
        "min_new_tokens": evaluate.min_new_tokens,
        "questions_per_batch": evaluate.questions_per_batch,
    }


def lmms_slice(experiment: Experiment, variant: str, benchmark: str) -> Slice:
    """Answers of a trained variant to lmms-eval's tasks, which set the length of an answer.

    Raises `InputError` for a variant whose language adapter is not trained.
    """
    evaluate = experiment.recipes[benchmark].evaluate
    return {
        "model": _model(experiment),
        "benchmark": benchmark,
        "sft": sft_slice(experiment, variant, benchmark),
        "split": evaluate.split,
        "view": _view(evaluate.view, experiment.variants[variant].x),
        "min_new_tokens": evaluate.min_new_tokens,
        "questions_per_batch": evaluate.questions_per_batch,
    }


def _model(experiment: Experiment) -> Slice:
    return {"base": experiment.scale.base, "dtype": experiment.scale.dtype}


def _view(view: ViewSettings, x: str) -> Slice:
    """What a variant is shown: one without X does not depend on how X would be drawn."""
    if x in ("none", "repeat"):
        return {"frames": view.frames, "sampling": view.sampling}
    return view.model_dump(mode="json")
