"""`envs/<target>`: their shape, what PyPI says of their pins, and how they differ."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import tarfile
import tomllib
import urllib.request
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pip._internal.models.index import PyPI

from lynx.artifacts.conda_env import BUILT_HERE, render_conda_env, render_post_deploy
from lynx.artifacts.hashing import hash_file
from lynx.artifacts.lock import direct_requirements, read_pins
from lynx.config.gpu_targets import GPU_TARGETS, GpuTargetName

ROOT = Path(__file__).parents[2]
ENVS = ROOT / "envs"
TARGETS: tuple[GpuTargetName, ...] = get_args(GpuTargetName)
OF_GPUS = [name for name in TARGETS if name != "cpu"]
TORCH = ("torch", "torchaudio", "torchvision")
INDEX = PyPI.simple_url  # pip knows where PyPI is
PLATFORM = ["--python-version", "3.11", "--python-platform", "x86_64-unknown-linux-gnu"]


def conda_file(target: str) -> dict[str, Any]:
    data = yaml.safe_load((ENVS / f"{target}.yaml").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


def pip_section(target: str) -> list[str]:
    """The lines below `pip:`, of which there is one, in last place."""
    *packages, section = conda_file(target)["dependencies"]
    assert all(isinstance(package, str) for package in packages)
    assert list(section) == ["pip"]
    assert all(isinstance(line, str) for line in section["pip"])
    return list(section["pip"])


def all_pins(target: str) -> list[str]:
    """What conda's pip is asked for, and what is built against that afterwards."""
    pins = read_pins(ENVS / f"{target}.lock")
    built = [f"{BUILT_HERE}=={pins[BUILT_HERE]}"] if BUILT_HERE in pins else []
    return pip_section(target) + built


@pytest.fixture(scope="module")
def pypi() -> None:
    """Skips what asks PyPI where it cannot be reached."""
    try:
        urllib.request.urlopen(f"{INDEX}/pip/", timeout=20).close()
    except OSError as error:
        pytest.skip(f"PyPI cannot be reached, so nothing can be resolved: {error}")


def compile_pins(
    requirements: list[str], *options: str, folder: Path
) -> subprocess.CompletedProcess[str]:
    """What uv resolves for the targets' platform, from PyPI alone and without building anything."""
    source = folder / "wanted.in"
    source.write_text("\n".join(requirements) + "\n", encoding="utf-8")
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    command += ["--config-file", str(ENVS / "uv.toml"), "--default-index", INDEX, *PLATFORM]
    return subprocess.run(
        [*command, *options, str(source)], capture_output=True, text=True, check=False
    )


def test_every_target_has_its_files() -> None:
    assert set(GPU_TARGETS) == set(TARGETS)
    for ending in (".in", ".lock", ".yaml", ".post-deploy.sh"):
        found = {path.name.removesuffix(ending) for path in ENVS.glob(f"*{ending}")}
        assert found - {"bootstrap", "lmms", "runtime"} == set(TARGETS), ending
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"TARGETS := {' '.join(OF_GPUS)}\n" in makefile


@pytest.mark.parametrize("target", TARGETS)
def test_a_conda_file_pins_everything(target: str) -> None:
    data = conda_file(target)
    assert list(data) == ["name", "channels", "dependencies"]
    assert data["name"] == f"lynx-{target}"
    assert data["channels"] == ["conda-forge", "nodefaults"]
    python, *compiler, pip, _ = data["dependencies"]
    assert (python, pip) == ("python=3.11", "pip")
    assert all(re.fullmatch(r"cuda-[a-z-]+=12\.8", package) for package in compiler)
    assert bool(compiler) == (target == "a6000")
    lines = [Requirement(line) for line in pip_section(target)]
    assert len({line.name for line in lines}) == len(lines)
    for line in lines:
        assert not line.extras, line
        assert line.marker is None
        (pin,) = line.specifier
        assert pin.operator == "=="
        assert "*" not in pin.version


@pytest.mark.parametrize("target", TARGETS)
def test_a_conda_file_is_the_lock(target: str) -> None:
    source, lock = ENVS / f"{target}.in", ENVS / f"{target}.lock"
    text = (ENVS / f"{target}.yaml").read_text(encoding="utf-8")
    assert text == render_conda_env(source, lock), "run `make lock`"
    script = (ENVS / f"{target}.post-deploy.sh").read_text(encoding="utf-8")
    assert script == render_post_deploy(lock), "run `make lock`"
    pins = {f"{name}=={pinned}" for name, pinned in read_pins(lock).items()}
    assert set(all_pins(target)) <= pins
    assert {Requirement(pin).name for pin in all_pins(target)} == set(direct_requirements(source))
    assert set(direct_requirements(ENVS / "lmms.in")) <= set(read_pins(lock))


