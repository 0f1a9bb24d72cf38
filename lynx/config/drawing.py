"""How X is drawn, as far as the configuration knows: one model per modality, found by its name.

A modality's settings stand in the modality's own file. The configuration names none of them: when
the first recipe is read it asks which there are, and every `drawing` is one of these, chosen by its
key `modality`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from lynx.config.strict import Strict

MODALITIES = "lynx.modalities"


class Drawing(Strict):
    """How one X becomes pseudo-frames; a subclass adds its keys and fixes `modality`."""

    modality: str

    @property
    def paired(self) -> bool:
        """Whether pseudo-frames 2k and 2k + 1 show one time step, so that they can be merged."""
        return False

    @property
    def other_views(self) -> int:
        """How many files beside a clip's video X is drawn from; `frames` looks at no others."""
        return 0

    def pseudo_frames(self, steps: int) -> int:
        """How many pseudo-frames a clip of `steps` time steps is drawn as."""
        return steps

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """`Drawing` itself stands for any registered modality's model."""
        if cls is not Drawing:
            return handler(source)
        choices = {name: handler.generate_schema(model) for name, model in drawing_models().items()}
        return core_schema.tagged_union_schema(choices, discriminator="modality")


def drawing_models() -> Mapping[str, type[Drawing]]:
    """Every modality's settings by its name."""
    found: Mapping[str, type[Drawing]] = importlib.import_module(MODALITIES).drawing_models()
    return found
