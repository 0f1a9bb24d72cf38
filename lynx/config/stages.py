"""What decides a result, stage by stage: the models behind `config/recipes/*.yaml`.

Every number here is written in a recipe file; none has a default, so that it can be read alone.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lynx.config.drawing import Drawing
from lynx.config.strict import Fraction, Positive, PositiveFloat, Strict


class LoraSettings(Strict):
    """A LoRA adapter: scale is `alpha / rank`."""

    rank: Positive
    alpha: Positive
    dropout: Fraction


class OptimizerSettings(Strict):
    """AdamW with linear warm-up and cosine decay to zero (method section 4.3)."""

    learning_rate: PositiveFloat
    epochs: PositiveFloat
    batch: Positive = Field(description="samples per optimiser step over all ranks")
    micro_batch: Positive = Field(description="samples per forward pass on one rank")
    warmup_ratio: Fraction
    weight_decay: float = Field(ge=0.0)
    max_grad_norm: PositiveFloat

    @model_validator(mode="after")
    def _batch_divides(self) -> OptimizerSettings:
        if self.batch % self.micro_batch:
            raise ValueError(
                f"batch {self.batch} is not a multiple of micro_batch {self.micro_batch}; "
                "choose a micro_batch that divides it"
            )
        return self


class ViewSettings(Strict):
    """What the language model is shown of a clip; saved with the adapter, compared at load."""

    frames: Positive
    sampling: Literal["pose", "uniform"]
    drawing: Drawing
    merge_pairs: bool = Field(description="average the token maps of pseudo-frames 2k and 2k+1")
    pool_x: bool = Field(description="average each X frame's tokens to one (method section 5.4)")

    @model_validator(mode="after")
    def _pairs_exist(self) -> ViewSettings:
        if self.merge_pairs and not self.drawing.paired:
            raise ValueError(
                "merge_pairs needs two images of each time step, which this "
                f"{self.drawing.modality} drawing does not give; set it to false or draw pairs"
            )
        return self


class RgbdFrames(Strict):
    """The square frames prepared from a full-resolution export (method section 2.4)."""

    media: Literal["rgbd"]
    per_scene: Positive
    size: Positive = Field(description="side of the square frames in pixels")


class VideoFiles(Strict):
    """Video files are read where they lie; what is prepared is a checked list of them."""

    media: Literal["video"]
    reader: Literal["decord", "pyav"]
    audio: bool = Field(description="whether the clips' audio tracks are heard")
    allow_missing: Fraction = Field(
        description="share of the clips whose file may be absent or unreadable; asked about, such "
        "a clip is answered wrong"
    )
    allow_unheard: Fraction = Field(
        description="share of the clips that may have no track, an empty or a silent one"
    )


FrameSettings = Annotated[RgbdFrames | VideoFiles, Field(discriminator="media")]


class ReferenceSettings(Strict):
    """Stage 1: moments and mean keys/values of ordinary video (method section 3)."""

    sources: tuple[str, ...] = Field(
        min_length=1, description="benchmarks whose training scenes are used"
    )
    frames_per_clip: Positive = Field(description="consecutive frames of one reference clip")
    max_clips: Positive


class AlignSettings(Strict):
    """Stage 2: interface alignment of the vision adapter (method section 4)."""

    sources: tuple[str, ...] = Field(
        min_length=1, description="benchmarks whose training clips are used"
    )
    references: Literal["own", "all"] | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        default="own",
        description="whose ordinary video X is aligned with: its `own` group's, that of `all` "
        "groups that the recipe has at the scale, or of those that draw the named modalities",
    )
    drawing: Drawing
    steps_per_item: Positive = Field(
        description="time steps of one training item: consecutive depth maps, frames over a video"
    )
    frame_chunk: Positive = Field(description="frames per chunk; chunks weigh equally in the loss")
    query_stride: Positive = Field(description="keep every n-th row and column of query positions")
    attention_weight: float = Field(ge=0.0)
    moment_weight: float = Field(ge=0.0)
    lora: LoraSettings
    optimizer: OptimizerSettings

    @model_validator(mode="after")
    def _something_is_trained(self) -> AlignSettings:
        if self.attention_weight == self.moment_weight == 0.0:
            raise ValueError(
                "attention_weight and moment_weight are both 0, so that nothing is trained; raise "
                "one of them"
            )
        return self


class SftSettings(Strict):
    """Stage 3: instruction tuning of the language adapter (method section 5)."""

    view: ViewSettings
    questions_per_clip: Positive = Field(
        description="samples of one clip that make one training item behind one visual prefix"
    )
    lora: LoraSettings
    optimizer: OptimizerSettings
    differs_from_alignment: dict[str, str] = Field(
        description="drawing keys that may differ from alignment, each with its reason"
    )

    @model_validator(mode="after")
    def _items_fill_micro_batches(self) -> SftSettings:
        if self.optimizer.micro_batch % self.questions_per_clip:
            raise ValueError(
                f"optimizer.micro_batch {self.optimizer.micro_batch} is not a multiple of "
                f"questions_per_clip {self.questions_per_clip}; choose one that divides it"
            )
        return self


class EvaluateSettings(Strict):
    """Greedy generation on one split (method section 6)."""

    split: str
    view: ViewSettings
    max_new_tokens: Positive
    min_new_tokens: Annotated[int, Field(ge=0)]
    questions_per_batch: Positive
    differs_from_training: dict[str, str] = Field(
        description="view keys (dotted) that may differ from training, each with its reason"
    )

    @model_validator(mode="after")
    def _lengths_are_a_range(self) -> EvaluateSettings:
        if self.min_new_tokens > self.max_new_tokens:
            raise ValueError(
                f"min_new_tokens {self.min_new_tokens} is more than max_new_tokens "
                f"{self.max_new_tokens}; lower it"
            )
        return self


class Recipe(Strict):
    """Every number that decides a result of one benchmark at one scale."""

    frames: FrameSettings
    reference: ReferenceSettings
    align: AlignSettings
    sft: SftSettings
    evaluate: EvaluateSettings

    @model_validator(mode="after")
    def _frames_exist(self) -> Recipe:
        """A clip longer than its scene repeats the last frame (released: 16 times in SQA3D)."""
        if not isinstance(self.frames, RgbdFrames):
            return self
        wanted = {
            "reference.frames_per_clip": self.reference.frames_per_clip,
            "align.steps_per_item": self.align.steps_per_item,
            "sft.view.frames": self.sft.view.frames,
            "evaluate.view.frames": self.evaluate.view.frames,
        }
        for key, count in wanted.items():
            if count > self.frames.per_scene:
                raise ValueError(
                    f"{key} {count} is more than frames.per_scene {self.frames.per_scene}, so "
                    "frames would be repeated; lower it"
                )
        return self

    @model_validator(mode="after")
    def _one_modality(self) -> Recipe:
        """An adapter is aligned, trained and scored on one X."""
        drawn = {"sft.view": self.sft.view.drawing, "evaluate.view": self.evaluate.view.drawing}
        for key, drawing in drawn.items():
            if drawing.modality != self.align.drawing.modality:
                raise ValueError(
                    f"{key}.drawing.modality is '{drawing.modality}', expected "
                    f"'{self.align.drawing.modality}' as in align.drawing; draw one X throughout"
                )
        return self

    @model_validator(mode="after")
    def _drawn_as_aligned(self) -> Recipe:
        """The vision adapter sees what it is aligned on (architecture, rule 7; method 9.3: S10)."""
        _require_named(
            ("align.drawing", self.align.drawing.model_dump()),
            ("sft.view.drawing", self.sft.view.drawing.model_dump()),
            ("sft.differs_from_alignment", self.sft.differs_from_alignment),
        )
        return self

    @model_validator(mode="after")
    def _scored_as_trained(self) -> Recipe:
        """The language adapter is scored on what it was trained on (architecture, rule 7)."""
        _require_named(
            ("sft.view", _flat(self.sft.view)),
            ("evaluate.view", _flat(self.evaluate.view)),
            ("evaluate.differs_from_training", self.evaluate.differs_from_training),
        )
        return self


def _flat(view: ViewSettings) -> dict[str, object]:
    data = view.model_dump()
    drawing = data.pop("drawing")
    return data | {f"drawing.{key}": value for key, value in drawing.items()}


def _require_named(
    earlier: tuple[str, dict[str, object]],
    later: tuple[str, dict[str, object]],
    reasons: tuple[str, dict[str, str]],
) -> None:
    """Every difference between two stages is named with a reason, and nothing else is."""
    (name, values), (later_name, later_values), (field, named) = earlier, later, reasons
    different = {key for key in values if values[key] != later_values[key]}
    for key in sorted(different - set(named)):
        raise ValueError(
            f"{later_name}.{key} differs from {name}.{key}; make them equal or name it with a "
            f"reason under {field}"
        )
    for key in sorted(set(named) - set(values)):
        raise ValueError(f"{field} names '{key}', expected one of {', '.join(sorted(values))}")
    for key, reason in sorted(named.items()):
        if key not in different:
            raise ValueError(
                f"{field} names '{key}', but {later_name}.{key} equals {name}.{key}; remove it"
            )
        if not reason.strip():
            raise ValueError(f"{field} names '{key}' without a reason; write why it differs")
