"""Both adapters trained by stage 3 alone (the paper's Table 5), on the base that is shipped."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from lynx.artifacts.verify import require_stage
from lynx.benchmarks.stage import read_split
from lynx.errors import InputError
from lynx.evaluate.ask import ask
from lynx.evaluate.predictions import read_predictions
from lynx.evaluate.stage import run_predict, run_score
from lynx.features.stage import make_encoder, run_features, token_sources
from lynx.model.adapters import add_adapter, load_adapter, set_trainable
from lynx.model.base import load_base
from lynx.model.stage import require_base
from lynx.project import Project
from lynx.sft.stage import run_sft
from lynx.sft.train import SftObjective
from lynx.training.plan import derived_seed
from tests.project_copy import (
    OVERRIDES,
    ROOT,
    WORLD,
    copy_project,
    edit_yaml,
    load,
    prepare,
    tiny_project,
)
from tests.tiny_model import CPU, open_base

SFT = "runs/demo/sft/no-align/scanqa/seed0"
ADAPTERS = ("vision", "language")
WEIGHTS = "adapter_model.safetensors"
SETTINGS = {
    "align.lora": {"rank": 4, "alpha": 8, "dropout": 0.05},
    "sft.lora": {"rank": 3, "alpha": 3, "dropout": 0.05},
    "sft.questions_per_clip": 4,
    "sft.optimizer.batch": 48,
    "sft.optimizer.micro_batch": 24,
    "sft.optimizer.epochs": 10,
    "sft.optimizer.learning_rate": 4e-3,
}
# All questions in every step, so that the losses of steps compare.
FEW = {**WORLD, "train_scenes": 2, "val_scenes": 1, "test_scenes": 1}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables, frames and the video stream; no reference and no alignment."""
    root = tiny_project(tmp_path_factory.mktemp("joint") / "project")
    shutil.rmtree(root / "models/demo")
    shutil.copytree(ROOT / "models/demo", root / "models/demo")
    edit_yaml(root / "config/config.yaml", {"overrides": OVERRIDES | SETTINGS})
    edit_yaml(root / "config/scales/demo.yaml", {"worlds": {"rooms": FEW}})
    project = prepare(root)
    for split in project.experiment.splits_used("scanqa"):
        run_features(project, "scanqa", split, "video")
    return root


