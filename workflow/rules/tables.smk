rule headline:
    input:
        expand(
            "results/{scale}/{variant}/{{benchmark}}/seed{seed}/metrics.json",
            scale=CONFIG.experiment.scale_name,
            variant=CONFIG.variants(),
            seed=CONFIG.experiment.main.seed,
        ),
    output:
        "results/{benchmark}/metrics.json",
    log:
        "logs/headline-{benchmark}.log",
    params:
        options=CONFIG.options,
        variants=CONFIG.variants(),
        scale=CONFIG.experiment.scale_name,
    conda:
        "../../envs/cpu.yaml"
    shell:
        "lynx headline --benchmark {wildcards.benchmark} {params.options} 2>&1 | tee {log}"
