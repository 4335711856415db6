"""One module a command; `runtime/cli.py` holds the table."""
