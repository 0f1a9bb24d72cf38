from lynx.config.inputs import sft_inputs


rule sft:
    input:
        lambda w: sft_inputs(CONFIG.at(w), w.variant, w.benchmark),
    output:
        "runs/{scale}/sft/{variant}/{benchmark}/seed{seed}/manifest.json",
    log:
        "logs/{scale}/sft-{variant}-{benchmark}-seed{seed}.log",
    priority: 1
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
        slice=lambda w: slice_of("sft", CONFIG.at(w), w.variant, w.benchmark),
        version=STAGE_VERSIONS["sft"],
    shell:
        "lynx --log {log} sft --variant {wildcards.variant} --benchmark {wildcards.benchmark}"
        " {params.options}"
