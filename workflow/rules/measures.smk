from lynx.config.inputs import geometry_inputs, stability_inputs


rule geometry:
    input:
        lambda w: geometry_inputs(CONFIG.at(w)),
    output:
        "results/{scale}/geometry.json",
    log:
        "logs/{scale}/geometry.log",
    conda:
        CONFIG.environment
    threads: CONFIG.experiment.site.threads
    resources:
        mem_mb=CONFIG.memory_of_one,
        gpu=CONFIG.one_gpu,
        gpu_model=CONFIG.gpu_model,
        runtime=lambda w, attempt: 120 * attempt,
    params:
        options=CONFIG.options,
        slice=lambda w: slice_of("geometry", CONFIG.at(w)),
        version=STAGE_VERSIONS["geometry"],
    shell:
        "lynx --log {log} geometry {params.options}"


rule stability:
    input:
        lambda w: stability_inputs(CONFIG.at(w)),
    output:
        "results/{scale}/stability.json",
    log:
        "logs/{scale}/stability.log",
    conda:
        CONFIG.environment
    resources:
        mem_mb=lambda w, attempt: 3000 * attempt,
        runtime=lambda w, attempt: 30 * attempt,
    params:
        options=CONFIG.options,
        slice=lambda w: slice_of("stability", CONFIG.at(w)),
        version=STAGE_VERSIONS["stability"],
    shell:
        "lynx --log {log} stability {params.options}"
