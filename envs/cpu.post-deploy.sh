#!/usr/bin/env bash
# Written by `make lock` from the lock. Snakemake runs it in a new conda environment and
# in the project's folder; after `conda env create` run it there by hand, with that
# environment active. A changed lock changes this file, and so makes a new environment:
# sha256 7a2fb47d4f3cbc35ad31629c91f3974ba3bd14a1daee51b97a9b7995e21676ac
set -euo pipefail
# Without build isolation: what comes as source is built with the packages that are here.
python -m pip install --quiet --no-deps --no-build-isolation --require-hashes \
  -r envs/cpu.lock
# The project itself, or the rules would find the `lynx` of another environment.
python -m pip install --quiet --no-deps --no-build-isolation -e .
