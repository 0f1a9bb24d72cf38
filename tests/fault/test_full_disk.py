"""A full or broken disk while state is written: one sentence, and the next run goes on from there.

The same for artefacts is in test_publishing.py.
"""

from __future__ import annotations

import errno
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from lynx.artifacts.publish import append_flushed
from lynx.artifacts.state import LOCK_NAME, exclusive_state
from lynx.errors import InputError
from lynx.training.loop import run_training
from tests.fault.disk_faults import refusing, struck
from tests.fault.test_damaged_state import answered
from tests.fault.test_killed_checkpoints import LAST, go, short_run, weights
from tests.project_copy import environment

FAULTS = [(errno.ENOSPC, "No space left on device"), (errno.EIO, "Input/output error")]
REMEDY = "free space or mend the disk and run the same command again"
KEPT = "the state before it is whole"


@pytest.mark.parametrize(("code", "reason"), FAULTS, ids=["full", "broken"])
def test_training_goes_on_when_the_disk_is_well_again(
    tmp_path: Path, code: int, reason: str
) -> None:
    """Refused at each open, half of a write, flush, folder and rename of four checkpoints."""
    undisturbed = short_run()
    (tmp_path / "whole").mkdir()
    records = run_training(undisturbed, tmp_path / "whole")
    told = set()
    for at in range(1, LAST):
        state = tmp_path / f"at-{at}"
        state.mkdir()
        said = struck(partial(go, state), state, at, refusing(code))
        if said == "done":
            break
        found = re.fullmatch(
            rf"{re.escape(str(state))}/(log\.jsonl|step-0000000[1-4]): "
            rf"(not saved, {reason}; {KEPT}|not published, {reason}; nothing was lost): {REMEDY}",
            said,
        )
        assert found, said
        told.add(found[1])
        run = short_run()
        assert run_training(run, state) == records
        assert weights(run) == weights(undisturbed)
    else:
        raise AssertionError(f"more than {LAST} changes")
    assert told == {"log.jsonl", *(f"step-0000000{step}" for step in range(1, 5))}


def test_a_checkpoint_that_found_no_room_leaves_it_to_others(tmp_path: Path) -> None:
    """Half a checkpoint of a large adapter would keep the disk full."""
    for at in range(1, 19):  # up to the rename and the flush behind it
        state = tmp_path / f"at-{at}"
        state.mkdir()
        struck(partial(go, state), state, at, refusing(errno.ENOSPC))
        assert {path.name for path in state.iterdir()} <= {"log.jsonl", "step-00000001"}


def answer(state: Path) -> None:
    answered(state)


@pytest.mark.parametrize(("code", "reason"), FAULTS, ids=["full", "broken"])
def test_answers(tmp_path: Path, code: int, reason: str) -> None:
    (tmp_path / "whole").mkdir()
    whole, _ = answered(tmp_path / "whole")
    for at in range(1, LAST):
        state = tmp_path / f"at-{at}"
        state.mkdir()
        said = struck(partial(answer, state), state, at, refusing(code))
        if said == "done":
            break
        assert said == f"{state}/answers.jsonl: not saved, {reason}; {KEPT}: {REMEDY}"
        found, asked = answered(state)
        assert found == whole
        assert asked == 5 - at // 3, "an open, a write and a flush for each"
    assert at == 16


@pytest.mark.parametrize("at", [1, 2, 3])
def test_the_lock(tmp_path: Path, at: int) -> None:
    """The folder of the state, its lock file, and the name of the holder in it."""
    work = tmp_path / "work"

    def hold() -> None:
        with exclusive_state(work, "sft", "name"):
            pass

    work.mkdir()
    said = struck(hold, work, at, refusing(errno.ENOSPC))
    path = work / "sft-name" / LOCK_NAME
    assert said == f"{path}: not saved, No space left on device; {KEPT}: {REMEDY}"
    hold()


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="a device of Linux")
def test_the_kernel_itself() -> None:
    """What closes the file after a refused flush is refused as well."""
    with pytest.raises(InputError) as caught:
        append_flushed(Path("/dev/full"), "a line\n")
    assert str(caught.value) == f"/dev/full: not saved, No space left on device; {KEPT}: {REMEDY}"


ON_A_SMALL_DISK = """
import subprocess, sys
from pathlib import Path
from lynx.errors import InputError
from lynx.training.loop import run_training
from tests.fault.test_killed_checkpoints import short_run

disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12k", "tmpfs", disk], check=True)
try:
    run_training(short_run(), disk)
except InputError as error:
    print(error)
subprocess.run(["mount", "-o", "remount,size=1m", disk], check=True)
print(sorted(path.name for path in disk.glob("step-*")))
print(run_training(short_run(), disk))
"""
ALONE = ("unshare", "--mount")
"""Mounts of the process end with it, and no other process sees them."""


def may_mount() -> bool:
    try:
        return subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not may_mount(), reason="mounting takes a privileged user")
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """What safetensors itself does and says then."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        [*ALONE, sys.executable, "-c", ON_A_SMALL_DISK, str(disk)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said, saved, records = done.stdout.splitlines()
    assert re.fullmatch(
        rf"{re.escape(str(disk))}/step-00000002: not saved, No space left on device; "
        rf"{KEPT}: {REMEDY}",
        said,
    ), said
    assert saved == "['step-00000001']"
    (tmp_path / "whole").mkdir()
    assert records == str(run_training(short_run(), tmp_path / "whole"))
    assert list(disk.iterdir()) == []
