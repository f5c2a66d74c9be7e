"""Passwords of key files: from a file, from the environment, or typed. Never from the command line."""

import os
import sys
from pathlib import Path

import click

from insitu.domain.errors import InsituError

__all__ = ["password_for"]


def password_for(name: str, file: Path | None = None, *, new: bool = False) -> str:
    """Return the password of a key file.

    In this order: ``file``, INSITU_KEY_PASSWORD, a question on the terminal (twice for a ``new`` key).

    Raises ``KeyPasswordWrong`` where there is none and nobody can be asked.
    """
    if file is not None:
        return file.read_text("utf-8").rstrip("\n")
    if (given := os.environ.get("INSITU_KEY_PASSWORD")) is not None:
        return given
    if not sys.stdin.isatty():
        raise InsituError(
            "KeyPasswordWrong", f"the key {name} needs a password: give --password-file or INSITU_KEY_PASSWORD"
        )
    answer: str = click.prompt(f"Password of the key {name}", hide_input=True, confirmation_prompt=new, err=True)
    return answer
