"""The command line. This module stays light: a command is imported when it is called."""

import sys


def main() -> None:
    """Run the command line and exit with its documented exit code (``insitu.domain.exit_codes``)."""
    from insitu.cli.app import run

    sys.exit(run(sys.argv[1:]))
