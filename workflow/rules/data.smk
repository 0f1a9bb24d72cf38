from lynx.config.inputs import data_inputs, frames_inputs
from lynx.config.workflow import slice_of


# Jobs of several threads come first: later on they would wait for both cores of a small machine to
# be free at once, with one of them idle.
rule world:
    output:
        "runs/{scale}/world/{world}/manifest.json",
    log:
        "logs/{scale}/world-{world}.log",
    priority: 4
    conda:
        CONFIG.environment
    threads: CONFIG.experiment.site.workers
    resources:
        mem_mb=lambda w, attempt: 1500 * attempt,
        runtime=lambda w, attempt: 30 * attempt,
    params:
        options=CONFIG.options,
        slice=lambda w: slice_of("world", CONFIG.at(w), w.world),
        version=STAGE_VERSIONS["world"],
    shell:
        "lynx --log {log} world --name {wildcards.world} {params.options}"


rule data:
    input:
        lambda w: data_inputs(CONFIG.at(w), w.benchmark),
    output:
        "runs/{scale}/data/{benchmark}/manifest.json",
    log:
        "logs/{scale}/data-{benchmark}.log",
    priority: 3
    conda:
        CONFIG.environment
    resources:
        mem_mb=lambda w, attempt: 1000 * attempt,
        runtime=lambda w, attempt: 30 * attempt,
    params:
        options=CONFIG.options,
        slice=lambda w: slice_of("data", CONFIG.at(w), w.benchmark),
        version=STAGE_VERSIONS["data"],
    shell:
        "lynx --log {log} data --benchmark {wildcards.benchmark} {params.options}"


rule frames:
    input:
        lambda w: frames_inputs(CONFIG.at(w), w.group),
    output:
        "runs/{scale}/frames/{group}/manifest.json",
    log:
        "logs/{scale}/frames-{group}.log",
    priority: 3
    conda:
        CONFIG.environment
    threads: CONFIG.experiment.site.workers
    resources:
        mem_mb=lambda w, attempt: 2000 * attempt,
        runtime=lambda w, attempt: 240 * attempt,
    params:
        options=CONFIG.options,
        slice=lambda w: slice_of("frames", CONFIG.at(w), w.group),
        version=STAGE_VERSIONS["frames"],
    shell:
        "lynx --log {log} frames --group {wildcards.group} {params.options}"
