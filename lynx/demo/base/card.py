"""The model card of the tiny base: `README.md` beside its weights."""

from __future__ import annotations

from collections.abc import Mapping

ABOUT = """\
---
license: apache-2.0
language:
- en
library_name: transformers
pipeline_tag: visual-question-answering
tags:
- llava-onevision
- synthetic
- test-model
---

# LynX demo base

A tiny LLaVA-OneVision model, trained from nothing on rendered rooms. It exists so that the LynX
workflow can run on a laptop. It knows one synthetic world and about {vocabulary} tokens; it is of no other use.

## Architecture

`LlavaOnevisionForConditionalGeneration`, float32, Hugging Face layout.

| part | shape |
|---|---|
| vision tower (SigLIP) | 3 blocks, width 128, 4 heads, MLP 384; 56 px in patches of 8: 7 × 7 |
| projector | LLaVA-OneVision's two-layer MLP, 128 to 160 |
| tokens per frame | 16 (7 × 7 pooled bilinearly to 4 × 4), one newline vector per clip |
| language model (Qwen2) | 4 layers, width 160, 5 heads, 5 KV heads, MLP 448, tied embeddings, 2048 positions |
| tokenizer | byte-level BPE of {vocabulary} entries, Qwen2's ChatML template and special tokens |

The patch grid is odd, as the real 27 × 27 is: the model takes the same code paths as the 0.5B and 7B models.

## Training data

Synthetic only: colour frames of rooms rendered by `lynx.demo.world` (world seed 2606; the demo's own
world has another seed, so no room is shared), and generated conversations in the form of every benchmark of the
demo. No real image, no text by a person, no real benchmark data. It never sees depth, hears a sound or sees a flash or a second camera.

## Training

`lynx train-base --target <folder>` (code: `lynx/demo/base/`); settings, seed and losses are in `training.json`.

1. Tower, projector, newline vector and word embeddings learn to see: each pooled token names the furniture, surfaces
   and colours in its cell by its inner product with those words' embeddings.
2. Tower frozen, the language model learns to answer. A share of the questions needs depth, sound, dense frames or a second camera, so the model knows their words
   and can only guess the answers.

AdamW, linear warm-up, cosine decay, gradient norm 1. The scale and biases of step 1 are dropped.

"""

AFTER = """\

## Intended use

Wiring tests and demo experiments of the LynX repository. Nothing else: it answers questions about any real
picture with nonsense. Scores with it are not scores on ScanQA or SQA3D.

## Licence

Apache-2.0, weights and tokenizer.
"""


def accuracy_table(held_out: Mapping[str, tuple[float, int]]) -> str:
    """EM@1 on held-out scenes by need and by question kind, as Markdown."""
    rows = [f"| {name} | {100 * em:.1f} | {count} |" for name, (em, count) in held_out.items()]
    return "\n".join(["| questions | EM@1 x 100 | count |", "| --- | ---: | ---: |", *rows]) + "\n"


def model_card(held_out: Mapping[str, tuple[float, int]], vocabulary: int) -> str:
    """The card with the tokenizer's size and the accuracy measured at the end of training."""
    intro = (
        "## Accuracy on held-out scenes\n\n"
        "Colour frames only, scenes that it was not trained on. Questions that need depth can only\n"
        "be guessed from colour, by construction.\n\n"
    )
    return f"{ABOUT.format(vocabulary=vocabulary)}{intro}{accuracy_table(held_out)}{AFTER}"
