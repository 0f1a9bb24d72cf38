# The published commands by name, one rule without a shell each; README.md maps old scripts to them.
for target, files in CONFIG.targets().items():

    rule:
        name:
            target
        input:
            files,
