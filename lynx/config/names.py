"""The names that a stage command may be given, and the sentence about any other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lynx.config.experiment import Experiment
from lynx.config.explain import unknown_name
from lynx.config.loading import COMMAND_LINE


def require_names(experiment: Experiment, names: Mapping[str, str]) -> None:
    """Check names by kind: `benchmark` (one that runs), `trainer` (one that adapters are trained
    on), `encoded` (either), `source` (one whose table is read), `variant`, `group`, `alignment`.

    Raises `InputError` about the first one that the configured experiment does not have.
    """
    groups = {item.group for item in experiment.benchmarks.values()}
    trainers = {experiment.trainer_of(name) for name in experiment.recipes}
    known: dict[str, tuple[str, Iterable[str]]] = {
        "benchmark": ("benchmark", experiment.recipes),
        "trainer": ("benchmark", trainers),
        "encoded": ("benchmark", trainers | set(experiment.recipes)),
        "source": ("benchmark", experiment.benchmarks),
        "variant": ("variant", experiment.variants),
        "group": ("group", groups),
        "alignment": ("alignment", set(experiment.align_names.values())),
    }
    for kind, name in names.items():
        word, held = known[kind]
        if name not in held:
            raise unknown_name(COMMAND_LINE, word, name, held)
