"""The language: reading a spec, checking it, and lowering it to a plan. Imports nothing else of Tuneform."""
