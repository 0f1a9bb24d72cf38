"""Metrics that several benchmarks share: text in, fractions in [0, 1] out (CIDEr: [0, 10])."""
