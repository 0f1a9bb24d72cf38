"""`envs/<target>.yaml`: the conda form of a locked environment, written by `make lock`.

    python -m lynx.artifacts.conda_env envs/cpu.in envs/cpu.lock envs

conda gives Python, and a CUDA compiler where something is compiled; every package comes from PyPI
at the version of the lock, so that both ways into an environment end at the same packages. What the
YAML asks for, pip resolves. It knows no overrides (`envs/lmms.in`) and builds a package apart from
the others, which one that needs torch for it cannot stand; so the rest of the lock comes afterwards
by `envs/<target>.post-deploy.sh`, which Snakemake runs in a new environment.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lynx.artifacts.hashing import hash_file
from lynx.artifacts.lock import direct_requirements, read_pins
from lynx.errors import InputError

PYTHON = "3.11"
BUILT_HERE = "flash-attn"
"""Compiled in the finished environment, because its set-up script imports torch."""
COMPILER = ("cuda-version=12.8", "cuda-nvcc=12.8", "cuda-libraries-dev=12.8")
"""What compiles it: conda-forge's CUDA of the torch that envs/a6000.in pins. It brings g++."""


def render_conda_env(source: Path, lock: Path) -> str:
    """The YAML text: Python, then the direct requirements of `source` at the versions of `lock`.

    Raises `InputError` if a direct requirement is not in the lock.
    """
    pins = read_pins(lock)
    names = sorted(set(direct_requirements(source)))
    absent = [name for name in names if name not in pins]
    if absent:
        raise InputError(f"{lock}: {absent[0]} of {source} is not in it; run `make lock`")
    built = BUILT_HERE in names
    lines = [
        "# Written by `make lock` from the requirements and the lock; change those, not this file.",
        f"name: lynx-{source.stem}",
        "channels:",
        "  - conda-forge",
        "  - nodefaults",
        "dependencies:",
        f"  - python={PYTHON}",
        *(f"  - {package}" for package in COMPILER if built),
        "  - pip",
        "  - pip:",
        *(f"      - {name}=={pins[name]}" for name in names if name != BUILT_HERE),
    ]
    if built:
        lines.append(
            f"      # {BUILT_HERE}=={pins[BUILT_HERE]} comes with {source.stem}.post-deploy.sh: it "
            "is built against this torch."
        )
    return "\n".join(lines) + "\n"


def render_post_deploy(lock: Path) -> str:
    """The script that brings an environment made from the YAML to exactly the lock.

    Raises `InputError` if the lock is missing or holds something that is no pin.
    """
    built = BUILT_HERE in read_pins(lock)
    lines = [
        "#!/usr/bin/env bash",
        "# Written by `make lock` from the lock. Snakemake runs it in a new conda environment and",
        "# in the project's folder; after `conda env create` run it there by hand, with that",
        "# environment active. A changed lock changes this file, and so makes a new environment:",
        f"# sha256 {hash_file(lock)}",
        "set -euo pipefail",
        *(_compiling() if built else ()),
        "# Without build isolation: what comes as source is built with the packages that are here.",
        "python -m pip install --quiet --no-deps --no-build-isolation --require-hashes \\",
        f"  -r envs/{lock.name}",
        "# The project itself, or the rules would find the `lynx` of another environment.",
        "python -m pip install --quiet --no-deps --no-build-isolation -e .",
    ]
    return "\n".join(lines) + "\n"


def _compiling() -> list[str]:
    """The settings under which flash-attn's set-up script compiles the locked source."""
    return [
        f"# {BUILT_HERE}: compiled from the locked source, not fetched as a binary that no hash is",
        "# known of; for sm_80, whose code the A6000 (sm_86) runs. Minutes on many cores, and 9 GB",
        "# of memory for each job; MAX_JOBS limits them.",
        "export FLASH_ATTENTION_FORCE_BUILD=TRUE FLASH_ATTN_CUDA_ARCHS=80",
        'export CUDA_HOME="$CONDA_PREFIX"',
        'export CUDA_INC_PATH="$CONDA_PREFIX/targets/x86_64-linux/include"',
    ]


def main() -> int:
    """Write both files for the paths on the command line; 2 and a sentence for wrong input."""
    try:
        source, lock, folder = (Path(argument) for argument in sys.argv[1:])
        texts = {
            ".yaml": render_conda_env(source, lock),
            ".post-deploy.sh": render_post_deploy(lock),
        }
        for ending, text in texts.items():
            (folder / f"{source.stem}{ending}").write_text(text, encoding="utf-8")
    except ValueError:
        print("usage: python -m lynx.artifacts.conda_env REQUIREMENTS LOCK FOLDER", file=sys.stderr)
        return 2
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
