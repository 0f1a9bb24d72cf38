"""The tiny base's own tokenizer: byte-level BPE with Qwen2's special tokens and ChatML template."""

from __future__ import annotations

from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from lynx.demo.base.texts import scene_texts
from lynx.demo.choice import LETTERS
from lynx.demo.music.instruments import INSTRUMENTS
from lynx.demo.sounds.noises import NOISES
from lynx.demo.world.furniture import CATEGORIES
from lynx.demo.world.palette import COLOURS
from lynx.demo.world.raycast import SURFACES

VOCABULARY = 1024  # of which 256 are the bytes; what is seen and answered is one token a word
CORPUS_SCENES = 400
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>", "<video>")
CHAT_WORDS = ("system\n", "user\n", "assistant\n", "You are a helpful assistant.", "\n")

# The splitting rule of Qwen2: words with their leading space, digits one by one, newlines apart.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CHATML = (
    "{% for message in messages %}"
    "{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}"
    "{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def train_tokenizer(seed: int) -> PreTrainedTokenizerFast:
    """Train on the questions and answers of some scenes of world `seed`; deterministic."""
    texts = [text for index in range(CORPUS_SCENES) for text in scene_texts(seed, index)]
    corpus = [line for text in texts for turn in text.turns for line in turn]
    words = (*CATEGORIES, *SURFACES, *COLOURS, *INSTRUMENTS, *NOISES, *LETTERS)
    seen = [form for word in words for form in (word, f" {word}")]
    corpus += [word for word in (*CHAT_WORDS, *seen) for _ in range(CORPUS_SCENES)]
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    inner.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner.train_from_iterator(
        corpus,
        trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=alphabet, show_progress=False),
    )
    inner.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        model_max_length=2048,
    )
    tokenizer.chat_template = CHATML
    return tokenizer


def save_tokenizer(tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write the tokenizer, its template in `tokenizer_config.json` as in Qwen2's folders."""
    tokenizer.save_pretrained(folder, save_jinja_files=False)
