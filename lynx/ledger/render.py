"""`dvc.yaml` and `params.yaml` as text, and whether the committed files still say the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from lynx.artifacts.publish import write_atomic
from lynx.errors import InputError
from lynx.ledger.jobs import Job, list_jobs
from lynx.ledger.stages import Stage, stages_of

PIPELINE = "dvc.yaml"
SETTINGS = "params.yaml"
SETTINGS_STAGE = "settings"
DECIDING = (
    "config/benchmarks",
    "config/config.yaml",
    "config/published.yaml",
    "config/recipes",
    "config/scales",
    "config/variants.yaml",
    "lynx/artifacts/stages.py",
)
"""What `params.yaml` is computed from: site settings decide nothing. `published.yaml` names the
variants of `analyses`."""

PIPELINE_HEAD = """\
# Rendered by `lynx ledger render` from Snakemake's job list; do not edit (docs/ledger.md).
# One stage for each published artefact. Snakemake alone decides what runs: a stage asks it for one
# result and has that checked.
stages:
"""
SETTINGS_HEAD = """\
# Rendered by `lynx ledger render`; do not edit (docs/ledger.md). For each stage of dvc.yaml, the
# hash of what decides it: its part of config/ and the version of its code.
"""


def rendered(root: Path, files: Sequence[Path] = ()) -> dict[str, str]:
    """The text of both files by name, from the configuration at `root`."""
    stages = stages_of(list_jobs(root, files))
    return {PIPELINE: pipeline_text(stages), SETTINGS: settings_text(stages)}


def write_ledger(root: Path, files: Sequence[Path] = ()) -> None:
    """Write both files; one that says the same already is left alone."""
    for name, text in rendered(root, files).items():
        if _text(root / name) != text:
            write_atomic(root / name, text)


def write_settings(root: Path, files: Sequence[Path] = ()) -> None:
    """Write `params.yaml` alone: DVC calls this while it reads `dvc.yaml`."""
    write_atomic(root / SETTINGS, rendered(root, files)[SETTINGS])


def check_ledger(root: Path, files: Sequence[Path] = ()) -> tuple[Stage, ...]:
    """The stages, if the committed files are what would be rendered now.

    Raises InputError naming the file and the first line that differs.
    """
    stages = stages_of(list_jobs(root, files))
    for name, text in ((PIPELINE, pipeline_text(stages)), (SETTINGS, settings_text(stages))):
        found = _text(root / name)
        if found is None:
            raise InputError(f"{name}: no such file; run `lynx ledger render` and commit it")
        if found != text:
            raise InputError(f"{name}: {_first_difference(found, text)}")
    return stages


def rendered_stages(root: Path, jobs: Sequence[Job]) -> list[Stage]:
    """The stages that these jobs make up, of those that the committed files have just so.

    What is made from a stage that is not so is none either: its results are of other settings too.
    """
    pipeline, settings = (_text(root / name) or "" for name in (PIPELINE, SETTINGS))
    named = {line.strip().removeprefix("- ").split(":")[0] for line in pipeline.splitlines()}
    # An output is an out itself, or the manifest of one.
    known = [
        job
        for job in jobs
        if all(named & {name, str(PurePosixPath(name).parent)} for name in job.outputs)
    ]
    blocks = {block.strip("\n") for block in pipeline.split("\n\n")}
    lines = set(settings.splitlines())
    found, made = [], set[str]()
    for stage in stages_of(known):
        alike = _block(stage).strip("\n") in blocks and _setting(stage) in lines
        if alike and made.issuperset(stage.deps):
            found.append(stage)
            made.update((*stage.manifests, *stage.small))
    return found


def pipeline_text(stages: Sequence[Stage]) -> str:
    """`dvc.yaml`: lines that read well and never change without a reason."""
    blocks = [_settings_stage(), *(_block(stage) for stage in stages)]
    return PIPELINE_HEAD + "\n".join(blocks)


def settings_text(stages: Sequence[Stage]) -> str:
    """`params.yaml`: one line for each stage."""
    return SETTINGS_HEAD + "".join(sorted(f"{_setting(stage)}\n" for stage in stages))


def _setting(stage: Stage) -> str:
    return f"{stage.name}: {stage.settings[:16]}"


def _settings_stage() -> str:
    lines = [f"  {SETTINGS_STAGE}:", "    cmd: lynx ledger settings", "    deps:"]
    lines += [f"    - {name}" for name in DECIDING]
    lines += ["    outs:", f"    - {SETTINGS}: {_small()}", ""]
    return "\n".join(lines)


def _block(stage: Stage) -> str:
    lines = [f"  {stage.name}:", "    cmd:"]
    lines.append(f"    - snakemake --profile local --quiet rules -- {' '.join(stage.targets)}")
    if checked := (*stage.manifests, *stage.scores):
        lines.append(f"    - lynx verify {' '.join(checked)}")
    if stage.deps:
        lines += ["    deps:", *(f"    - {name}" for name in stage.deps)]
    lines += ["    params:", f"    - {stage.name}"]
    outs = [f"    - {name}: {{persist: true}}" for name in (*stage.artefacts, *stage.inventories)]
    outs += [f"    - {name}: {_small()}" for name in stage.small if not _kind(name)]
    lines += ["    outs:", *outs] if outs else []
    for kind, more in (("metrics", ""), ("plots", ", x: step, y: loss")):
        held = [f"    - {name}: {_small(more)}" for name in stage.small if _kind(name) == kind]
        lines += [f"    {kind}:", *held] if held else []
    return "\n".join([*lines, ""])


def _kind(name: str) -> str:
    """What DVC may show a small file as; nothing where it is only kept."""
    path = PurePosixPath(name)
    if path.suffix == ".json":
        return "metrics"
    return "plots" if path.suffix == ".csv" and "training" in path.parts else ""


def _small(more: str = "") -> str:
    """Of a file that Git keeps; DVC deletes what does not persist before it runs a stage."""
    return f"{{cache: false, persist: true{more}}}"


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _first_difference(found: str, expected: str) -> str:
    """`line 12 is ..., expected ...`, and what to do."""
    old, new = found.splitlines(), expected.splitlines()
    at = next(
        (k for k, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]),
        min(len(old), len(new)),
    )
    lines = [repr(text[at].strip()) if at < len(text) else "the end" for text in (old, new)]
    return (
        f"line {at + 1} is {lines[0]}, but Snakemake's jobs and config/ give {lines[1]}; the file "
        "is rendered, so run `lynx ledger render` and commit the result"
    )
