rule curve:
    input:
        "runs/{scale}/{trained}/manifest.json",
    output:
        "results/{scale}/training/{trained}.csv",
    log:
        "logs/{scale}/training/{trained}.log",
    wildcard_constraints:
        trained=r"(align|sft)/.+/seed\d+",
    conda:
        CONFIG.environment
    resources:
        mem_mb=500,
        runtime=10,
    shell:
        "lynx --log {log} curve runs/{wildcards.scale}/{wildcards.trained} {output}"
