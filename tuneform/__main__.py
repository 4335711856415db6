"""`python -m tuneform`."""

from tuneform.runtime.cli import main

main()
