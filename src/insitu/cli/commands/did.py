"""DIDs and documents: what one resolves to, and whether a document is what its publisher signed."""

from typing import TYPE_CHECKING

import click

from insitu.cli.documents import read_json
from insitu.cli.options import connected
from insitu.cli.session import Session, pass_session

if TYPE_CHECKING:
    from insitu.domain.ddo import Ddo
    from insitu.domain.published_rules import Verification

__all__ = ["did"]


@click.group()
def did() -> None:
    """Look into DIDs and documents."""


@did.command()
@click.argument("did")
@connected
@pass_session
def resolve(session: Session, did: str) -> None:
    """Print the document of a DID: registry, url, document, checksum compared with the one on chain."""
    session.screen.json(session.act(lambda client: client.assets.resolve(did)).to_json())


@did.command()
@click.argument("document", metavar="DID|FILE|-")
@connected
@pass_session
def verify(session: Session, document: str) -> int:
    """Say which rules the checksums, the DID and the signature of a document follow.

    Documents of older software follow other rules; those are recognised. Without a chain nothing is said about
    whether it is the newest version.
    """
    from insitu.domain.exit_codes import INVALID, OK
    from insitu.domain.published_rules import verify_document

    found = verify_document(_document(session, document))
    if session.choices.as_json:
        session.screen.json(found.model_dump(mode="json", by_alias=True) | {"holds": found.holds, "own": found.is_own})
    else:
        session.screen.facts(_facts(found))
    return OK if found.holds else INVALID


def _document(session: Session, name: str) -> "Ddo":
    from insitu.domain.ddo import read_ddo

    if not name.startswith("did:"):
        return read_ddo(read_json(name))
    return session.act(lambda client: client.assets.resolve(name))


def _facts(found: "Verification") -> list[tuple[str, str]]:
    def said(rule: str | None) -> str:
        return f"fits ({rule})" if rule else "fits no known rule"

    return [
        ("DID", f"{found.did}  {said(found.did_rule)}"),
        *((f"service {index}", said(rule)) for index, rule in found.services.items()),
        ("signature", said(found.signature_rule) + (f", by {found.signer}" if found.signer else "")),
        ("verdict", "the document is what its publisher signed" if found.holds else "do not rely on this document"),
    ]
