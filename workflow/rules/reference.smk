from lynx.config.inputs import base_inputs, reference_inputs


rule base:
    input:
        lambda w: base_inputs(CONFIG.at(w)),
    output:
        "runs/{scale}/base/manifest.json",
    log:
        "logs/{scale}/base.log",
    conda:
        CONFIG.environment
    resources:
        mem_mb=lambda w, attempt: 1000 * attempt,
        runtime=lambda w, attempt: 30 * attempt,
    params:
        options=CONFIG.options,
        base=lambda w: CONFIG.at(w).scale.base,
        version=STAGE_VERSIONS["base"],
    shell:
        "lynx --log {log} base {params.options}"


rule reference:
    input:
        lambda w: reference_inputs(CONFIG.at(w), w.group),
    output:
        "runs/{scale}/reference/{group}/manifest.json",
    log:
        "logs/{scale}/reference-{group}.log",
    # What most other jobs wait for goes first.
    priority: 2
    conda:
        CONFIG.environment
    threads: CONFIG.experiment.site.threads
    resources:
        mem_mb=CONFIG.memory,
        gpu=CONFIG.gpus,
        gpu_model=CONFIG.gpu_model,
        runtime=lambda w, attempt: 120 * attempt,
    params:
        options=CONFIG.options,
        slice=lambda w: slice_of("reference", CONFIG.at(w), w.group),
        version=STAGE_VERSIONS["reference"],
    shell:
        "lynx --log {log} reference --group {wildcards.group} {params.options}"
