"""The two LoRA adapters as PEFT folders: `vision` on the tower, `language` on the language model.

They sit on disjoint modules, so that switching one never touches the other (method
sections 2.3, 5.1).
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from peft import LoraConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from lynx.config.stages import LoraSettings
from lynx.errors import InputError
from lynx.model.base import Base
from lynx.model.families.llava_onevision import (
    LANGUAGE_LINEARS,
    LANGUAGE_PREFIXES,
    TOWER_LINEARS,
    TOWER_PREFIXES,
    current_name,
)

Role = Literal["vision", "language"]
TARGETS: dict[Role, str] = {"vision": TOWER_LINEARS, "language": LANGUAGE_LINEARS}
PREFIXES: dict[Role, tuple[str, ...]] = {"vision": TOWER_PREFIXES, "language": LANGUAGE_PREFIXES}
PEFT_PREFIX = "base_model.model."
SETTINGS = {"rank": "r", "alpha": "lora_alpha", "dropout": "lora_dropout"}


def add_adapter(base: Base, role: Role, lora: LoraSettings, *, seed: int) -> PeftModel:
    """Add a fresh adapter: A Kaiming-uniform from `seed`, B zero, weights in float32.

    Adapters of both roles may be on one base; call once per role.
    """
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        bias="none",
        target_modules=TARGETS[role],
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # PEFT warns of a tree that already holds LoRA layers (the other role's, on other modules)
        # and reads a property of transformers that is being renamed.
        warnings.filterwarnings(
            "ignore",
            message="Already found a|You are trying to modify|.*is_gradient_checkpointing.*",
        )
        torch.manual_seed(seed)
        peft_model = get_peft_model(base.model, config, adapter_name=role)
    assert isinstance(peft_model, PeftModel)
    for each in ("vision", "language"):
        for layer in lora_layers(base, each).values():
            layer.set_adapter(each)  # PEFT activated the newest name on every layer
    set_trainable(base)
    return peft_model


def lora_layers(base: Base, role: Role) -> dict[str, LoraLayer]:
    """The wrapped linears of one role by module name."""
    return {
        name: module
        for name, module in base.model.named_modules()
        if isinstance(module, LoraLayer) and role in module.lora_A
    }


def adapter_parameters(base: Base, role: Role) -> dict[str, nn.Parameter]:
    """The trainable tensors of one role by name."""
    return {
        name: parameter for name, parameter in base.model.named_parameters() if _is_of(role, name)
    }


def _is_of(role: Role, name: str) -> bool:
    return f".{role}." in name and "lora_" in name


def parameter_count(peft_model: PeftModel, role: Role) -> int:
    """How many numbers the adapter of one role holds: r (d_in + d_out) for each of its linears."""
    found = peft_model.named_parameters()
    return sum(item.numel() for name, item in found if _is_of(role, name))


def set_trainable(base: Base, *roles: Role) -> None:
    """Let exactly the adapters of these roles train (gradients, dropout), or nothing at all.

    Everything else is in eval mode: a frozen adapter's dropout must not make its tokens random
    (it does in the published code, method sections 5.1 and 9.4).
    """
    base.model.requires_grad_(False).eval()
    for role in roles:
        for parameter in adapter_parameters(base, role).values():
            parameter.requires_grad_(True)
        for layer in lora_layers(base, role).values():
            assert isinstance(layer, nn.Module)  # LoraLayer is the part that all kinds share
            layer.train()


@contextmanager
def adapter_switched(base: Base, role: Role, *, on: bool) -> Iterator[None]:
    """Switch one adapter on or off inside the block, then back to what each layer was.

    Nests safely (the published evaluator's context did not, method C3).
    """
    layers = list(lora_layers(base, role).values())
    before = [layer.disable_adapters for layer in layers]
    _switch(layers, [not on] * len(layers))
    try:
        yield
    finally:
        _switch(layers, before)


def _switch(layers: list[LoraLayer], disabled: list[bool]) -> None:
    # LoraLayer.enable_adapters would also turn requires_grad on, which set_trainable alone decides.
    for layer, off in zip(layers, disabled, strict=True):
        layer._disable_adapters = off


def save_adapter(peft_model: PeftModel, role: Role, folder: Path) -> None:
    """Write the adapter's PEFT folder (`adapter_config.json`, `adapter_model.safetensors`)."""
    config = peft_model.peft_config[role]
    config.base_model_name_or_path = None  # the manifest names the base by its hash, not by a path
    config.inference_mode = True
    peft_model.save_pretrained(
        str(folder.parent), selected_adapters=[role], safe_serialization=True
    )
    written = folder.parent / role
    if written != folder:
        written.rename(folder)
    (folder / "README.md").unlink(missing_ok=True)


def load_adapter(base: Base, role: Role, folder: Path) -> LoraSettings:
    """Attach a PEFT folder, ours or the published code's (peft 0.13, transformers 4.45).

    Raises InputError if rank, shapes or modules do not fit this base, which is then left as it was.
    """
    lora, tensors = read_adapter(folder)
    _check_fits(folder, role, _lora_shapes(base, role, lora.rank), tensors)
    peft_model = add_adapter(base, role, lora, seed=0)
    state = {PEFT_PREFIX + name: tensor for name, tensor in tensors.items()}
    outcome: Any = set_peft_model_state_dict(peft_model, state, adapter_name=role)
    if outcome.unexpected_keys:
        raise RuntimeError(f"{folder}: adapter keys not taken: {outcome.unexpected_keys[:3]}")
    return lora


def read_adapter(folder: Path) -> tuple[LoraSettings, dict[str, torch.Tensor]]:
    """Settings and tensors of a PEFT folder, tensor names in this transformers version's form."""
    config_path, weights = folder / "adapter_config.json", folder / "adapter_model.safetensors"
    for path in (config_path, weights):
        if not path.is_file():
            raise InputError(f"{path}: missing, expected a PEFT adapter folder; run its rule again")
    try:
        data: object = json.loads(config_path.read_text(encoding="utf-8"))
        tensors = load_file(weights)
    except (UnicodeDecodeError, json.JSONDecodeError, SafetensorError) as error:
        raise InputError(
            f"{folder}: the adapter is not whole ({error}); run its rule again"
        ) from error
    return _read_lora(config_path, data), {
        current_name(name.removeprefix(PEFT_PREFIX)): item for name, item in tensors.items()
    }


def _read_lora(path: Path, data: object) -> LoraSettings:
    """Rank, alpha and dropout of an `adapter_config.json`, whose other keys do not matter here."""
    if not isinstance(data, dict):
        raise InputError(
            f"{path}: a {type(data).__name__} found, expected a JSON object; run its rule again"
        )
    for key in SETTINGS.values():
        if key not in data:
            raise InputError(
                f"{path}: no {key}, expected {', '.join(SETTINGS.values())} of a LoRA adapter; "
                "run its rule again"
            )
    try:
        return LoraSettings.model_validate({name: data[key] for name, key in SETTINGS.items()})
    except ValidationError as error:
        problem = error.errors()[0]
        key = SETTINGS[str(problem["loc"][0])]
        raise InputError(
            f"{path}: {key} is {data[key]!r}, which no LoRA adapter has ({problem['msg']}); "
            "run its rule again"
        ) from error


def _lora_shapes(base: Base, role: Role, rank: int) -> dict[str, tuple[int, ...]]:
    """Tensor names and shapes of an adapter of this rank, before it is attached."""
    target = re.compile(TARGETS[role])
    shapes: dict[str, tuple[int, ...]] = {}
    for name, module in base.model.named_modules():
        if target.fullmatch(name) and isinstance(module, nn.Linear | LoraLayer):
            outputs, inputs = module.weight.shape
            shapes[f"{name}.lora_A.weight"] = (rank, inputs)
            shapes[f"{name}.lora_B.weight"] = (outputs, rank)
    return shapes


def _check_fits(
    folder: Path,
    role: Role,
    wanted: dict[str, tuple[int, ...]],
    found: dict[str, torch.Tensor],
) -> None:
    for name in sorted(set(wanted) | set(found)):
        if name not in found:
            raise InputError(
                f"{folder}: no weights for {name}, expected a {role} adapter of this base"
            )
        if name not in wanted:
            raise InputError(
                f"{folder}: {name} is no {role} module of this base; use its own adapter"
            )
        if wanted[name] != tuple(found[name].shape):
            raise InputError(
                f"{folder}: {name} has shape {tuple(found[name].shape)}, expected "
                f"{wanted[name]}; the adapter is of another rank or base"
            )
