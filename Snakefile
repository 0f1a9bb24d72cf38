"""LynX: raw downloads to scores. Configuration is read and checked before the DAG is built."""

import sys
from pathlib import Path

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT))

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


from lynx import controller
from lynx.artifacts.stages import STAGE_VERSIONS
from lynx.config.workflow import WorkflowConfig

CONFIG = WorkflowConfig.load(workflow.configfiles, config, Path())

# The command takes the place of its shell, which SIGTERM would end while the command still saves.
shell.prefix("exec ")

if workflow.is_main_process:
    controller.enter(Path())


onstart:
    controller.sign(Path(), to_slurm=not workflow.local_exec)


onsuccess:
    if workflow.is_main_process and not workflow.touch:
        # Every start of Snakemake would wait for it, those of a cluster's jobs too.
        from lynx.ledger.record import record_run

        record_run(Path(), workflow.dag)


wildcard_constraints:
    scale=CONFIG.scale_names,
    benchmark=CONFIG.benchmark_names,
    variant=CONFIG.variant_names,
    world=CONFIG.world_names,
    group="[a-z0-9_]+",
    name="[a-z0-9_-]+",
    split="[a-z_]+",
    stream="video|aligned|plain",
    seed=r"\d+",


rule all:
    input:
        CONFIG.headlines(),


rule experiments:
    input:
        CONFIG.seed_tables(),
        CONFIG.training_curves(),


rule analyses:
    input:
        CONFIG.analyses(),


rule tables:
    input:
        CONFIG.paper_tables(),
        CONFIG.figures(),
        "results/report.html",


include: "workflow/rules/data.smk"
include: "workflow/rules/reference.smk"
include: "workflow/rules/measures.smk"
include: "workflow/rules/align.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/sft.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/curves.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/targets.smk"
