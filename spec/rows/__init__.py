"""Rows: what users write, and the one form of each that the rest of Tuneform reads."""
