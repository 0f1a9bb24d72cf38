"""A tiny project whose untrained adapter answers every question with B, and data for lmms-eval."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from safetensors.torch import load_file, save_file

from lynx.config.slices import align_slice, data_slice, features_slice, sft_slice
from lynx.model.adapters import add_adapter, save_adapter
from lynx.model.stage import run_base
from lynx.project import Project, StageRun
from tests.media_writer import write_video
from tests.project_copy import LORA, copy_tree, edit_yaml, load
from tests.tiny_base import byte_tokenizer, write_tiny_base
from tests.tiny_model import open_base

DRAWING = {"modality": "fast", "per_step": 4}
VIEW = {
    "frames": 2, "sampling": "uniform", "drawing": DRAWING, "merge_pairs": False, "pool_x": False,
}  # fmt: skip
OPTIMIZER = {
    "learning_rate": 1e-4, "epochs": 1, "batch": 2, "micro_batch": 2, "warmup_ratio": 0.0,
    "weight_decay": 0.0, "max_grad_norm": 1.0,
}  # fmt: skip
TRAINING = {"lora": {**LORA, "dropout": 0.0}, "optimizer": OPTIMIZER}
EVALUATE = {
    "view": VIEW, "max_new_tokens": 16, "min_new_tokens": 1, "questions_per_batch": 4,
    "differs_from_training": {},
}  # fmt: skip
RECIPE: dict[str, Any] = {
    "frames": {
        "fastvideo": {
            "media": "video", "reader": "pyav", "audio": False, "allow_missing": 0.5,
            "allow_unheard": 0.0,
        }
    },
    "reference": {
        "fastvideo": {"sources": ["llava_video"], "frames_per_clip": 2, "max_clips": 2}
    },
    "align": {
        "fastvideo": {
            "sources": ["llava_video"], "drawing": DRAWING, "steps_per_item": 2, "frame_chunk": 4,
            "query_stride": 2, "attention_weight": 1.0, "moment_weight": 0.01, **TRAINING,
        }
    },
    "sft": {
        "llava_video": {
            "view": VIEW, "questions_per_clip": 2, "differs_from_alignment": {}, **TRAINING,
        }
    },
    "evaluate": {
        "videomme": {**EVALUATE, "split": "test"},
        "mvbench": {**EVALUATE, "split": "test"},
        "mlvu": {**EVALUATE, "split": "dev"},
    },
}  # fmt: skip
ADAPTER = Path("runs/demo/sft/lynx/llava_video/seed0")


def lmms_project(root: Path, *, answers_b: bool = True) -> Project:
    """A project with a base and the untrained adapters of its lynx run of the fast family."""
    copy_tree(root)
    recipe = {
        section: {name: {"demo": values} for name, values in entries.items()}
        for section, entries in RECIPE.items()
    }
    (root / "config/recipes/demo.yaml").write_text(yaml.safe_dump(recipe))
    edit_yaml(root / "config/scales/demo.yaml", {"worlds": {}})
    edit_yaml(root / "config/config.yaml", {"benchmarks": ["videomme", "mvbench", "mlvu"]})
    edit_yaml(root / "config/site.yaml", {"device": "cpu", "threads": 1, "workers": 1})
    write_tiny_base(root / "models/demo", grid=7, patch=8, tied=False)
    if answers_b:
        always_b(root / "models/demo")
    project = load(root)
    run_base(project)
    publish_adapters(project, "llava_video")
    return project


def always_b(base: Path) -> None:
    """Weights with which every answer is B: a token's successor depends on the token alone."""
    path = base / "model.safetensors"
    state = load_file(path)
    embedding = next(name for name in state if name.endswith("embed_tokens.weight"))
    for name, tensor in state.items():
        if "language_model" in name and name.endswith(("o_proj.weight", "down_proj.weight")):
            tensor.zero_()
    head = state["language_model.lm_head.weight"].zero_()
    (line,) = byte_tokenizer().encode("\n")
    (letter,) = byte_tokenizer().encode("B")
    (end,) = byte_tokenizer().encode("<|im_end|>")
    head[letter] = state[embedding][line]  # the answer begins behind the header's line break
    head[end] = state[embedding][letter]
    save_file(state, path, metadata={"format": "pt"})