def test_conda_s_cpu_environment_is_that_of_make_demo() -> None:
    """`make demo` needs `setup`, which installs envs/cpu.lock and nothing else."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^demo: setup\b", makefile, re.MULTILINE)
    (installed,) = re.findall(r"uv pip sync .* (envs/\S+)$", makefile, re.MULTILINE)
    pins = {f"{name}=={pinned}" for name, pinned in read_pins(ROOT / installed).items()}
    assert installed == "envs/cpu.lock"
    assert set(pip_section("cpu")) <= pins
    assert f"-r {installed}" in (ENVS / "cpu.post-deploy.sh").read_text(encoding="utf-8")


@pytest.mark.parametrize("target", OF_GPUS)
def test_a_target_differs_from_cpu_in_cuda_alone(target: str) -> None:
    """So that a result's versions do not depend on the machine."""
    own, cpu = (read_pins(ENVS / f"{name}.lock") for name in (target, "cpu"))
    moved = {name for name in own if name in cpu and own[name] != cpu[name]}
    added = {name for name in own if name not in cpu}
    if target == "a6000":
        assert moved == {*TORCH, "cuda-bindings"}
        assert {name for name in added if not name.endswith("-cu12")} == {"flash-attn", "wheel"}
    else:
        assert not moved | added


@pytest.mark.parametrize("target", TARGETS)
def test_the_lock_brings_one_cuda(target: GpuTargetName) -> None:
    pins = read_pins(ENVS / f"{target}.lock")
    found = {
        name: pinned for name, pinned in pins.items() if name.startswith("nvidia-cuda-runtime")
    }
    (runtime,) = found.values()
    assert int(runtime.split(".")[0]) == GPU_TARGETS[target].cuda
    others = {"12": "-cu13", "13": "-cu12"}[str(GPU_TARGETS[target].cuda)]
    assert not [name for name in pins if name.endswith(others)]


@pytest.mark.parametrize("target", TARGETS)
def test_the_post_deploy_script_takes_the_lock_by_hash(target: str) -> None:
    script = (ENVS / f"{target}.post-deploy.sh").read_text(encoding="utf-8")
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    assert f"# sha256 {hash_file(ENVS / f'{target}.lock')}\n" in script
    first, last = re.findall(r"^python -m pip install (.*?)$", script.replace("\\\n  ", ""), re.M)
    assert first.split() == [
        "--quiet", "--no-deps", "--no-build-isolation", "--require-hashes", "-r",
        f"envs/{target}.lock",
    ]  # fmt: skip
    assert last.split()[-2:] == ["-e", "."]
    assert ("FLASH_ATTENTION_FORCE_BUILD=TRUE" in script) == (target == "a6000")


def test_what_the_build_without_isolation_needs_is_there_before() -> None:
    """flash-attn's set-up script imports these; pip would not bring them."""
    asked = {Requirement(line).name for line in pip_section("a6000")}
    assert {"torch", "setuptools", "wheel", "packaging", "psutil", "ninja"} <= asked
    assert BUILT_HERE not in asked


@pytest.mark.usefixtures("pypi")
@pytest.mark.parametrize("target", TARGETS)
def test_every_pin_resolves(target: GpuTargetName, tmp_path: Path) -> None:
    """Together, for Linux on x86_64 and Python 3.11; the CUDA of what comes is the target's."""
    result = compile_pins(all_pins(target), folder=tmp_path)
    assert result.returncode == 0, result.stderr
    resolved = dict(line.split("==") for line in result.stdout.split())
    for pin in map(Requirement, all_pins(target)):
        assert pin.specifier.contains(resolved[canonicalize_name(pin.name)])
    (runtime,) = (v for name, v in resolved.items() if name.startswith("nvidia-cuda-runtime"))
    assert int(runtime.split(".")[0]) == GPU_TARGETS[target].cuda


