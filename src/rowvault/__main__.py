"""`python -m rowvault`."""

from rowvault.cli.main import main

main()
