#!/usr/bin/env bash
# Written by `make lock` from the lock. Snakemake runs it in a new conda environment and
# in the project's folder; after `conda env create` run it there by hand, with that
# environment active. A changed lock changes this file, and so makes a new environment:
# sha256 9bc9f7108e67d29871b83a951aa99113321397d93766c2831359f4d7ce8a20f5
set -euo pipefail
# flash-attn: compiled from the locked source, not fetched as a binary that no hash is
# known of; for sm_80, whose code the A6000 (sm_86) runs. Minutes on many cores, and 9 GB
# of memory for each job; MAX_JOBS limits them.
export FLASH_ATTENTION_FORCE_BUILD=TRUE FLASH_ATTN_CUDA_ARCHS=80
export CUDA_HOME="$CONDA_PREFIX"
export CUDA_INC_PATH="$CONDA_PREFIX/targets/x86_64-linux/include"
# Without build isolation: what comes as source is built with the packages that are here.
python -m pip install --quiet --no-deps --no-build-isolation --require-hashes \
  -r envs/a6000.lock
# The project itself, or the rules would find the `lynx` of another environment.
python -m pip install --quiet --no-deps --no-build-isolation -e .
