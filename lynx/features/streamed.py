"""A token stream that is encoded when it is read, and kept nowhere but in a small memory.

Shape legend: V tokens of a clip, D language model width.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import torch

from lynx.features.encode import StreamEncoder

KEPT_CLIPS = 64


@dataclass
class StreamedTokens:
    """Reads like a store; the newest clips are kept so that a clip's batches encode it once."""

    encoder: StreamEncoder
    recent: OrderedDict[str, torch.Tensor] = field(default_factory=OrderedDict)

    def read(self, clip: str) -> torch.Tensor:
        """Tokens (V, D) of a clip."""
        if clip not in self.recent:
            self.recent[clip] = self.encoder.encode(clip)
            if len(self.recent) > KEPT_CLIPS:
                self.recent.popitem(last=False)
        return self.recent[clip]
