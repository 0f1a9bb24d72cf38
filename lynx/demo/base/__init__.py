"""The tiny base model of the demo: its tokenizer, shape and training."""
