"""Where every artefact lies, relative to the project's root (architecture, "Data flow")."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FIGURES = ("radar", "parameters", "rank", "benefit", "training")
"""What is drawn of scores and curves, in the order in which it is shown."""


@dataclass(frozen=True)
class Layout:
    """Folders of one scale; a manifest `manifest.json` in each marks it as whole."""

    root: Path
    scale: str

    @property
    def runs(self) -> Path:
        """Large artefacts of this scale."""
        return self.root / "runs" / self.scale

    @property
    def work(self) -> Path:
        """Resumable state; never an output of a rule."""
        return self.root / "work"

    def world(self, name: str) -> Path:
        """The raw data of a world that the demo scale renders."""
        return self.runs / "world" / name

    @property
    def base(self) -> Path:
        """The checked inventory of the base model's files."""
        return self.runs / "base"

    def data(self, benchmark: str) -> Path:
        """Sample tables of one benchmark."""
        return self.runs / "data" / benchmark

    def frames(self, name: str) -> Path:
        """Prepared frames or listed videos of a group, or of a benchmark that only scores."""
        return self.runs / "frames" / name

    def reference(self, group: str) -> Path:
        """Stage 1."""
        return self.runs / "reference" / group

    def align(self, name: str, seed: int) -> Path:
        """Stage 2: the vision adapter."""
        return self.runs / "align" / name / f"seed{seed}"

    def features(
        self, benchmark: str, split: str, stream: str, seed: int, own: str | None = None
    ) -> Path:
        """A stored stream; only the aligned one depends on the seed, through its adapter.

        `own` is a variant whose vision adapter is not lynx's.
        """
        name = stream if own is None else f"{stream}-{own}"
        folder = self.runs / "features" / benchmark / split / name
        return folder / f"seed{seed}" if stream == "aligned" else folder

    def sft(self, variant: str, benchmark: str, seed: int) -> Path:
        """Stage 3: the language adapter."""
        return self.runs / "sft" / variant / benchmark / f"seed{seed}"

    def predictions(self, variant: str, benchmark: str, seed: int) -> Path:
        """Answers on the evaluation split."""
        return self.runs / "predictions" / variant / benchmark / f"seed{seed}"

    def lmms(self, variant: str, benchmark: str, seed: int) -> Path:
        """Answers to lmms-eval's tasks, with its own files."""
        return self.runs / "lmms" / variant / benchmark / f"seed{seed}"

    def lmms_metrics(self, variant: str, benchmark: str, seed: int) -> Path:
        """The score of these answers."""
        return self.metrics(variant, benchmark, seed).with_name("lmms_eval.json")

    def metrics(self, variant: str, benchmark: str, seed: int) -> Path:
        """The score of one run: a small file that Git may keep."""
        folder = self.results / self.scale / variant / benchmark / f"seed{seed}"
        return folder / "metrics.json"

    @property
    def results(self) -> Path:
        """Everything small: scores, measures, curves, tables, figures."""
        return self.root / "results"

    @property
    def tables(self) -> Path:
        """The publication's tables, and those over seeds."""
        return self.results / "tables"

    @property
    def figures(self) -> Path:
        """Figures and pages of samples."""
        return self.results / "figures"

    @property
    def report(self) -> Path:
        """All of it in one page."""
        return self.results / "report.html"

    @property
    def curves(self) -> Path:
        """The curves of this scale's trainings."""
        return self.results / self.scale / "training"

    def sample_page(self, benchmark: str) -> Path:
        """A page of sample questions, without its ending."""
        return self.figures / f"{self.scale}-{benchmark}-samples"

    @property
    def geometry(self) -> Path:
        """Where words and frames lie in the base's input space."""
        return self.results / self.scale / "geometry.json"

    @property
    def stability(self) -> Path:
        """How far the references of the groups differ."""
        return self.results / self.scale / "stability.json"

    def curve(self, trained: Path) -> Path:
        """The curve of a training, given the folder of its artefact."""
        name = trained.relative_to(self.runs)
        return self.curves / f"{name}.csv"

    def headline(self, benchmark: str) -> Path:
        """What people ask for: variant lynx at the configured scale, beside its controls."""
        return self.results / benchmark / "metrics.json"


def manifest(folder: Path) -> str:
    """The manifest that stands for a folder in the DAG."""
    return str(folder / "manifest.json")
