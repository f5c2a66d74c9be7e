"""Wallets that sign in at a gateway: what they sign, and the part of the gateway that reads it."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from insitu.adapters.agreements.store import SQLITE, SqlAgreements
from insitu.adapters.keys.signer import LocalSigner
from insitu.adapters.sqlite import SqliteDatabase
from insitu.domain.sign_in_message import SignInMessage
from insitu.domain.signatures import es256k_digest, personal_digest
from insitu.domain.wire import rfc3339
from insitu.gateway.configuration import GatewayConfiguration
from insitu.gateway.ports import GatewayPorts
from insitu.gateway.sign_in.assertion_reader import AssertionReader
from insitu.gateway.sign_in.authenticator import Authenticator
from insitu.gateway.sign_in.message_reader import MessageReader
from insitu.gateway.sign_in.session_keeper import SessionKeeper
from insitu.ports.keys import Signer
from tests.doubles.clock import ControlledClock
from tests.doubles.plain_accounts import PlainAccounts
from tests.gateway.keyrings import derived_keyring
from tests.gateway.ports import ports_with

URL = "https://gateway.example"
WALLET, OTHER = LocalSigner(b"\x01" * 32), LocalSigner(b"\x02" * 32)
AGREEMENT = "ab" * 32
EXECUTION = "wx" + "a" * 26


@asynccontextmanager
async def gateway_for_wallets(
    folder: Path, clock: ControlledClock, chain: PlainAccounts, **settings: Any
) -> AsyncIterator[Authenticator]:
    """The part of a gateway that wallets sign in at, with a store of its own."""
    configuration = GatewayConfiguration(**{"version": "0", "public_url": URL, "metadata_url": URL, **settings})
    async with SqliteDatabase(folder / "gateway.db", SQLITE) as database:
        yield authenticator_of(
            ports_with(configuration, chain=chain, agreements=SqlAgreements(database), clock=clock), b"k" * 32
        )


def authenticator_of(ports: GatewayPorts, key: bytes) -> Authenticator:
    return Authenticator(
        ports=ports,
        keyring=derived_keyring(key),
        assertion_reader=AssertionReader(ports=ports),
        message_reader=MessageReader(ports=ports),
        session_keeper=SessionKeeper(ports=ports),
    )


def assertion(
    clock: ControlledClock, *, signer: LocalSigner = WALLET, header: Any = None, whole: bool = False, **claims: Any
) -> str:
    now = int(clock.now().timestamp())
    usual = {"iss": WALLET.address, "aud": audience("compute"), "iat": now, "exp": now + 300, "jti": "j1"}
    body = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    signed = f"{part(header or {'alg': 'ES256K', 'typ': 'JWT'})}.{part(body)}"
    digest = personal_digest(signed.encode()) if body.get("eths") == "personal" else es256k_digest(signed.encode())
    signature = signer.sign_digest(digest)
    return f"{signed}.{encoded(signature if whole else signature[:64])}"


def audience(operation: str) -> str:
    return f"{URL}/api/v1/gateway/services/{operation}"


def part(value: Any) -> str:
    return encoded(json.dumps(value).encode())


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def message(clock: ControlledClock, **changes: Any) -> SignInMessage:
    """A message of ERC-4361 as the gateway's own page makes it."""
    usual: dict[str, Any] = {
        "domain": "gateway.example",
        "address": WALLET.address,
        "statement": "Work with this gateway for at most 12 hours.",
        "uri": f"{URL}/api/v1/gateway/services/oauth/token",
        "chain_id": 31337,
        "nonce": "n0123456789",
        "issued_at": rfc3339(clock.now()),
        "expiration_time": rfc3339(clock.now() + timedelta(minutes=5)),
        "resources": (audience("compute"), audience("exec")),
    }
    return SignInMessage(**{**usual, **changes})


def signature_of(text: str, signer: Signer = WALLET) -> str:
    """What a wallet's personal_sign returns."""
    return "0x" + signer.sign_digest(personal_digest(text.encode())).hex()
