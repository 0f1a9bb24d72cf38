"""A trained adapter, opened to answer about clips that no benchmark's tables list.

What a clip is shown as, and whether X is drawn, is what the adapter was trained with: its manifest
says so, and leads to the vision adapter through the features that it was trained on.

Shape legend: V tokens of a stream, D language model width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from lynx.artifacts.lineage import aligned_with
from lynx.artifacts.manifest import Manifest, parent_entry
from lynx.artifacts.verify import require_parent, require_stage
from lynx.benchmarks import Benchmark, get_benchmark
from lynx.config.files import Stream
from lynx.config.names import require_names
from lynx.config.stages import ViewSettings
from lynx.errors import InputError
from lynx.features.clips import places_seen
from lynx.features.encode import StreamEncoder
from lynx.features.stage import FRAME_CHUNK
from lynx.media.clip import Clip
from lynx.media.one_pass import decoded_once
from lynx.model.adapters import load_adapter
from lynx.model.base import Base
from lynx.model.chat import ChatEncoder, EncodedChat
from lynx.model.configured import open_base
from lynx.model.vision_adapter import ADAPTER_FOLDER as VISION
from lynx.project import Project
from lynx.sft.stage import ADAPTER_FOLDER as LANGUAGE


@dataclass(frozen=True)
class Trained:
    """A published language adapter and what it was trained with."""

    folder: Path
    manifest: Manifest
    benchmark: Benchmark
    streams: tuple[Stream, ...]
    view: ViewSettings

    @classmethod
    def open(cls, project: Project, folder: Path) -> Trained:
        """Read an sft artefact; InputError if it is none, or of another base or scale."""
        manifest = require_stage(folder, "sft", deep=True)
        base, name = manifest.settings["model"], str(manifest.settings["benchmark"])
        scale = project.experiment.scale
        if base != {"base": scale.base, "dtype": scale.dtype}:
            raise InputError(
                f"{folder}: an adapter trained on {base}, but scale "
                f"{project.experiment.scale_name} has base {scale.base} in {scale.dtype}; name its "
                "own scale with --set scale=..."
            )
        require_names(project.experiment, {"trainer": name})
        require_parent(folder, manifest, parent_entry(project.layout.base))
        x = str(manifest.settings["x"])
        streams = next(v.streams for v in project.experiment.variants.values() if v.x == x)
        # An adapter without X has not kept how X would be drawn, and none is drawn for it.
        drawn = project.experiment.training_recipe(name).sft.view.model_dump(mode="json")
        kept = manifest.settings["view"]
        assert isinstance(kept, dict)  # written by sft
        view = ViewSettings.model_validate(drawn | kept)
        return cls(folder, manifest, get_benchmark(name), streams, view)

    @property
    def draws_x(self) -> bool:
        """Whether X is drawn of a clip; else the video alone, or twice, is shown."""
        return any(stream != "video" for stream in self.streams)

    def vision(self, root: Path) -> Path:
        """The folder of the vision adapter: the one trained with it, or behind its features.

        Raises InputError for one that is absent, damaged or made anew since.
        """
        if self.manifest.settings["x"] == "joint":
            return self.folder / VISION
        for align in aligned_with(root, self.folder, self.manifest):
            require_stage(root / align.path, "align", deep=True)
            return root / align.path / VISION
        raise InputError(
            f"{self.folder}: found no aligned features among its parents, expected those that it "
            "was trained on; restore them or train it again"
        )


@dataclass(frozen=True)
class OpenedAdapter:
    """The base with both adapters on it, ready to encode clips and to be asked."""

    trained: Trained
    base: Base
    chat: ChatEncoder

    @classmethod
    def load(cls, project: Project, trained: Trained) -> OpenedAdapter:
        """Load everything onto the site's device.

        Raises:
            InputError: the adapter, its parents or the base cannot be used.
        """
        base = open_base(project, ["tower", "language"])
        if "aligned" in trained.streams:
            load_adapter(base, "vision", trained.vision(project.layout.root))
        load_adapter(base, "language", trained.folder / LANGUAGE)
        return cls(trained, base, ChatEncoder.load(base.info.folder, base.info.image_token_id))

    def encode(self, clip: Clip) -> list[torch.Tensor]:
        """Tokens (V, D) of each stream of a clip, by the code that stores features."""
        view = self.trained.view
        opened = decoded_once(clip, lambda each: places_seen(each, view))
        return [self._encode(opened, stream) for stream in self.trained.streams]

    def _encode(self, clip: Clip, stream: Stream) -> torch.Tensor:
        shelf, view = _OneClip(clip), self.trained.view
        encoder = StreamEncoder(self.base, self.base.processor(), shelf, stream, view, FRAME_CHUNK)
        return encoder.encode(clip.name)

    def chats(self, prompts: Sequence[str]) -> list[EncodedChat]:
        """Questions in the words that the model reads, each to be answered."""
        return [self.chat.encode([(prompt, "")], answer_last=False) for prompt in prompts]


@dataclass(frozen=True)
class _OneClip:
    """A shelf that holds one clip."""

    clip: Clip

    def usable(self, clip: str) -> bool:
        return True

    def open(self, clip: str) -> Clip:
        return self.clip
