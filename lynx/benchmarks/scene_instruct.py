"""Instruct files about ScanNet rooms: one question and its first answer a record.

PAVE's converters of ScanQA and SQA3D write the official question id as `id`, the scan as `video`,
and the first of the official answers; in SQA3D the situation and the question are one text. So
further answers and the question's type are not to be had from such a file, which training needs
neither of.
"""

from __future__ import annotations

from pathlib import Path

from lynx.benchmarks.annotation import Annotation, Faulty, scan_name, within_budget
from lynx.benchmarks.instruct import Record, fault_of, read_instruct, turns_of
from lynx.benchmarks.sample import Sample
from lynx.metrics.cleaning import has_content


def read_scene_instruct(path: Path, allow_missing: float) -> Annotation:
    """The training questions of an instruct file.

    Raises:
        InputError: as ``lynx.benchmarks.instruct.read_instruct`` does; a record asks more than one
            question, its video is no ScanNet scan, or more than the share ``allow_missing`` of the
            records is unusable.
    """
    samples, dropped = within_budget(path, map(_from_record, read_instruct(path)), allow_missing)
    return Annotation(samples, dropped, [path])


def _from_record(record: Record) -> Sample | Faulty:
    clip = scan_name(record.video, "video", record.place)
    exchange = record.single()
    reason = fault_of([exchange])
    if reason is None and not has_content(exchange[1]):
        reason = "empty answer"
    if reason:
        return Faulty(record.id, reason)
    return Sample(id=record.id, clip=clip, turns=turns_of([exchange]), references=(exchange[1],))
