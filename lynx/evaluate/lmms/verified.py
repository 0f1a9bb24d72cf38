"""Whether `lmms_eval.json` is as it was written, by this code, of the run that it names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lynx.artifacts.chain import Chain, Link
from lynx.artifacts.hashing import hash_file
from lynx.artifacts.manifest import MANIFEST_NAME
from lynx.artifacts.stages import STAGE_VERSIONS
from lynx.config.layout import Layout
from lynx.evaluate.metrics_file import edits

FILE_NAME = "lmms_eval.json"
PLACE = re.compile(
    r"results/(?P<scale>[^/]+)/(?P<variant>[^/]+)/(?P<benchmark>[^/]+)/seed(?P<seed>\d+)/"
    + re.escape(FILE_NAME)
)
AGAIN = "run the lmms rule again"


def follow(chain: Chain, key: Path) -> Link:
    """Check a score of lmms-eval and, before it, the run's answers and what is behind them."""
    link = Link(chain.root / key, "lmms-eval's score")
    place = PLACE.fullmatch(key.as_posix())
    report = _read(link)
    if report is not None:
        link.problems += edits(link.path, report, AGAIN)
        link.problems += _version(link.path, report)
        if place is None:
            link.notes.append("not below results/, so what it was made from is not known")
        else:
            seed = int(place["seed"])
            folder = Layout(Path(), place["scale"]).lmms(place["variant"], place["benchmark"], seed)
            link.problems += _source(link.path, report, chain.follow(folder))
    return chain.links.setdefault(key, link)


def _read(link: Link) -> dict[str, Any] | None:
    try:
        report = json.loads(link.path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        link.problems.append(f"{link.path}: cannot be read ({error}); {AGAIN}")
        return None
    if isinstance(report, dict):
        return report
    link.problems.append(f"{link.path}: found no JSON object; {AGAIN}")
    return None


def _version(path: Path, report: Mapping[str, Any]) -> Iterator[str]:
    version = STAGE_VERSIONS["lmms"]
    if report.get("stage_version") != version:
        yield (
            f"{path}: made by version {report.get('stage_version')} of stage lmms, the code is at "
            f"version {version}; {AGAIN}"
        )


def _source(path: Path, report: Mapping[str, Any], answers: Link) -> Iterator[str]:
    if answers.manifest is None:
        return  # its own link says so
    found = hash_file(answers.path / MANIFEST_NAME)
    if found != report.get("predictions"):
        yield (
            f"{path}: the score of answers {str(report.get('predictions'))[:12]}, but "
            f"{answers.path / MANIFEST_NAME} is {found[:12]}; {AGAIN}"
        )
