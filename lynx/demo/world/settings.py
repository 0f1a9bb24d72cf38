"""Settings of an exported demo world."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

SPLITS = ("train", "val", "test")
# ScanNet's own scenes end below scene0900; the demo world numbers its scenes 9000 to 9999.
MAX_SCENES = 1000

Count = Annotated[int, Field(ge=0)]


class WorldSettings(BaseModel):
    """How large a world to render, and which: everything that decides its bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: Count = 0
    first_scene_index: Count = 0
    train_scenes: Count = 200
    val_scenes: Count = 40
    test_scenes: Count = 60
    frames_per_scene: Annotated[int, Field(ge=2, le=100)] = 10

    @model_validator(mode="after")
    def _scene_numbers_fit(self) -> Self:
        last = self.first_scene_index + self.train_scenes + self.val_scenes + self.test_scenes
        if last > MAX_SCENES:
            raise ValueError(
                f"scene indices up to {last - 1} were asked for, but scene names allow 0 to "
                f"{MAX_SCENES - 1}: lower first_scene_index or the number of scenes"
            )
        return self

    def scene_indices(self, split: str) -> range:
        """Scene numbers of a split: train, then val, then test, one after another."""
        sizes = {"train": self.train_scenes, "val": self.val_scenes, "test": self.test_scenes}
        before = sum(sizes[name] for name in SPLITS[: SPLITS.index(split)])
        start = self.first_scene_index + before
        return range(start, start + sizes[split])
