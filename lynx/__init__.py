"""LynX: a new sense for a frozen video LLM through the interface it already sees with."""
