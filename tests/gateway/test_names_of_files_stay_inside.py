"""A name that leads out of its volume is refused when the list is sealed, long before anyone pays."""

from datetime import UTC, datetime

import pytest

from insitu.api.gateway_v1 import EncryptRequest
from insitu.domain.did import derive_did
from insitu.domain.errors import InsituError
from insitu.gateway.sign_in.caller import Caller
from tests.gateway.world import World

ESCAPES = ("../../etc/passwd", "/etc/passwd", "a/../../b", "nul\x00", "line\nbreak", "")


@pytest.mark.parametrize("name", ESCAPES)
async def test_a_name_that_leads_outside_is_refused(provider: World, name: str) -> None:
    owner = provider.people["owner"].address
    did, files = derive_did({}, owner), ({"url": "https://example.org/x", "name": name},)
    request = EncryptRequest(did=str(did), checksum={}, files=files)
    caller = Caller(owner, "encrypt", datetime.max.replace(tzinfo=UTC))
    with pytest.raises(InsituError, match="InvalidDocument") as refused:
        await provider.gateway.list_writer.seal(caller, request)
    assert refused.value.pointer == "/files/0/name"
