"""`python -m boltwatch` is the `boltwatch` command."""

from boltwatch.cli import main

main()
