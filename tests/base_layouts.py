"""Base folders whose files carry the names and the places of other transformers versions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from tests.tiny_model import native

OLD_NAMES = (  # transformers 4.45, the hub's files
    ("model.vision_tower.", "vision_tower.vision_model."),
    ("model.language_model.", "language_model.model."),
    ("lm_head.", "language_model.lm_head."),
    ("model.multi_modal_projector.", "multi_modal_projector."),
    ("model.image_newline", "image_newline"),
)
MIDDLE_NAMES = (("model.vision_tower.", "model.vision_tower.vision_model."),)  # 4.52 and later


def relayout(
    source: Path, target: Path, names: tuple[tuple[str, str], ...], *, shards: int = 1
) -> Path:
    """A copy of a base whose tensors carry an older transformers' names."""
    shutil.copytree(source, target)
    (target / "model.safetensors").unlink()
    model = native(source)
    state = model.state_dict()
    if model.config.tie_word_embeddings:
        del state["lm_head.weight"]
    renamed = {}
    for name, tensor in state.items():
        old = next(
            (new + name.removeprefix(now) for now, new in names if name.startswith(now)), name
        )
        renamed[old] = tensor.clone()
    if shards == 1:
        save_file(renamed, target / "model.safetensors", metadata={"format": "pt"})
        return target
    files = [f"model-{k + 1:05d}-of-{shards:05d}.safetensors" for k in range(shards)]
    weight_map = {name: files[index % shards] for index, name in enumerate(renamed)}
    for file in files:
        part = {name: renamed[name] for name, place in weight_map.items() if place == file}
        save_file(part, target / file, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": weight_map}
    (target / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    return target


def change_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")