def publish_adapters(project: Project, trainer: str) -> None:
    """Fresh adapters of a benchmark's lynx run, with the manifests of stages not run."""
    experiment, layout = project.experiment, project.layout
    recipe, name = experiment.training_recipe(trainer), experiment.align_names[trainer]
    align = layout.align(name, 0)
    features = layout.features(trainer, "train", "aligned", 0)
    sft = layout.sft("lynx", trainer, 0)
    base = open_base(experiment.base_folder)
    settings = align_slice(experiment, name)
    run = StageRun.prepare(project, "align", align, settings, [("base", layout.base)], 0)
    vision = add_adapter(base, "vision", recipe.align.lora, seed=0)
    with run.publish() as draft:
        save_adapter(vision, "vision", draft.folder / "vision")
    settings = features_slice(experiment, trainer, "train", "aligned")
    run = StageRun.prepare(project, "features", features, settings, [("align", align)], 0)
    with run.publish() as draft:
        draft.facts["storage"] = "streamed"
    data = layout.data(trainer)
    run = StageRun.prepare(project, "data", data, data_slice(experiment, trainer), [])
    with run.publish() as draft:
        (draft.folder / "train.jsonl").touch()
    parents = [("base", layout.base), ("features", features)]
    settings = sft_slice(experiment, "lynx", trainer)
    run = StageRun.prepare(project, "sft", sft, settings, parents, 0)
    language = add_adapter(base, "language", recipe.sft.lora, seed=0)
    with run.publish() as draft:
        save_adapter(language, "language", draft.folder / "language")


def write_clip(path: Path, first: int = 0, frames: int = 10) -> None:
    """A short video whose frames carry numbers from `first` on."""
    from tests.media_writer import picture

    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, frames, draw=lambda number, width, height: picture(number + first))


def write_videomme(root: Path) -> None:
    """Six questions on three videos in the hub's layout; the third video cannot be read."""
    rows = []
    for video, duration, answers in (
        ("one", "short", "BA"),
        ("two", "long", "BB"),
        ("cut", "short", "BC"),
    ):
        write_clip(root / f"data/{video}.mp4", first=len(rows))
        for number, answer in enumerate(answers, start=1):
            rows.append(
                {
                    "video_id": video, "duration": duration, "domain": "Knowledge",
                    "sub_category": "Law", "url": "-", "videoID": video,
                    "question_id": f"{video}-{number}", "task_type": "OCR Problems",
                    "question": f"Which word is on sign {number}?",
                    "options": ["A. Stop.", "B. Go.", "C. Wait.", "D. Turn."], "answer": answer,
                }
            )  # fmt: skip
    (root / "data/cut.mp4").write_bytes(b"no video")
    (root / "videomme").mkdir()
    pd.DataFrame(rows).to_parquet(root / "videomme/test-00000-of-00001.parquet")


def write_mvbench(root: Path) -> None:
    """Two tasks: one of whole clips with a clip that is absent, one of parts of a video."""
    write_clip(root / "video/clevrer/video_validation/a.mp4")
    write_clip(root / "video/star/Charades_v1_480/b.mp4", frames=50)
    counts = ["one", "two", "three"]
    moving = [("a.mp4", "two"), ("a.mp4", "one"), ("absent.mp4", "two")]
    parts = [(0.0, 1.0, "open"), (1.0, 2.0, "shut")]
    (root / "json").mkdir()
    _dump(
        root / "json/moving_count.json",
        [
            {"video": video, "question": "How many move?", "candidates": counts, "answer": answer}
            for video, answer in moving
        ],
    )
    _dump(
        root / "json/action_sequence.json",
        [
            {
                "video": "b.mp4", "question": "What happened?", "candidates": ["shut", "open"],
                "answer": answer, "start": start, "end": end,
            }
            for start, end, answer in parts
        ],
    )  # fmt: skip


def write_mlvu(root: Path) -> None:
    """One question in each of six tasks, two in the seventh."""
    tasks = ("plotQA", "needle", "ego", "count", "order", "anomaly_reco", "topic_reasoning")
    (root / "json").mkdir(parents=True)
    for number, task in enumerate(tasks, start=1):
        stem = f"{number}_{task}"
        write_clip(root / f"video/{stem}/v.mp4", first=number)
        row = {
            "video": "v.mp4", "duration": 0.4, "question": f"What is {task}?",
            "candidates": ["cup", "key", "pen", "box"], "question_type": task,
            "answer": "key" if number < 4 else "cup",
        }  # fmt: skip
        _dump(root / f"json/{stem}.json", [row, {**row, "answer": "key"}][: 1 + (number == 7)])


def _dump(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(rows), encoding="utf-8")
