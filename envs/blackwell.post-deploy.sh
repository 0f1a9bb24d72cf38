#!/usr/bin/env bash
# Written by `make lock` from the lock. Snakemake runs it in a new conda environment and
# in the project's folder; after `conda env create` run it there by hand, with that
# environment active. A changed lock changes this file, and so makes a new environment:
# sha256 82e3fb60e619789c4c0802c3b6a9b2324e16b449113803eac28f00830a50b9aa
set -euo pipefail
# Without build isolation: what comes as source is built with the packages that are here.
python -m pip install --quiet --no-deps --no-build-isolation --require-hashes \
  -r envs/blackwell.lock
# The project itself, or the rules would find the `lynx` of another environment.
python -m pip install --quiet --no-deps --no-build-isolation -e .
