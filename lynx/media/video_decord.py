"""Frames of a video by index with decord 0.6.0, where it finds the frames that PyAV finds.

Legend: `F` frames, `H` x `W` size as shown.

decord counts frames instead of looking at their times, so it names other frames than those shown
where an edit list hides some, where groups of pictures are open and in MPEG-TS; `index_video` tells
these files. It also reads ahead, and fails on damage behind the frames that it was asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import decord
import numpy as np
from numpy.typing import NDArray

from lynx.media.video_index import VideoIndex

logger = logging.getLogger(__name__)

decord.logging.set_level(decord.logging.QUIET)  # FFmpeg's own notes; faults come as exceptions

# Its own error for a decoder's; the others when it cannot open a file or counts no frame in it.
_FAILURES = (decord.DECORDError, RuntimeError, AssertionError)


def read_with_decord(index: VideoIndex, numbers: Sequence[int]) -> NDArray[np.uint8] | None:
    """Decode the frames `numbers` (rising, no repeats) to (F, H, W, 3), seeking by index.

    None where decord fails or counts other frames: PyAV then tells what is wrong with the file.
    """
    if not index.decord_agrees:
        return None
    try:
        reader = decord.VideoReader(str(index.path.absolute()), ctx=decord.cpu(0), num_threads=1)
        if len(reader) != len(index.pts):
            return None
        frames: NDArray[np.uint8] = reader.get_batch(list(numbers)).asnumpy()
    except _FAILURES as error:
        logger.info("%s: decord fails (%s), so PyAV reads it", index.path, _reason(error))
        return None
    return frames if frames.shape[1:] == (index.height, index.width, 3) else None


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0]
