from lynx.config.inputs import lmms_inputs, predict_inputs

RUN = "{variant}/{benchmark}/seed{seed}"
RUN_LOG = "{variant}-{benchmark}-seed{seed}.log"


rule predict:
    input:
        lambda w: predict_inputs(CONFIG.at(w), w.variant, w.benchmark),
    output:
        f"runs/{{scale}}/predictions/{RUN}/manifest.json",
    log:
        f"logs/{{scale}}/predict-{RUN_LOG}",
    conda:
        CONFIG.environment
    threads: CONFIG.experiment.site.threads
    resources:
        mem_mb=CONFIG.memory_of_one,
        gpu=CONFIG.one_gpu,
        gpu_model=CONFIG.gpu_model,
        runtime=lambda w, attempt: 240 * attempt,
    params:
        options=CONFIG.options,
        slice=lambda w: slice_of("predict", CONFIG.at(w), w.variant, w.benchmark),
        version=STAGE_VERSIONS["predict"],
    shell:
        "lynx --log {log} predict --variant {wildcards.variant} --benchmark {wildcards.benchmark}"
        " {params.options}"


rule score:
    input:
        predictions=f"runs/{{scale}}/predictions/{RUN}/manifest.json",
        data="runs/{scale}/data/{benchmark}/manifest.json",
    output:
        f"results/{{scale}}/{RUN}/metrics.json",
    log:
        f"logs/{{scale}}/score-{RUN_LOG}",
    conda:
        CONFIG.environment
    resources:
        mem_mb=lambda w, attempt: 2500 * attempt,
        runtime=lambda w, attempt: 30 * attempt,
    params:
        options=CONFIG.options,
        version=STAGE_VERSIONS["score"],
    shell:
        "lynx --log {log} score --variant {wildcards.variant} --benchmark {wildcards.benchmark}"
        " {params.options}"


rule lmms:
    input:
        lambda w: lmms_inputs(CONFIG.at(w), w.variant, w.benchmark),
    output:
        f"runs/{{scale}}/lmms/{RUN}/manifest.json",
        f"results/{{scale}}/{RUN}/lmms_eval.json",
    log:
        f"logs/{{scale}}/lmms-{RUN_LOG}",
    conda:
        CONFIG.environment
    threads: CONFIG.experiment.site.threads
    resources:
        mem_mb=lambda w, attempt: 1500 * attempt + CONFIG.memory_of_one(w, attempt),
        gpu=CONFIG.one_gpu,
        gpu_model=CONFIG.gpu_model,
        runtime=lambda w, attempt: 600 * attempt,
    params:
        options=CONFIG.options,
        slice=lambda w: slice_of("lmms", CONFIG.at(w), w.variant, w.benchmark),
        version=STAGE_VERSIONS["lmms"],
    shell:
        "lynx --log {log} lmms-eval --variant {wildcards.variant}"
        " --benchmark {wildcards.benchmark} {params.options}"
