"""The edges: files, processes, environments, metrics and the command line."""
