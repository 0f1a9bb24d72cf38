"""Dotted recipe keys that a run or a variant sets aside from its recipe file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from lynx.config.drawing import Drawing, drawing_models
from lynx.config.explain import KeyPath, dotted, unknown_key
from lynx.config.stages import Recipe
from lynx.config.strict import Strict
from lynx.errors import InputError


@dataclass(frozen=True)
class Overrides:
    """Dotted recipe keys that a run or a variant sets aside from its recipe file."""

    name: str
    """The file they stand in, as errors call it."""
    values: Mapping[KeyPath, object]
    key: str = "overrides"
    """The key that they stand under in that file."""

    @classmethod
    def parse(cls, name: str, values: Mapping[str, object], key: str = "overrides") -> Overrides:
        """Split dotted keys.

        Raises `InputError` for one that no recipe has, and for one that lies within another: which
        of the two decides would hang on their order.
        """
        paths = {_split(name, key, each): value for each, value in values.items()}
        for inner in paths:
            if outer := next((each for each in paths if _within(inner, each)), None):
                raise InputError(
                    f"{name}: key '{key}.{dotted(outer)}' sets all of what "
                    f"'{key}.{dotted(inner)}' sets a part of; keep one of them"
                )
        return cls(name, paths, key)

    def covering(self, path: KeyPath) -> KeyPath | None:
        """The override that decides the value at `path`, if one does."""
        return next((key for key in self.values if path[: len(key)] == key), None)


def _within(inner: KeyPath, outer: KeyPath) -> bool:
    return inner != outer and inner[: len(outer)] == outer


def _split(name: str, holder: str, key: str) -> KeyPath:
    """`evaluate.view.frames` as a path; what follows a free mapping is one key, dots and all."""
    parts = key.split(".")
    models: list[type[Strict]] = [Recipe]
    for index, part in enumerate(parts):
        fields = {each: field for model in models for each, field in model.model_fields.items()}
        if part not in fields:
            where = ".".join([holder, *parts[: index + 1]])
            raise InputError(unknown_key(name, where, fields))
        kind = fields[part].annotation
        rest = parts[index + 1 :]
        models = _models_of(kind)
        if models:
            continue
        if rest and getattr(kind, "__origin__", None) is dict:
            return (*parts[: index + 1], ".".join(rest))
        if rest:
            raise InputError(
                f"{name}: key '{holder}.{key}' goes on below '{part}', which is a plain value; "
                f"remove '.{'.'.join(rest)}'"
            )
    return tuple(parts)


def _models_of(kind: object) -> list[type[Strict]]:
    """The models that a field may hold: its own, each of a choice, every modality's drawing."""
    if kind is Drawing:
        return list(drawing_models().values())
    options = get_args(kind) or (kind,)
    return [item for item in options if isinstance(item, type) and issubclass(item, Strict)]
