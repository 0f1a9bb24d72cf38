# Seconds each, and nothing that a cluster would do better.
localrules:
    headline,
    seeds,
    curve,
    paper_tables,
    figures,
    report,


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
    conda:
        CONFIG.environment
    resources:
        mem_mb=lambda w, attempt: 1000 * attempt,
        runtime=lambda w, attempt: 10 * attempt,
    params:
        options=CONFIG.options,
        variants=CONFIG.variants(),
        scale=CONFIG.experiment.scale_name,
    shell:
        "lynx --log {log} headline --benchmark {wildcards.benchmark} {params.options}"


rule seeds:
    input:
        expand(
            "results/{scale}/{variant}/{{benchmark}}/seed{seed}/metrics.json",
            scale=CONFIG.experiment.scale_name,
            variant=CONFIG.seed_variants(),
            seed=CONFIG.experiment.main.seeds,
        ),
    output:
        "results/tables/{benchmark}-seeds.csv",
        "results/tables/{benchmark}-seeds.md",
    log:
        "logs/seeds-{benchmark}.log",
    conda:
        CONFIG.environment
    resources:
        mem_mb=lambda w, attempt: 1000 * attempt,
        runtime=lambda w, attempt: 10 * attempt,
    params:
        options=CONFIG.options,
        variants=CONFIG.seed_variants(),
        seeds=CONFIG.experiment.main.seeds,
    shell:
        "lynx --log {log} seeds {wildcards.benchmark} --write {params.options}"


rule paper_tables:
    input:
        "config/published.yaml",
    output:
        CONFIG.paper_tables("csv", "md", "tex"),
        pages=report(
            CONFIG.paper_tables("html"),
            caption="../report/table.rst",
            category="Tables",
        ),
    log:
        "logs/tables.log",
    conda:
        CONFIG.environment
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        options=CONFIG.options,
        seeds=CONFIG.experiment.main.seeds,
        # No inputs: tables show what was run, and must not run what was not.
        results=lambda w: CONFIG.results_there,
    shell:
        "lynx --log {log} tables {params.options}"


rule figures:
    input:
        "config/published.yaml",
    output:
        CONFIG.figures("pdf"),
        shown=report(CONFIG.figures("png"), caption="../report/figure.rst", category="Figures"),
    log:
        "logs/figures.log",
    conda:
        CONFIG.environment
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        options=CONFIG.options,
        results=lambda w: CONFIG.results_there,
    shell:
        "lynx --log {log} figures {params.options}"


rule report:
    input:
        CONFIG.figures(),
    output:
        report(
            "results/report.html",
            caption="../report/summary.rst",
            category="Summary",
        ),
    log:
        "logs/report.log",
    conda:
        CONFIG.environment
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        options=CONFIG.options,
        results=lambda w: CONFIG.results_there,
    shell:
        "lynx --log {log} report {params.options}"
