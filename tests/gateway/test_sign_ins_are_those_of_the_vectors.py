"""``sign-in.json``: each form in which a wallet signs in, accepted or refused."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from insitu.domain.errors import InsituError
from insitu.domain.ids import Address
from insitu.gateway.sign_in.authenticator import Authenticator
from tests.doubles.clock import ControlledClock
from tests.doubles.plain_accounts import PlainAccounts
from tests.gateway.wallets import gateway_for_wallets

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "sign-in.json").read_text("utf-8"))
FIELDS = ("assertion", "message", "signature")


def accounts() -> PlainAccounts:
    chain = PlainAccounts(VECTORS["gateway"]["chainId"])
    for entry in VECTORS["contracts"]:
        accepted = chain.contracts.setdefault(Address(entry["account"]), set())
        accepted.add((bytes.fromhex(entry["digest"]), bytes.fromhex(entry["signature"][2:])))
    return chain


async def outcome(authenticator: Authenticator, case: dict[str, Any]) -> dict[str, Any]:
    fields = {name: case[name] for name in FIELDS if name in case}
    try:
        granted = await authenticator.grant(case["grantType"], **fields)
    except InsituError as error:
        return {"code": error.code}
    opened, account = [], None
    for operation in ("compute", "download", "encrypt", "exec", "upload"):
        try:
            account = (await authenticator.read(f"Bearer {granted.access_token}", operation)).address  # type: ignore[arg-type]
            opened.append(operation)
        except InsituError as error:
            assert error.code == "AudienceMismatch"
    return {"account": account, "operations": opened, "session": granted.refresh_token is not None}


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
async def test_a_sign_in_ends_as_the_vectors_say(case: dict[str, Any], tmp_path: Path) -> None:
    gateway = VECTORS["gateway"]
    clock = ControlledClock(datetime.fromisoformat(gateway["now"]))
    settings = {"public_url": gateway["publicUrl"], "marketplaces": tuple(gateway["marketplaces"])}
    async with gateway_for_wallets(tmp_path, clock, accounts(), **settings) as authenticator:
        expected = {name: case[name] for name in ("code", "account", "operations", "session") if name in case}
        assert await outcome(authenticator, case) == expected
