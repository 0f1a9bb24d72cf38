from lynx.config.inputs import samples_inputs


rule samples:
    input:
        CONFIG.sample_pages(),


rule sample_page:
    input:
        lambda w: samples_inputs(CONFIG.at(w), w.benchmark),
    output:
        "results/figures/{scale}-{benchmark}-samples.png",
        "results/figures/{scale}-{benchmark}-samples.pdf",
        "results/figures/{scale}-{benchmark}-samples.json",
    log:
        "logs/{scale}/samples-{benchmark}.log",
    conda:
        CONFIG.environment
    resources:
        mem_mb=lambda w, attempt: 3000 * attempt,
        runtime=lambda w, attempt: 30 * attempt,
    params:
        options=CONFIG.options,
        # The page says which seed it is of; its name does not.
        seed=CONFIG.experiment.main.seed,
        # No inputs: controls are shown if they were run, and must not run for a page.
        controls=lambda w: CONFIG.controls_there(w),
    shell:
        "lynx --log {log} samples {wildcards.benchmark} {params.options}"
