"""`lynx --log`: what a job prints is kept for each of its attempts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command_line import call
from tests.project_copy import ROOT, environment


def lynx(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lynx.cli", "--log", "logs/job.log", *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_attempt_has_its_log(tmp_path: Path) -> None:
    failed = lynx(tmp_path, "verify", "nowhere")
    assert failed.returncode == 2
    sentence = (tmp_path / "logs/job.1.log").read_text(encoding="utf-8")
    assert sentence.startswith("lynx: the log of this attempt is logs/job.1.log\nlynx: nowhere")
    assert failed.stdout + failed.stderr == sentence
    done = lynx(tmp_path, "schema", "--folder", "schema")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    logs = tmp_path / "logs"
    assert sorted(path.name for path in logs.iterdir()) == ["job.1.log", "job.2.log", "job.log"]
    assert (logs / "job.log").readlink() == Path("job.2.log")
    assert (logs / "job.1.log").read_text(encoding="utf-8") == sentence


def test_a_log_that_cannot_be_one_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "logs/job.log").mkdir(parents=True)
    refused = lynx(tmp_path, "schema", "--folder", "schema")
    assert (refused.returncode, refused.stdout, refused.stderr) == (
        2,
        "",
        "lynx: --log logs/job.log: found a folder, expected a file or nothing; name a file in it, "
        "such as logs/job.log/lynx.log\n",
    )
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["job.log"]
    (tmp_path / "logs/job.log").rmdir()
    (tmp_path / "logs").rmdir()
    (tmp_path / "logs").write_text("mine", encoding="utf-8")
    refused = lynx(tmp_path, "schema", "--folder", "schema")
    assert (refused.returncode, refused.stderr) == (
        2,
        "lynx: --log logs/job.log: found a file in the place of its folder, expected a folder or "
        "nothing; name another file\n",
    )


def test_no_network_whatever_the_shell_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("HF_HUB_OFFLINE", "TOKENIZERS_PARALLELISM"):
        monkeypatch.setenv(name, "0")
    call(monkeypatch, capsys, "schema", "--folder", str(tmp_path / "schema"))
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    assert os.environ["TOKENIZERS_PARALLELISM"] == "false"


CRASH = """
import sys
import time
from pathlib import Path
from lynx.attempt_log import attempt_log
with attempt_log(Path("logs/job.log")):
    print("to stdout", flush=True)
    print("to stderr", file=sys.stderr, flush=True)
    import subprocess
    subprocess.run([sys.executable, "-c", "print('from a child')"])
    {end}
"""


def test_a_killed_attempt_keeps_what_it_said(tmp_path: Path) -> None:
    code = CRASH.format(end="import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), check=False
    )
    assert process.returncode == -signal.SIGKILL
    text = "to stdout\nto stderr\nfrom a child\n"
    log, deadline = tmp_path / "logs/job.1.log", time.monotonic() + 10
    while log.read_text(encoding="utf-8") != text and time.monotonic() < deadline:
        time.sleep(0.05)  # the copier outlives the attempt by a moment
    assert log.read_text(encoding="utf-8") == text


ASKED = """
import signal
import time
from pathlib import Path
from lynx.attempt_log import attempt_log
def save(*_):
    time.sleep(0.5)  # whoever else was signalled has ended by now
    print("saved", flush=True)
    raise SystemExit(143)
with attempt_log(Path("logs/job.log")):
    signal.signal(signal.SIGTERM, save)
    print("begun", flush=True)
    time.sleep(60)
"""


def test_a_signal_to_all_processes_of_a_job_does_not_end_its_log(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ASKED],
        cwd=tmp_path,
        env=environment(),
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    assert (tmp_path / "logs/job.1.log").read_text(encoding="utf-8") == "begun\nsaved\n"


def test_a_pool_of_processes_does_not_keep_the_log_open(tmp_path: Path) -> None:
    """Python's resource tracker holds what it inherited until this process ends."""
    (tmp_path / "pool.py").write_text(
        "import multiprocessing\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "from pathlib import Path\n"
        "from lynx.attempt_log import attempt_log\n"
        "if __name__ == '__main__':\n"
        "    with attempt_log(Path('logs/job.log')):\n"
        "        context = multiprocessing.get_context('spawn')\n"
        "        with ProcessPoolExecutor(1, mp_context=context) as pool:\n"
        "            list(pool.map(print, ['from a worker']))\n"
        "        print('last line')\n"
    )
    process = subprocess.run(
        [sys.executable, "pool.py"], cwd=tmp_path, env=environment(), check=False, timeout=60
    )
    assert process.returncode == 0
    log = (tmp_path / "logs/job.log").read_text(encoding="utf-8")
    assert log == "from a worker\nlast line\n"


def test_a_fault_of_the_program_stands_in_the_log(tmp_path: Path) -> None:
    code = (
        "import sys; from lynx import cli\n"
        "@cli.app.command()\n"
        "def broken() -> None:\n    raise RuntimeError('not foreseen')\n"
        "sys.argv = ['lynx', '--log', 'logs/job.log', 'broken']; cli.main()"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    log = (tmp_path / "logs/job.log").read_text(encoding="utf-8")
    assert log.endswith("RuntimeError: not foreseen\n")
    assert process.stdout + process.stderr == log


def test_rules_are_one_command() -> None:
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        text = path.read_text(encoding="utf-8")
        assert "tee" not in text
        assert text.count('"lynx --log {log} ') == text.count('"lynx '), path.name
        assert text.count("    log:\n") >= text.count('"lynx '), path.name
