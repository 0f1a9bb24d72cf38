"""The DVC ledger of an experiment: rendered from Snakemake's jobs, recorded, restored."""
