"""Readers of data files: one for each form that rows come in."""
