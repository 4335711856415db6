"""Canonical rows in the wire form of each target: what a form carries, what it refuses, and its limits. No I/O."""
