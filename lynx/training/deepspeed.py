"""Training under DeepSpeed's ZeRO: gradients and moments, or the frozen weights too, are divided.

Method section 4.3. Checkpoints are gathered into the form that plain ranks write, so that a run
goes on with any number of ranks, with ZeRO or without. Trained tensors stay in float32 under
autocast as they do elsewhere; DeepSpeed's own bfloat16 mode would round them.
"""

from __future__ import annotations

import logging
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lynx.config.stages import OptimizerSettings
from lynx.errors import InputError
from lynx.ranks.place import Ranks
from lynx.training.checkpoint import load_newest, write_checkpoint
from lynx.training.engine import Terms, adamw

WEIGHTS_TOO = 3
"""The stage that divides the frozen weights as well."""
MOMENTS = ("exp_avg", "exp_avg_sq")


def zero_config(settings: OptimizerSettings, zero: int, ranks: int) -> dict[str, object]:
    """DeepSpeed's configuration from the recipe's numbers (method section 4.3)."""
    section: dict[str, object] = {
        "stage": zero,
        "overlap_comm": True,
        "contiguous_gradients": True,
        "sub_group_size": 1e9,
        "reduce_bucket_size": 2e8,
    }
    return {
        "train_batch_size": settings.batch,
        "train_micro_batch_size_per_gpu": settings.micro_batch,
        "gradient_accumulation_steps": settings.batch // (settings.micro_batch * ranks),
        "gradient_clipping": settings.max_grad_norm,
        "zero_optimization": section,
        "zero_allow_untested_optimizer": True,
    }


class _Whole(nn.Module):
    """The objective as DeepSpeed sees it: with all its weights, which stage 3 divides."""

    def __init__(self, objective: nn.Module, precision: AbstractContextManager[object]) -> None:
        super().__init__()
        self.objective, self.precision = objective, precision

    def forward(self, batch: object) -> tuple[torch.Tensor, Terms]:
        with self.precision:
            loss, terms = self.objective(batch)
        return loss.float(), terms


class _Trained(nn.Module):
    """The objective with its trained tensors alone: DeepSpeed has no business with the others."""

    def __init__(self, whole: _Whole, parameters: dict[str, nn.Parameter]) -> None:
        super().__init__()
        self.trained = nn.ParameterList(parameters.values())
        self._whole = [whole]  # in a list, so that it is no submodule

    def forward(self, batch: object) -> tuple[torch.Tensor, Terms]:
        return self._whole[0].forward(batch)


