"""MVBench's videos where the clips are not cut yet: the whole file and the seconds of the part.

lmms-eval loads this from a task of `lynx.evaluate.lmms.local_tasks`. Its own task reads clips that
the hub dataset's branch `video` holds cut; the main branch has the whole videos.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lmms_eval.tasks.mvbench.utils import mvbench_doc_to_visual


def part_of_video(
    doc: Mapping[str, Any], lmms_eval_specific_kwargs: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The video that lmms-eval names, from `start` to `end` of the item."""
    (path,) = mvbench_doc_to_visual(doc, lmms_eval_specific_kwargs)
    return [
        {"type": "video", "path": path, "video_start": doc["start"], "video_end": doc["end"]},
    ]
