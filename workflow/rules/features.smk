from lynx.config.inputs import features_inputs

FEATURES = (
    "lynx --log {log} features --benchmark {wildcards.benchmark} --split {wildcards.split} "
    "--stream {params.stream} {params.options}"
)


rule features_fixed:
    input:
        lambda w: features_inputs(CONFIG.at(w), w.benchmark, w.stream),
    output:
        "runs/{scale}/features/{benchmark}/{split}/{stream,video|plain}/manifest.json",
    log:
        "logs/{scale}/features-{benchmark}-{split}-{stream}.log",
    conda:
        CONFIG.environment
    threads: CONFIG.experiment.site.threads
    resources:
        mem_mb=CONFIG.memory,
        gpu=CONFIG.gpus,
        gpu_model=CONFIG.gpu_model,
        runtime=lambda w, attempt: 240 * attempt,
    params:
        options=CONFIG.options,
        stream=lambda w: w.stream,
        slice=lambda w: CONFIG.features_slice(w, w.stream),
        version=STAGE_VERSIONS["features"],
    shell:
        FEATURES


rule features_aligned:
    input:
        lambda w: features_inputs(CONFIG.at(w), w.benchmark, "aligned"),
    output:
        "runs/{scale}/features/{benchmark}/{split}/aligned/seed{seed}/manifest.json",
    log:
        "logs/{scale}/features-{benchmark}-{split}-aligned-seed{seed}.log",
    priority: 1
    conda:
        CONFIG.environment
    threads: CONFIG.experiment.site.threads
    resources:
        mem_mb=CONFIG.memory,
        gpu=CONFIG.gpus,
        gpu_model=CONFIG.gpu_model,
        runtime=lambda w, attempt: 240 * attempt,
    params:
        options=CONFIG.options,
        stream="aligned",
        slice=lambda w: CONFIG.features_slice(w, "aligned"),
        version=STAGE_VERSIONS["features"],
    shell:
        FEATURES


# Of a variant whose vision adapter is not lynx's.
rule features_own:
    input:
        lambda w: features_inputs(CONFIG.at(w), w.benchmark, "aligned", w.variant),
    output:
        "runs/{scale}/features/{benchmark}/{split}/aligned-{variant}/seed{seed}/manifest.json",
    log:
        "logs/{scale}/features-{benchmark}-{split}-aligned-{variant}-seed{seed}.log",
    priority: 1
    conda:
        CONFIG.environment
    threads: CONFIG.experiment.site.threads
    resources:
        mem_mb=CONFIG.memory,
        gpu=CONFIG.gpus,
        gpu_model=CONFIG.gpu_model,
        runtime=lambda w, attempt: 240 * attempt,
    params:
        options=CONFIG.options,
        slice=lambda w: CONFIG.features_slice(w, "aligned"),
        version=STAGE_VERSIONS["features"],
    shell:
        "lynx --log {log} features --benchmark {wildcards.benchmark} --split {wildcards.split} "
        "--stream aligned --variant {wildcards.variant} {params.options}"
