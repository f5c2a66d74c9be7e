"""Passwords of key files: from a file, from the environment, or typed; never from the command line."""

import os
import sys
from pathlib import Path

import click

from insitu.domain.errors import InsituError


def password_for(name: str, file: Path | None = None, *, new: bool = False) -> str:
    """Return the password of a key file.

    It comes from ``file``, else from INSITU_KEY_PASSWORD, else from the terminal (asked twice for a ``new`` key).

    Raises ``KeyPasswordWrong`` if there is no password and no terminal.
    """
    from insitu.settings.caller import KEY_PASSWORD, read_caller

    if file is not None:
        return file.read_text("utf-8").rstrip("\n")
    if (given := read_caller(os.environ).password) is not None:
        return given
    if not sys.stdin.isatty():
        raise InsituError(
            "KeyPasswordWrong", f"the key {name} needs a password: give --password-file or set {KEY_PASSWORD}"
        )
    answer: str = click.prompt(f"Password of the key {name}", hide_input=True, confirmation_prompt=new, err=True)
    return answer
