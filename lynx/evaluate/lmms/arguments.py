"""The `--model_args` of `--model lynx`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_args

from lynx.artifacts.verify import require_stage
from lynx.config.explain import unknown_key
from lynx.config.files import Device
from lynx.config.loading import configured_with
from lynx.config.stages import Recipe
from lynx.errors import InputError
from lynx.project import Project

GIVEN = ("batch_size", "max_batch_size", "device")
"""What lmms-eval hands over of its own options."""


@dataclass(frozen=True)
class ModelArguments:
    """What a user may say about the model.

    `adapter` is an sft artefact, `root` the project's folder. `benchmark` names the recipe whose
    evaluate section says what is shown of a clip; without it clips are shown as in training.
    `config` are configuration files, separated by `:`, and `set` a JSON mapping laid over them, as
    the options `--config` and `--set` of `lynx` do. What has been answered is kept in the file
    `journal`, and not asked again. `batch_size` questions of one clip are answered together.
    """

    adapter: Path
    root: Path
    benchmark: str | None
    config: tuple[Path, ...]
    set: Mapping[str, object]
    journal: Path | None
    device: Device | None
    batch_size: int | None

    @classmethod
    def read(cls, given: Mapping[str, object]) -> ModelArguments:
        """Read them as lmms-eval hands them over: texts, or numbers where they look like one.

        Raises:
            InputError: one is unknown, missing or wrong.
        """
        names = [field.name for field in fields(cls)]
        for name in given:
            if name not in (*names, *GIVEN):
                raise InputError(unknown_key("--model_args", name, names))
        if not given.get("adapter"):
            raise InputError(
                "--model_args: key 'adapter' is missing, expected the folder of a trained adapter; "
                "give adapter=runs/<scale>/sft/<variant>/<benchmark>/seed<k>"
            )
        text = {name: str(value) for name, value in given.items() if value is not None}
        return cls(
            adapter=Path(text["adapter"]),
            root=Path(text.get("root", ".")),
            benchmark=text.get("benchmark"),
            config=tuple(Path(name) for name in text.get("config", "").split(":") if name),
            set=_mapping(text.get("set", "{}")),
            journal=Path(text["journal"]) if "journal" in text else None,
            device=_device(text.get("device")),
            batch_size=_batch_size(text.get("batch_size")),
        )

    def load_project(self) -> Project:
        """The project, configured for the adapter's own scale and what it was trained on.

        Raises:
            InputError: the adapter or the configuration cannot be used.
        """
        manifest = require_stage(self.adapter, "sft")
        trainer = str(manifest.settings["benchmark"])
        runs = self.benchmark or configured_with(self.root, trainer)
        chosen: dict[str, object] = {"benchmarks": [runs]}
        if (scale := self._scale()) is not None:
            chosen["scale"] = scale
        project = Project.load(self.root, self.config, {**chosen, **self.set})
        if self.device is None:
            return project
        site = project.experiment.site.model_copy(update={"device": self.device})
        return Project(project.experiment.model_copy(update={"site": site}), project.layout)

    def recipe(self, project: Project) -> Recipe:
        """The recipe that says how long answers may be: of `benchmark`, or of one so configured."""
        recipes = project.experiment.recipes
        return recipes[self.benchmark] if self.benchmark else next(iter(recipes.values()))

    def _scale(self) -> str | None:
        """The scale in whose folder of runs the adapter lies, if it lies in one."""
        try:
            inside = self.adapter.resolve().relative_to((self.root / "runs").resolve())
        except ValueError:
            return None
        return inside.parts[0]


def _mapping(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InputError(
            f"--model_args: key 'set' is {text!r}, expected a JSON mapping without spaces; give "
            'for instance set={"scale":"0.5b"}'
        )
    return found


def _device(text: str | None) -> Device | None:
    for device in get_args(Device):
        if text == device:
            chosen: Device = device
            return chosen
    if text is None:
        return None
    raise InputError(
        f"--device: found {text!r}, expected one of {', '.join(get_args(Device))}; choose a GPU by "
        "CUDA_VISIBLE_DEVICES"
    )


def _batch_size(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise InputError(
            f"--batch_size: found {text!r}, expected a whole number above 0; it is how many "
            "questions of one clip are answered together"
        )
    return int(text)
