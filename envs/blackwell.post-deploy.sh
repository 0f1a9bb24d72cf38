#!/usr/bin/env bash
# Written by `make lock` from the lock. Snakemake runs it in a new conda environment and
# in the project's folder; after `conda env create` run it there by hand, with that
# environment active. A changed lock changes this file, and so makes a new environment:
# sha256 ab1bc3f3f66ab321aa4064a54052f9791e95af163b780e7d5223fa01ecc916fc
set -euo pipefail
# Without build isolation: what comes as source is built with the packages that are here.
python -m pip install --quiet --no-deps --no-build-isolation --require-hashes \
  -r envs/blackwell.lock
# The project itself, or the rules would find the `lynx` of another environment.
python -m pip install --quiet --no-deps --no-build-isolation -e .
