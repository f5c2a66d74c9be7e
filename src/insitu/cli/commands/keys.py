"""Keys, which sign. A key is a file with a password, in the format that wallets export and import."""

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from insitu.cli.options import local
from insitu.cli.passwords import password_for
from insitu.cli.session import Session, pass_session
from insitu.domain.errors import InsituError

if TYPE_CHECKING:
    from insitu.adapters.keys.keystore import StoredKey

_LARGEST_KEY_FILE = 64 * 1024

_password = click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the password; default: INSITU_KEY_PASSWORD, or you are asked.",
)


@click.group()
def keys() -> None:
    """Create, import, list and rotate keys.

    A key never appears on a command line: it is generated here, or read from a file.
    """


@keys.command(name="ls")
@local
@pass_session
def list_(session: Session) -> None:
    """List the keys in the data folder and, with the embedded chain, its development accounts."""
    from insitu.stack.offers import development_accounts

    found: list[tuple[str, str, str]] = [(key.name, key.address, "file") for key in session.keystore.list()]
    found += [(name, address, "development") for name, address in development_accounts(session.settings).items()]
    listed = [{"name": name, "address": address, "kind": kind} for name, address, kind in found]
    nothing = "no keys yet; create one: insitu keys create NAME"
    session.screen.rows(listed, ("NAME", "ADDRESS", "KIND"), found, nothing=nothing)


@keys.command()
@click.argument("name")
@_password
@local
@pass_session
def create(session: Session, name: str, password_file: Path | None) -> None:
    """Generate a new key."""
    _show(session, session.keystore.create(name, password_for(name, password_file, new=True)))
    session.screen.note("Keep the file and its password safe: nobody can restore either.")


@keys.command(name="import")
@click.argument("name")
@click.argument("file", type=click.File("rb"))
@_password
@local
@pass_session
def import_(session: Session, name: str, file: BinaryIO, password_file: Path | None) -> None:
    """Import FILE: a key file of another wallet, or 64 hexadecimal digits (- reads standard input).

    A key file keeps its password; digits get a new password.
    """
    content: bytes = file.read(_LARGEST_KEY_FILE)
    if content.lstrip()[:1] == b"{":
        if file.name in {"-", "<stdin>"}:
            raise click.UsageError("give the path of the key file; standard input takes only digits")
        password = password_for(name, password_file)
        _show(session, session.keystore.import_file(name, Path(file.name), password))
        return
    try:
        digits = content.decode("ascii").strip()
    except UnicodeDecodeError:
        raise InsituError("KeyInvalid", f"{file.name} is neither a key file nor hexadecimal digits") from None
    _show(session, session.keystore.import_hex(name, digits, password_for(name, password_file, new=True)))


@keys.command()
@local
@pass_session
def rotate(session: Session) -> None:
    """Add a new key for the encrypted file lists of data sets.

    Run it in the gateway's data folder. The gateway seals with the new key after its next start. Every earlier key
    stays in the file, so that the lists it sealed can still be opened.
    """
    from insitu.stack.offers import rotate_file_keys

    path, current, versions = rotate_file_keys(session.settings)
    facts = [
        ("file", str(path)),
        ("seals", f"version {current}"),
        ("opens", f"versions {', '.join(map(str, versions))}"),
    ]
    session.screen.answer({"path": path, "current": current, "versions": versions}, facts)
    session.screen.note("Restart the gateway so that it uses the new key, and back up the file.")


def _show(session: Session, key: "StoredKey") -> None:
    facts = [("name", key.name), ("address", key.address), ("file", str(key.path))]
    session.screen.answer({"name": key.name, "address": key.address, "path": key.path}, facts)
