from lynx.config.workflow import base_inputs, reference_inputs


rule base:
    input:
        lambda w: base_inputs(CONFIG.at(w)),
    output:
        "runs/{scale}/base/manifest.json",
    log:
        "logs/{scale}/base.log",
    params:
        options=CONFIG.options,
        base=lambda w: CONFIG.at(w).scale.base,
        version=STAGE_VERSIONS["base"],
    resources:
        mem_mb=500,
        runtime=30,
    conda:
        "../../envs/cpu.yaml"
    shell:
        "lynx base {params.options} 2>&1 | tee {log}"


rule reference:
    input:
        lambda w: reference_inputs(CONFIG.at(w), w.group),
    output:
        "runs/{scale}/reference/{group}/manifest.json",
    log:
        "logs/{scale}/reference-{group}.log",
    params:
        options=CONFIG.options,
        slice=lambda w: slice_of("reference", CONFIG.at(w), w.group),
        version=STAGE_VERSIONS["reference"],
    resources:
        mem_mb=2500,
        gpu=lambda w: CONFIG.at(w).scale.gpus,
        runtime=120,
    conda:
        "../../envs/cpu.yaml"
    shell:
        "lynx reference --group {wildcards.group} {params.options} 2>&1 | tee {log}"
