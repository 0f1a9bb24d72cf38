"""One configured project: where it lies, what it runs, and how its stages publish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lynx.artifacts.cost import COST, Meter
from lynx.artifacts.hashing import hash_data
from lynx.artifacts.manifest import ParentEntry, identify, parent_entry
from lynx.artifacts.publish import Draft, publishing
from lynx.artifacts.stages import STAGE_VERSIONS
from lynx.artifacts.state import exclusive_state
from lynx.artifacts.verify import require_stage
from lynx.config.experiment import Experiment
from lynx.config.layout import Layout
from lynx.config.loading import load_experiment
from lynx.errors import InputError
from lynx.ranks.place import here


@dataclass(frozen=True)
class Project:
    """The configuration and layout that every stage command works on."""

    experiment: Experiment
    layout: Layout

    @classmethod
    def load(cls, root: Path, files: Sequence[Path], overrides: dict[str, object]) -> Project:
        """Read and check the configuration below `root`."""
        experiment = load_experiment(files, overrides, root)
        return cls(experiment, Layout(root, experiment.scale_name))

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self.experiment.main.seed

    def annotations_root(self, benchmark: str) -> Path:
        """Where a benchmark's annotation files lie."""
        return self._raw_root(benchmark, self.experiment.benchmarks[benchmark].annotations)

    def clips_root(self, benchmark: str) -> Path:
        """Where a benchmark's clips lie: video files, or `scans/` of posed RGB-D scenes."""
        root = self._raw_root(benchmark, self.experiment.benchmarks[benchmark].clips)
        group = self.experiment.benchmarks[benchmark].group
        rgbd = self.experiment.group_recipe(group).frames.media == "rgbd"
        return root / "scans" if rgbd else root

    def _raw_root(self, benchmark: str, key: str) -> Path:
        """A raw data root: of the rendered world at a scale that has one, else of the site."""
        world = self.experiment.world_of(benchmark)
        if world is not None:
            return self.layout.world(world) / key
        root = self.experiment.site.data.get(key)
        if root is None:
            raise InputError(
                f"config/site.yaml: data.{key} is missing, expected the folder of that raw data; "
                "add it"
            )
        return root


@dataclass(frozen=True)
class StageRun:
    """One stage about to run: its target, what decides it, and its checked parents."""

    project: Project
    stage: str
    target: Path
    settings: dict[str, object]
    parents: tuple[ParentEntry, ...]
    seed: int | None
    meter: Meter = field(default_factory=Meter)

    @classmethod
    def prepare(
        cls,
        project: Project,
        stage: str,
        target: Path,
        settings: dict[str, object],
        parents: Sequence[tuple[str, Path]],
        seed: int | None = None,
    ) -> StageRun:
        """Check each parent (stage, folder) against its manifest."""
        for name, folder in parents:
            require_stage(folder, name)
        # A manifest names its parents from the project's root, wherever that lies.
        entries = tuple(
            parent_entry(folder).model_copy(
                update={"path": folder.relative_to(project.layout.root).as_posix()}
            )
            for _, folder in parents
        )
        return cls(project, stage, target, settings, entries, seed)

    @property
    def identity(self) -> str:
        """The identity of the artefact to come."""
        version = STAGE_VERSIONS[self.stage]
        return identify(self.stage, version, self.settings, self.seed, self.parents)

    @contextmanager
    def publish(self, device: str | None = None) -> Iterator[Draft]:
        """Write the artefact, see `publishing`; for one computed on a device, say what it cost."""
        with publishing(
            self.target,
            stage=self.stage,
            version=STAGE_VERSIONS[self.stage],
            settings=self.settings,
            parents=self.parents,
            seed=self.seed,
            device=device or "cpu",
            gpu_target=self.project.experiment.site.gpu_target,
        ) as draft:
            yield draft
            if device is not None:
                draft.facts[COST] = self.meter.spent(here().count).model_dump()

    @contextmanager
    def state(self) -> Iterator[Path]:
        """The resumable state of this very artefact, held by this process alone.

        Its place counts too: variants may come to the same, and be made at the same time.
        """
        layout, place = self.project.layout, self.target
        # From the project's root, wherever that lies; a base may be trained into any other folder.
        within = place.is_relative_to(layout.root)
        place = place.relative_to(layout.root) if within else place.absolute()
        name = hash_data([self.identity, place.as_posix()])
        with (
            exclusive_state(layout.work, self.stage, name) as folder,
            self.meter.kept_in(folder),
        ):
            yield folder

    @contextmanager
    def shared_state(self) -> Iterator[Path]:
        """The state as all ranks of one command see it: the first one holds and writes it.

        The others wait until the first rank has it, and end with it if it is refused.
        """
        ranks = here()
        if ranks.first:
            with self.state() as folder:
                ranks.gather(str(folder))
                yield folder
        else:
            yield Path(ranks.gather("")[0])

    @contextmanager
    def first_publishes(self, device: str) -> Iterator[Draft | None]:
        """The artefact being written, see `publish`; None on the ranks that do not write."""
        if here().first:
            with self.publish(device) as draft:
                yield draft
        else:
            yield None
