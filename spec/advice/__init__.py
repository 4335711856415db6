"""Advice: what commonly goes wrong."""
