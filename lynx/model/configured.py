"""The base model of a configured project, loaded as its scale and its site say."""

from __future__ import annotations

from collections.abc import Iterable

from lynx.model.base import Base, Part, load_base
from lynx.model.stage import require_base
from lynx.project import Project
from lynx.ranks.device import pick_device


def open_base(project: Project, parts: Iterable[Part]) -> Base:
    """The given parts of the project's base: dtype of the scale, device and target of the site.

    Raises InputError if the base changed since it was inventoried, and as `load_base` does.
    """
    experiment = project.experiment
    return load_base(
        require_base(project),
        parts,
        dtype=experiment.scale.dtype,
        device=pick_device(experiment.site),
        gpu_target=experiment.site.gpu_target,
    )
