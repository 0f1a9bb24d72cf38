"""A run made by hand: small artefacts and a score at their places in a copy of the configuration.

Their settings and parents are those that the configuration decides; their files are a line each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from lynx.artifacts.hashing import hash_file
from lynx.artifacts.manifest import parent_entry
from lynx.artifacts.publish import publishing
from lynx.artifacts.stages import STAGE_VERSIONS
from lynx.benchmarks.sample import Sample, Turn, write_samples
from lynx.config import inputs
from lynx.config.decided import decided, place_of
from lynx.config.layout import Layout
from lynx.evaluate.predictions import write_predictions
from lynx.evaluate.stage import CLIPS, PROMPT, SHARED_NAMES, VISUAL_TOKENS, run_headline, run_score
from lynx.project import Project
from tests.unit.config_copy import MAIN, copy_config

BENCHMARK = "music_avqa"
CHOSEN = {"benchmarks": [BENCHMARK], "compare_with": ["video-only"]}
QUESTIONS = {"q1": "two", "q2": "left"}
ANSWERS = {"q1": "two", "q2": "right"}
SCORE = Path("results/demo/lynx/music_avqa/seed0/metrics.json")
RUNS = Path("runs/demo")
ALIGN = RUNS / "align/music/seed0"
SFT = RUNS / "sft/lynx/music_avqa/seed0"
DATA = RUNS / "data/music_avqa"
PREDICTIONS = RUNS / "predictions/lynx/music_avqa/seed0"


def project_at(root: Path, **chosen: object) -> Project:
    """The configuration of the one benchmark, copied there the first time."""
    if not (root / MAIN).is_file():
        copy_config(root)
        (root / "models/demo").mkdir(parents=True)
        (root / "models/demo/model.safetensors").write_bytes(b"weights")
    return Project.load(root, [MAIN], {**CHOSEN, **chosen})


def make_run(
    root: Path, variant: str = "lynx", texts: Mapping[str, str] | None = None, **chosen: object
) -> Path:
    """A run with its score; `texts` are the files of artefacts, by folder, that have their own."""
    project = project_at(root, **chosen)
    layout = Layout(Path(), "demo")
    make(project, layout.predictions(variant, BENCHMARK, project.seed), texts or {})
    run_score(project, variant, BENCHMARK)
    return layout.metrics(variant, BENCHMARK, project.seed)


def make_headline(root: Path) -> Path:
    """lynx beside its control."""
    for variant in ("lynx", "video-only"):
        make_run(root, variant)
    run_headline(project_at(root), BENCHMARK)
    return Layout(Path(), "demo").headline(BENCHMARK)


def make(project: Project, folder: Path, texts: Mapping[str, str]) -> None:
    """Publish an artefact after all that it is made from, unless it is there."""
    root = project.layout.root
    if (root / folder).exists():
        return
    place = place_of(folder)
    assert place is not None
    parents = [Path(name).parent for name in parents_of(project, place.stage, place.names)]
    for parent in parents:
        make(project, parent, texts)
    with publishing(
        root / folder,
        stage=place.stage,
        version=STAGE_VERSIONS[place.stage],
        settings=decided(project.experiment, place),
        parents=[
            parent_entry(root / each).model_copy(update={"path": each.as_posix()})
            for each in parents
        ],
        seed=place.seed,
        device="cpu",
    ) as draft:
        text = texts.get(folder.as_posix(), folder.name)
        (draft.folder / "content.txt").write_text(text, encoding="utf-8")
        fill(project, place.stage, draft.folder)
        if place.stage == "data":
            split = project.experiment.recipes[BENCHMARK].evaluate.split
            draft.counts[f"{split} kept"] = len(QUESTIONS)
        elif place.stage == "predict":
            draft.counts["answered"] = len(ANSWERS)
            draft.facts.update(
                {
                    VISUAL_TOKENS: 1,
                    PROMPT: "how many?",
                    CLIPS: {"all": 1, "unreadable": 0},
                    SHARED_NAMES: {"clips": 0, "first": {}},
                }
            )


def parents_of(project: Project, stage: str, names: Mapping[str, str]) -> list[str]:
    """The manifests that a stage's rule asks for."""
    if stage in ("world", "base"):
        return []
    order = {
        "data": ("benchmark",),
        "frames": ("frames",),
        "reference": ("group",),
        "align": ("alignment",),
        "features": ("benchmark", "stream"),
        "sft": ("variant", "benchmark"),
        "predict": ("variant", "benchmark"),
    }[stage]
    asked = getattr(inputs, f"{stage}_inputs")
    found: list[str] = asked(project.experiment, *(names[key] for key in order))
    return found


def fill(project: Project, stage: str, folder: Path) -> None:
    """The files that `score` and the check of the base read."""
    samples = [
        Sample(
            id=key,
            clip="clip",
            turns=(Turn(question="how many?", answer=answer),),
            references=(answer,),
            type="Audio Counting",
            tags={"scenario": "Audio"},
        )
        for key, answer in QUESTIONS.items()
    ]
    if stage == "base":
        weights = project.experiment.base_folder / "model.safetensors"
        entry = {"bytes": weights.stat().st_size, "sha256": hash_file(weights)}
        text = json.dumps({weights.name: entry})
        (folder / "inventory.json").write_text(text, encoding="utf-8")
    elif stage == "data":
        split = project.experiment.recipes[BENCHMARK].evaluate.split
        write_samples(folder / f"{split}.jsonl", samples)
    elif stage == "predict":
        write_predictions(folder, samples, ANSWERS)
