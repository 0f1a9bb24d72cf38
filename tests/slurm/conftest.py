"""The cluster that the tests of this folder share."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, NoSlurmError


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running one; the tests are skipped, with the reason, where none can be started."""
    # Not below pytest's folders: the path of a socket may have 107 letters at most.
    found = Cluster(Path(tempfile.mkdtemp(prefix="lynx-slurm-")))
    try:
        yield found.up()
    except NoSlurmError as reason:
        pytest.skip(str(reason))
    finally:
        found.down()
        shutil.rmtree(found.folder)
