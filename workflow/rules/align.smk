from lynx.config.inputs import align_inputs


rule align:
    input:
        lambda w: align_inputs(CONFIG.at(w), w.name),
    output:
        "runs/{scale}/align/{name}/seed{seed}/manifest.json",
    log:
        "logs/{scale}/align-{name}-seed{seed}.log",
    # What most other jobs wait for goes first.
    priority: 2
    conda:
        CONFIG.environment
    threads: CONFIG.experiment.site.threads
    resources:
        mem_mb=CONFIG.memory,
        gpu=CONFIG.gpus,
        gpu_model=CONFIG.gpu_model,
        runtime=lambda w, attempt: 600 * attempt,
    params:
        options=CONFIG.options,
        slice=lambda w: slice_of("align", CONFIG.at(w), w.name),
        version=STAGE_VERSIONS["align"],
    shell:
        "lynx --log {log} align --name {wildcards.name} {params.options}"