class ZeroEngine:
    """Trained tensors and moments divided over the ranks by DeepSpeed; see `Engine`."""

    lockstep = True

    def __init__(
        self,
        objective: nn.Module,
        parameters: dict[str, nn.Parameter],
        settings: OptimizerSettings,
        ranks: Ranks,
        precision: AbstractContextManager[object],
        device: torch.device,
        zero: int,
    ) -> None:
        whole = _Whole(objective, precision)
        self.module = whole if zero == WEIGHTS_TOO else _Trained(whole, parameters)
        self.parameters, self.settings, self.ranks = parameters, settings, ranks
        self.device, self.zero = device, zero
        self.engine: Any = None
        self._hidden: Hidden = []

    def restore(self, state: Path, most: int) -> int:
        """Load the newest checkpoint and hand the tensors over to DeepSpeed."""
        step, tensors = load_newest(state, most)
        for name, parameter in self.parameters.items():
            if step:
                with torch.no_grad():
                    parameter.copy_(tensors[f"weight/{name}"])
        self._initialize()
        for moments in self._divided_moments():
            moments["step"].fill_(float(step))
        for name, parameter in self.parameters.items() if step else ():
            for key in MOMENTS:
                self._set_moment(parameter, tensors[f"{key}/{name}"].to(self.device), key)
        return step

    def _set_moment(self, parameter: Any, value: torch.Tensor, key: str) -> None:
        """Give each rank its part of a whole moment."""
        if self.zero != WEIGHTS_TOO:
            self._api().safe_set_full_optimizer_state(parameter, value, key)
            return
        # DeepSpeed's own way fails where the ranks do not divide the number of elements.
        size = parameter.ds_tensor.numel()
        padded = nn.functional.pad(value.flatten(), (0, size * self.ranks.count - value.numel()))
        own = padded.split(size)[self.ranks.index]
        self._api().safe_set_local_optimizer_state(parameter, own, key)

    def _initialize(self) -> None:
        deepspeed = _library(self.device)
        self._hidden = _hide_embeddings(self.module)
        self.engine, *_ = deepspeed.initialize(
            model=self.module,
            model_parameters=list(self.parameters.values()),
            optimizer=adamw(self.parameters, self.settings),
            config=zero_config(self.settings, self.zero, self.ranks.count),
            dist_init_required=False,
        )

    def _divided_moments(self) -> list[dict[str, torch.Tensor]]:
        """This rank's part of AdamW's state, which AdamW itself would make in the first step."""
        divided = self.engine.optimizer
        whole = self.zero == WEIGHTS_TOO
        parts = (
            divided.fp32_partitioned_groups_flat
            if whole
            else divided.single_partition_of_fp32_groups
        )
        states: Any = divided.optimizer.state
        for part in parts:
            states[part] = {"step": torch.tensor(0.0)} | {
                key: torch.zeros_like(part) for key in MOMENTS
            }
        if not whole:
            divided._lazy_init_hp_params_optimizer_state()
        return [states[part] for part in parts]

    def _api(self) -> Any:
        import deepspeed.utils

        return deepspeed.utils

    def begin(self, rate: float) -> None:
        for group in self.engine.optimizer.param_groups:
            group["lr"] = rate

    def backward(self, batch: object, parts: float, *, last: bool) -> Terms:
        self.engine.set_gradient_accumulation_boundary(last)
        loss, terms = self.engine(batch)
        # DeepSpeed averages over the ranks; the weight of a micro-batch is one over those of all.
        self.engine.backward(loss * (self.ranks.count / parts), scale_wrt_gas=False)
        return {"loss": float(loss.detach()), **terms}

    def step(self) -> float:
        self.engine.step()
        return float(self.engine.get_global_grad_norm())

    def save(self, state: Path, step: int) -> None:
        tensors = {f"weight/{name}": self._full(item) for name, item in self.parameters.items()}
        for name, parameter in self.parameters.items():
            for key in MOMENTS:
                tensors[f"{key}/{name}"] = self._full(parameter, key)
            tensors[f"step/{name}"] = torch.tensor(float(step))
        if self.ranks.first:
            write_checkpoint(state, step, tensors)

    def _full(self, parameter: nn.Parameter, moment: str | None = None) -> torch.Tensor:
        """A whole tensor from the parts of all ranks."""
        found: torch.Tensor
        if moment is None:
            found = self._api().safe_get_full_fp32_param(parameter)
        else:
            found = self._api().safe_get_full_optimizer_state(parameter, moment)
        return found.detach().cpu().clone()

    def finish(self) -> None:
        """Put whole tensors back in the place of the divided ones."""
        whole = {name: self._full(item) for name, item in self.parameters.items()}
        for name, parameter in self.parameters.items():
            parameter.data = whole[name].to(self.device)
        _show(self._hidden)


Hidden = list[tuple[nn.Module, str, nn.Module]]


def _hide_embeddings(module: nn.Module) -> Hidden:
    """Make embeddings, and heads that share their weights, plain attributes of their modules.

    DeepSpeed divides what is registered. A divided weight is fetched by all ranks together, and
    words are looked up once a clip, of which each rank has as many as it happens to have.
    """
    weights = {id(each.weight) for each in module.modules() if isinstance(each, nn.Embedding)}
    hidden = [
        (parent, name, child)
        for parent in module.modules()
        for name, child in parent.named_children()
        if weights & {id(item) for item in child.parameters(recurse=False)}
    ]
    for parent, name, child in hidden:
        delattr(parent, name)
        object.__setattr__(parent, name, child)
    return hidden


def _show(hidden: Hidden) -> None:
    for parent, name, child in hidden:
        object.__delattr__(parent, name)
        setattr(parent, name, child)


def _library(device: torch.device) -> Any:
    """DeepSpeed, told which kind of device it is for before it looks by itself."""
    os.environ.setdefault("DS_ACCELERATOR", device.type)
    try:
        import deepspeed
    except ImportError as error:
        raise InputError(
            f"config/site.yaml: zero needs DeepSpeed, which cannot be imported ({error}); install "
            "the environment again or set zero to null"
        ) from error
    logging.getLogger("DeepSpeed").setLevel(logging.WARNING)
    if device.type == "cpu":
        import deepspeed.ops

        # It would compile shared-memory sums under a lock that a killed process leaves behind, for
        # which every later one waits without end. Gloo sums as well.
        deepspeed.ops.__compatible_ops__ = {}
    return deepspeed
