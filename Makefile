# Everything is called with paths relative to this folder, so its own path may hold spaces.
# Two stamps in .venv, named by what decided them: moving the folder makes the environment anew,
# a changed lock or pyproject.toml brings it up to date, an equal one costs nothing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
MADE := .venv/.made-$(shell { pwd; cat envs/bootstrap.lock; } | cksum | cut -d ' ' -f 1)
SYNCED := .venv/.synced-$(shell cat envs/cpu.lock envs/runtime.in pyproject.toml | cksum | cut -d ' ' -f 1)
COMPILE := $(BIN)/uv pip compile -q --config-file envs/uv.toml --python-version 3.11 \
  --python-platform x86_64-unknown-linux-gnu --generate-hashes --no-emit-index-url --no-header
# Environments for GPUs (docs/environments.md): cpu.lock with another CUDA, without the tools.
TARGETS := a6000 blackwell
SNAKEMAKE := $(BIN)/snakemake --profile profiles/local
SNAKEFILES := Snakefile workflow
LMMS := videomme mvbench mlvu
# Tools that talk on success are heard only when they fail.
quietly = said="$$($(1) 2>&1)" || { echo "$$said" >&2; exit 1; }

# The rules call `lynx` by name.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup demo test lint types format lock snapshot base bench clean

help:  ## print this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 18

setup: $(SYNCED)  ## make .venv: exactly the packages of envs/cpu.lock, and this project
	@:

$(MADE):
	@for name in python3.11 python3; do \
	  if "$$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2> /dev/null; then \
	    python="$$name"; break; \
	  fi; \
	done; \
	if [ -z "$${python:-}" ]; then \
	  echo "Neither python3.11 nor python3 is Python 3.11; install it (for instance with" \
	    "apt, pyenv or conda), put it on PATH and run make again." >&2; \
	  exit 1; \
	fi; \
	echo "setup: a new .venv with $$("$$python" --version)"; \
	"$$python" -m venv --clear .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r envs/bootstrap.lock
	@touch $@

# The project itself is installed editable with the setuptools of the lock: no network, no build
# isolation; what it adds is the `lynx` command and the metadata that manifests record.
$(SYNCED): $(MADE)
	@echo "setup: the packages of envs/cpu.lock (about 7 GB when they are new)"
	@rm -f .venv/.synced-*
	@$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes --compile-bytecode envs/cpu.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --offline --no-deps --no-build-isolation -e .
	@touch $@

demo: setup  ## the whole chain on the embedded world; prints the ScanQA table
	@$(SNAKEMAKE) -- results/scanqa/metrics.json
	@$(BIN)/lynx table scanqa

# Whole files go to the two workers, so that a file's own fixtures are made once; a core for each.
test: setup  ## every check; pytest's closing line comes last
	@$(MAKE) --jobs=2 --output-sync lint types
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: setup  ## style of Python and Snakemake files
	@$(BIN)/ruff check --quiet --output-format concise
	@$(BIN)/ruff format --check --quiet || { echo "ruff format: run \`make format\`" >&2; exit 1; }
	@$(call quietly,$(BIN)/snakefmt --check $(SNAKEFILES))
	@$(call quietly,$(SNAKEMAKE) --lint)
	@$(BIN)/lynx ledger render --check
	@$(BIN)/python -m lynx.artifacts.stage_code --check

types: setup  ## mypy, strict
	@$(BIN)/mypy --no-error-summary

format: setup  ## rewrite Python and Snakemake files in the project's style
	@$(BIN)/ruff check --quiet --fix-only
	@$(BIN)/ruff format --quiet
	@$(call quietly,$(BIN)/snakefmt $(SNAKEFILES))

# uv keeps the versions that it finds in the file that it writes, so a target starts from cpu.lock
# and differs from it only where it must.
lock: setup  ## resolve envs/*.in again, keeping versions that still fit, and write the conda form
	@$(COMPILE) envs/bootstrap.in -o envs/bootstrap.lock
	@for name in cpu $(TARGETS); do \
	  [ $$name = cpu ] || cp envs/cpu.lock envs/$$name.lock; \
	  $(COMPILE) envs/$$name.in envs/lmms.in --override envs/lmms-overrides.txt -o envs/$$name.lock; \
	  $(BIN)/python -m lynx.artifacts.conda_env envs/$$name.in envs/$$name.lock envs; \
	done

snapshot: setup  ## run all of the demo over its seeds and renew docs/demo/results
	@$(SNAKEMAKE) -- all experiments analyses
	@$(SNAKEMAKE) -- $(LMMS:%=results/demo/lynx/%/seed0/lmms_eval.json)
	@$(SNAKEMAKE) -- samples
	@$(SNAKEMAKE) -- tables
	@rm -rf docs/demo/results && mkdir -p docs/demo
	@cp -R results docs/demo/results
	@rm docs/demo/results/README.md docs/demo/results/figures/*-samples.pdf

base: setup  ## train models/demo again from the embedded world (about an hour on one core)
	@$(BIN)/lynx train-base --target models/demo

bench: setup  ## time and weigh every stage beside a plain implementation (minutes)
	@$(BIN)/python -m benchmarks.run

clean:  ## remove caches; results, runs, work, models and .venv stay
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis build lynx.egg-info
	@find lynx benchmarks tests -type d -name __pycache__ -prune -exec rm -rf {} +