@pytest.mark.usefixtures("pypi")
@pytest.mark.parametrize("target", TARGETS)
def test_every_pin_of_the_lock_is_on_pypi_with_its_hashes(target: str, tmp_path: Path) -> None:
    pins = [f"{name}=={pinned}" for name, pinned in read_pins(ENVS / f"{target}.lock").items()]
    result = compile_pins(pins, "--no-deps", "--generate-hashes", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    published = hashes(result.stdout)
    locked = hashes((ENVS / f"{target}.lock").read_text(encoding="utf-8"))
    assert set(locked) == set(published) == set(pins)
    for pin in pins:
        assert locked[pin] <= published[pin], pin  # wheels may have been added since


def hashes(text: str) -> dict[str, set[str]]:
    """The hashes of each pin."""
    found: dict[str, set[str]] = {}
    pin = ""
    for line in text.splitlines():
        if match := re.match(r"([a-z0-9][\w.-]*==[\w.+]+)", line):
            pin = match[1]
        found.setdefault(pin, set()).update(re.findall(r"--hash=(sha256:[0-9a-f]{64})", line))
    found.pop("", None)
    return found


@pytest.mark.parametrize("target", TARGETS)
def test_audio_is_of_torch_s_own_release(target: str) -> None:
    """torchaudio 2.11 says nothing of the torch that its wheel links against, so this does."""
    pins = read_pins(ENVS / f"{target}.lock")
    assert pins["torchaudio"] == pins["torch"]


@pytest.mark.usefixtures("pypi")
@pytest.mark.parametrize(
    ("package", "target", "other"),
    [
        ("torchvision", "a6000", "blackwell"),
        ("torchvision", "blackwell", "a6000"),
        ("torchaudio", "a6000", "blackwell"),
    ],
)
def test_the_torch_of_another_target_does_not_fit(
    package: str, target: str, other: str, tmp_path: Path
) -> None:
    """The packages' own metadata decides: what is refused here would be refused in a YAML."""
    own, foreign = (read_pins(ENVS / f"{name}.lock") for name in (target, other))
    pair = [f"{package}=={own[package]}", f"torch=={foreign['torch']}"]
    refused = compile_pins(pair, folder=tmp_path)
    assert refused.returncode != 0
    assert f"{pair[0]} depends on torch=={own['torch']}" in " ".join(refused.stderr.split())


@pytest.mark.usefixtures("pypi")
def test_a_version_that_is_not_published_does_not_resolve(tmp_path: Path) -> None:
    """Static metadata stands in for a build, not for the package."""
    result = compile_pins(["flash-attn==9.9.9"], folder=tmp_path)
    assert result.returncode != 0
    assert "there is no version of flash-attn==9.9.9" in result.stderr


def static_metadata() -> dict[str, set[Requirement]]:
    """What envs/uv.toml says that the packages without wheels require."""
    entries = tomllib.loads((ENVS / "uv.toml").read_text(encoding="utf-8"))["dependency-metadata"]
    return {entry["name"]: set(map(Requirement, entry["requires-dist"])) for entry in entries}


def without_extras(found: list[str]) -> set[Requirement]:
    return {item for item in map(Requirement, found) if "extra" not in str(item.marker)}


def test_static_metadata_of_deepspeed_is_what_is_installed() -> None:
    assert set(static_metadata()) == {"deepspeed", "flash-attn"}
    assert version("deepspeed") == read_pins(ENVS / "cpu.lock")["deepspeed"]
    assert static_metadata()["deepspeed"] == without_extras(requires("deepspeed") or [])


@pytest.mark.usefixtures("pypi")
def test_static_metadata_of_flash_attn_is_that_of_its_source() -> None:
    """Its locked source is fetched (8 MB), checked against the lock's hash, and read."""
    pinned = read_pins(ENVS / "a6000.lock")["flash-attn"]
    page = urllib.request.urlopen(f"{INDEX}/flash-attn/", timeout=60).read().decode()
    (address,) = re.findall(rf'href="([^"#]+flash_attn-{re.escape(pinned)}\.tar\.gz)[#"]', page)
    source = urllib.request.urlopen(address, timeout=300).read()
    digest = f"sha256:{hashlib.sha256(source).hexdigest()}"
    locked = hashes((ENVS / "a6000.lock").read_text(encoding="utf-8"))
    assert locked[f"flash-attn=={pinned}"] == {digest}
    with tarfile.open(fileobj=io.BytesIO(source)) as archive:
        stream = archive.extractfile(f"flash_attn-{pinned}/PKG-INFO")
        assert stream is not None
        lines = stream.read().decode().splitlines()
    said = [line.removeprefix("Requires-Dist: ") for line in lines if "Requires-Dist: " in line]
    assert static_metadata()["flash-attn"] == without_extras(said)
