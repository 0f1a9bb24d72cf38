"""Faults of a shared cluster, at the demo's scale.

After each the result is that of an undisturbed run, or the error is one exact sentence. What needs
a whole run, a ledger or a cluster stands with those tests:

tests/workflow/test_ledger.py: damaged cache, edited metric and `dvc.yaml`, touched files, a branch
switched and back, clone and restore, a folder and S3 as remotes
tests/workflow/test_licensed_ledger.py: a clone without the licensed data
tests/workflow/test_demo_runs.py: a comment, a stage's version, the site's settings
tests/slurm: `scancel`, a killed controller, the end of the time limit
tests/unit/test_training_not_finite.py: a loss or gradient that is no number
"""
