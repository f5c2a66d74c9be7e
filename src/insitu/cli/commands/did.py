"""DIDs and documents: what one resolves to, and whether a document is what its publisher signed."""

from typing import TYPE_CHECKING

import click

from insitu.cli.documents import read_json, read_object, written_by
from insitu.cli.options import connected
from insitu.cli.session import Session, pass_session

if TYPE_CHECKING:
    from insitu.domain.ddo import Ddo
    from insitu.domain.document_verification import Verification

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
@click.option(
    "main",
    "--main",
    metavar="FILE",
    help="main of the metadata service with the urls of its files, as its publisher had it before they were encrypted.",
)
@connected
@pass_session
def verify(session: Session, document: str, main: str | None) -> int:
    """Say whose rules the checksums, the DID and the signature of a document follow.

    Documents of older software follow other rules; those are recognised. Without a chain nothing is said about
    whether it is the newest version.
    """
    from insitu.domain.document_verification import verify_document
    from insitu.domain.exit_codes import INVALID, OK

    found = verify_document(_document(session, document), read_object(main) if main is not None else None)
    if session.choices.as_json:
        told = {"holds": found.holds, "own": found.is_own, "verdict": found.verdict}
        session.screen.json(found.model_dump(mode="json", by_alias=True) | told)
    else:
        session.screen.facts(_facts(found, with_main=main is not None))
    return OK if found.holds else INVALID


def _document(session: Session, name: str) -> "Ddo":
    from insitu.domain.ddo import read_ddo

    if not name.startswith("did:"):
        return read_ddo(read_json(name))
    return session.act(lambda client: client.assets.resolve(name))


def _facts(found: "Verification", *, with_main: bool) -> list[tuple[str, str]]:
    def said(software: str | None) -> str:
        return f"fits, as {software} writes it" if software else "fits no known rule"

    method = [("method", "did:op: is Ocean Protocol's, from which did:nv: grew")] if found.method == "op" else []
    return [
        ("DID", f"{found.did}  {said(found.did_rule)}"),
        *method,
        *((f"service {index}", said(rule)) for index, rule in found.services.items()),
        ("signature", said(found.signature_rule) + (f", by {found.signer}" if found.signer else "")),
        ("written by", written_by(found)),
        ("verdict", _verdict(found, with_main=with_main)),
    ]


def _verdict(found: "Verification", *, with_main: bool) -> str:
    if found.verdict == "holds":
        return "the document is what its publisher signed"
    if found.verdict == "broken":
        return "do not rely on this document"
    if with_main:
        return f"all fits but service {', '.join(found.without_urls)}: the main that you gave is not what was hashed"
    return (
        f"all fits but service {', '.join(found.without_urls)}, whose checksum was taken before the urls of its files "
        "were encrypted: what it says is unproved, unless its publisher gives you its main with the urls (--main FILE)"
    )