@pytest.fixture(scope="module")
def ran(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of no-align from stage 3 to its score, undisturbed."""
    root = copy_project(prepared, tmp_path_factory.mktemp("ran") / "project")
    finish(load(root))
    return root


def finish(project: Project) -> None:
    run_sft(project, "no-align", "scanqa")
    run_features(project, "scanqa", "test_w_obj", "aligned", "no-align")
    run_predict(project, "no-align", "scanqa")
    run_score(project, "no-align", "scanqa")


def weights(root: Path, role: str) -> dict[str, torch.Tensor]:
    return load_file(root / SFT / role / WEIGHTS)


def test_both_adapters_are_trained(ran: Path, prepared: Path) -> None:
    project = load(prepared)
    base = open_base(prepared / "models/demo")
    recipe = project.experiment.recipes["scanqa"]
    for role, lora in (("vision", recipe.align.lora), ("language", recipe.sft.lora)):
        seed = derived_seed(0, f"{role} lora")
        fresh = add_adapter(base, role, lora, seed=seed).state_dict()
        trained = weights(ran, role)
        assert trained
        for name, tensor in trained.items():
            start = fresh[name.replace(".weight", f".{role}.weight")]
            assert start.shape == tensor.shape
            assert not torch.equal(start, tensor), name


def test_the_loss_falls(ran: Path) -> None:
    lines = (ran / SFT / "training.jsonl").read_text(encoding="utf-8").splitlines()
    losses = [json.loads(line)["loss"] for line in lines]
    assert len(losses) == 10
    assert losses[-1] < 0.95 * losses[0]


def test_its_parents_are_what_it_read(ran: Path) -> None:
    stages = [entry.stage for entry in require_stage(ran / SFT, "sft").parents]
    assert stages == ["base", "data", "frames", "features"]
    assert not (ran / "runs/demo/align").exists()
    assert not (ran / "runs/demo/features/scanqa/train/aligned-no-align").exists()


class StoppedError(Exception):
    """Stands for whatever ends a job."""


def stopped_at(monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    forward, calls = SftObjective.forward, []

    def counting(self: SftObjective, clips: list[object]) -> object:
        calls.append(len(clips))
        if len(calls) == call:
            raise StoppedError
        return forward(self, clips)  # type: ignore[arg-type]

    monkeypatch.setattr(SftObjective, "forward", counting)


def test_a_resumed_run_is_the_undisturbed_one(
    ran: Path, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = copy_project(prepared, tmp_path / "project")
    project = load(root)
    with monkeypatch.context() as patched:
        stopped_at(patched, 8)
        with pytest.raises(StoppedError):
            run_sft(project, "no-align", "scanqa")
    newest = max((root / "work").rglob("state.safetensors"))
    kept = set(load_file(newest))
    for part in (".vision.", ".language."):
        assert any(part in name and name.startswith("exp_avg_sq/") for name in kept)
    run_sft(project, "no-align", "scanqa")
    for role in ADAPTERS:
        ours, theirs = weights(root, role), weights(ran, role)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    log = "training.jsonl"
    assert (root / SFT / log).read_bytes() == (ran / SFT / log).read_bytes()


def test_evaluation_sees_by_the_adapter_of_stage_3(ran: Path) -> None:
    project = load(ran)
    folder = project.layout.features("scanqa", "test_w_obj", "aligned", 0, "no-align")
    parents = {entry.stage: entry.path for entry in require_stage(folder, "features").parents}
    assert parents["sft"] == SFT
    base = load_base(require_base(project), ["tower"], dtype="float32", device=CPU)
    (stored,) = token_sources(project, "no-align", "scanqa", "test_w_obj", ["aligned"], base)
    clip = next(iter(stored.shards))  # type: ignore[union-attr]
    plain = make_encoder(project, base, "scanqa", "test_w_obj", "plain").encode(clip)
    load_adapter(base, "vision", ran / SFT / "vision")
    own = make_encoder(project, base, "scanqa", "test_w_obj", "aligned").encode(clip)
    assert torch.equal(stored.read(clip), own)
    assert not torch.equal(own, plain)


def test_training_and_evaluation_encode_alike(ran: Path) -> None:
    """The tokens of a step are those that features hold, but for dropout, and carry gradient."""
    project = load(ran)
    base = load_base(require_base(project), ["tower"], dtype="float32", device=CPU)
    load_adapter(base, "vision", ran / SFT / "vision")
    encoder = make_encoder(project, base, "scanqa", "train", "aligned")
    clip = sorted((ran / "runs/demo/frames/3d/scans").iterdir())[0].name
    wanted = encoder.encode(clip)
    assert not wanted.requires_grad
    set_trainable(base, "vision")
    base.model.eval()
    tokens = encoder.tokens(encoder.pixels(clip))
    assert torch.equal(tokens.detach(), wanted)
    tokens.square().mean().backward()
    grads = [p.grad for p in base.model.parameters() if p.requires_grad]
    assert all(grad is not None for grad in grads)
    assert all(p.grad is None for p in base.projector.parameters())


def test_streamed_video_leaves_the_tower_that_is_trained_alone(
    ran: Path, prepared: Path, tmp_path: Path
) -> None:
    """Video is read one step ahead, in another thread; its tower must be another one."""
    root = copy_project(prepared, tmp_path / "project")
    edit_yaml(root / "config/site.yaml", {"feature_disk_gb": 0})
    shutil.rmtree(root / "runs/demo/features")
    project = load(root)
    run_features(project, "scanqa", "train", "video")
    run_sft(project, "no-align", "scanqa")
    for role in ADAPTERS:
        ours, theirs = weights(root, role), weights(ran, role)
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_lynx_ask_answers_with_it(ran: Path) -> None:
    project = load(ran)
    predicted = read_predictions(ran / "runs/demo/predictions/no-align/scanqa/seed0")
    samples = read_split(project, "scanqa", "test_w_obj")
    asked = [sample for sample in samples if sample.clip == samples[0].clip]
    scan = ran / "runs/demo/world/rooms/scannet/scans" / samples[0].clip
    questions = [sample.turns[0].question for sample in asked]
    answers = ask(project, ran / SFT, [scan], questions, [])
    assert answers == [predicted[sample.id] for sample in asked]


def test_a_vision_adapter_of_another_run_is_refused(ran: Path, tmp_path: Path) -> None:
    root = copy_project(ran, tmp_path / "project")
    shutil.rmtree(root / SFT)
    project = load(root, overrides=OVERRIDES | SETTINGS | {"sft.optimizer.epochs": 1})
    run_sft(project, "no-align", "scanqa")
    made, named = (require_stage(folder / SFT, "sft") for folder in (ran, root))
    features = project.layout.features("scanqa", "test_w_obj", "aligned", 0, "no-align")
    with pytest.raises(InputError) as caught:
        run_predict(project, "no-align", "scanqa")
    assert str(caught.value) == (
        f"{features}: made from sft {made.identity[:12]} ({made.content[:12]}), but "
        f"{root / SFT} is {named.identity[:12]} ({named.content[:12]}); run the rule that makes "
        f"{features} again"
    )


@pytest.mark.parametrize("role", ADAPTERS)
def test_its_adapters_are_peft_folders(ran: Path, role: str) -> None:
    config = json.loads((ran / SFT / role / "adapter_config.json").read_text(encoding="utf-8"))
    rank: Callable[[str], int] = {"vision": 4, "language": 3}.__getitem__
    assert (config["peft_type"], config["r"]) == ("LORA", rank(role))
