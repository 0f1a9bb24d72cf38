#!/usr/bin/env bash
# Written by `make lock` from the lock. Snakemake runs it in a new conda environment and
# in the project's folder; after `conda env create` run it there by hand, with that
# environment active. A changed lock changes this file, and so makes a new environment:
# sha256 aa2cb59b9026f244ed2303ff4e8dd5f0cc5e877861ceecdfea77b9c34b7632e9
set -euo pipefail
# Without build isolation: what comes as source is built with the packages that are here.
python -m pip install --quiet --no-deps --no-build-isolation --require-hashes \
  -r envs/cpu.lock
# The project itself, or the rules would find the `lynx` of another environment.
python -m pip install --quiet --no-deps --no-build-isolation -e .
