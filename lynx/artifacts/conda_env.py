"""`envs/cpu.yaml`: the conda form of the locked environment, written by `make lock`.

    python -m lynx.artifacts.conda_env envs/cpu.in envs/cpu.lock envs

conda gives Python alone; every package comes from PyPI at the version of the lock, so that both
ways into the environment end at the same packages. What the YAML asks for, pip resolves; it knows
no overrides, so packages that the lock holds against another one's wishes (`envs/lmms.in`) come
afterwards, without a resolution: Snakemake runs `envs/cpu.post-deploy.sh` in a new environment.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lynx.artifacts.lock import direct_requirements, read_pins
from lynx.errors import InputError

PYTHON = "3.11"


def render_conda_env(source: Path, lock: Path) -> str:
    """The YAML text: Python, then the direct requirements of `source` at the versions of `lock`.

    Raises `InputError` if a direct requirement is not in the lock.
    """
    pins = read_pins(lock)
    names = sorted(set(direct_requirements(source)))
    absent = [name for name in names if name not in pins]
    if absent:
        raise InputError(f"{lock}: {absent[0]} of {source} is not in it; run `make lock`")
    lines = [
        "# Written by `make lock` from the requirements and the lock; change those, not this file.",
        f"name: lynx-{source.stem}",
        "channels:",
        "  - conda-forge",
        "  - nodefaults",
        "dependencies:",
        f"  - python={PYTHON}",
        "  - pip",
        "  - pip:",
        *(f"      - {name}=={pins[name]}" for name in names),
    ]
    return "\n".join(lines) + "\n"


def render_post_deploy(lock: Path) -> str:
    """The script that brings an environment made from the YAML to exactly the lock.

    Raises `InputError` if the lock is missing or holds something that is no pin.
    """
    pins = [f"{name}=={version}" for name, version in read_pins(lock).items()]
    return (
        "#!/usr/bin/env bash\n"
        "# Written by `make lock` from the lock. Snakemake runs it in a new conda environment;\n"
        "# after `conda env create` run it by hand, with that environment active.\n"
        "set -euo pipefail\n"
        "python -m pip install --quiet --no-deps \\\n  " + " \\\n  ".join(pins) + "\n"
    )


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
