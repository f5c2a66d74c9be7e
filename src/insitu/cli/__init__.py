"""The command line. This module stays light: commands are imported when they are called."""


def main() -> None:
    """Run the command line and exit with its documented exit code."""
    raise SystemExit("insitu: no command is installed yet")
