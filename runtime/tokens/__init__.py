"""Counting tokens: a model's own tokenizer and chat template without torch or transformers, or an estimate."""
